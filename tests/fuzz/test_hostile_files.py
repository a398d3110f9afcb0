"""Files that are no texts, no files, or not there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from fuzz.hostile import judged
from golden.cases import make_project, slat

HOSTILE = {
    "nothing": (b"", 2),
    "white space": (b" \n\t\n", 2),
    "a comment": (b"// nothing else", 2),
    "a zero byte": (b"module proofs.example\n\x00", 2),
    "a zero byte in a string": (b'module proofs.example\nfn f() -> bool "\x00" = true', 0),
    "bytes that are no UTF-8": (b"module proofs.example\n\xff\xfe\n", 2),
    "a cut character": (b"module proofs.example // caf\xc3", 2),
    "a surrogate": (b"module proofs.example // \xed\xa0\x80", 2),
    "a byte order mark": (b"\xef\xbb\xbfmodule proofs.example\n", 2),
    "UTF-16": ("module proofs.example\n".encode("utf-16"), 2),
    "carriage returns": (b"module proofs.example\rfn f() -> bool = true\r", 0),
    "no last line end": (b"module proofs.example", 0),
    "a terminal's escapes": (b"module proofs.example\n\x1b[2J\x1b[31m", 2),
    "a line separator": ("module proofs.example // \u2028 \u2029 \x85\n".encode(), 0),
    "an archive": (b"PK\x03\x04" + bytes(range(256)) * 10, 2),
}


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strange_file_is_refused_with_a_place_or_read(name, project):
    data, exit_code = HOSTILE[name]
    (project / "proofs" / "example.slat").write_bytes(data)
    said = judged(project, "check")
    assert said.exit_code == exit_code, said.err
    assert "\x1b" not in said.err
    assert "\x00" not in said.err
    judged(project, "fmt", "--check")


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_a_missing_file_a_directory_and_a_dangling_link_are_reported(command, project):
    (project / "proofs" / "folder.slat").mkdir()
    (project / "proofs" / "link.slat").symlink_to("nowhere.slat")
    assert judged(project, command, "proofs/missing.slat").codes == ["E601"]
    assert judged(project, command, "proofs/link.slat").codes == ["E601"]
    assert set(judged(project, command).codes) == {"E601"}


def test_a_named_pipe_among_the_files_keeps_nobody_waiting(project):
    os.mkfifo(project / "proofs" / "pipe.slat")
    os.mkfifo(project / "pipe")
    for words in ("check", "fmt", "check proofs/pipe.slat", "fmt proofs/pipe.slat", "check pipe", "fmt --stdout pipe"):
        said = judged(project, *words.split())
        assert said.codes == ["E601"]
        assert "is a named pipe" in said.err


@pytest.mark.parametrize("words", ["walk pipe", "walk --batch pipe", "walk --json ./pipe"])
def test_a_named_pipe_as_a_scenario_keeps_nobody_waiting(words, project):
    os.mkfifo(project / "pipe")
    said = judged(project, *words.split())
    assert said.codes == ["E603"]
    assert "is a named pipe" in said.err


def test_links_that_lead_to_themselves_are_reported(project):
    (project / "loop").symlink_to("loop")
    for words in ("check loop", "fmt loop", "walk loop", "prove loop", "prove --json loop", "check --root loop"):
        assert judged(project, *words.split()).exit_code == 2


@pytest.mark.parametrize("command", ["check", "fmt", "prove"])
def test_a_directory_that_cannot_be_looked_at_is_reported_and_nothing_else(command, project, monkeypatch):
    for name in ("sdm/secret/one", "sdm/two"):
        file = project / "specs" / f"{name}.slat"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"module {name.replace('/', '.')}\n")
    (project / "specs" / "sdm" / "two.slat").write_text("module sdm.two\nuse sdm.secret.one\n")
    scan = os.scandir

    def forbidding(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    said = judged(project, command)
    assert said.err.startswith("error[E601]: cannot read `specs/sdm/secret`: permission denied\n")
    assert said.codes == ["E601"]


@pytest.mark.parametrize("command", ["check", "fmt", "fmt --check"])
def test_a_directory_without_specifications_is_reported(command, project):
    (project / "docs").mkdir()
    (project / "proofs" / "example.slat").write_text("module proofs.example\n")
    said = judged(project, *command.split(), "docs")
    assert said.codes == ["E603"]
    assert "there is no `.slat` file below `docs`" in said.err
    assert judged(project, *command.split(), ".").exit_code == 0


@pytest.mark.parametrize("words", [["check"], ["fmt"], ["prove"], ["walk"], ["check", "--root"], ["explain"]])
def test_an_empty_word_is_no_path_no_claim_and_no_code(words, project):
    (project / "proofs" / "example.slat").write_text("module proofs.example\ninvariant i show true\n")
    assert judged(project, *words, "").exit_code == 2


def test_a_directory_that_was_deleted_is_no_project(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = "import os; from verifier.cli.main import run; os.rmdir(os.getcwd()); raise SystemExit(run(['check']))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=gone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[E603]: the current directory does not exist any more")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_that_may_not_be_read_is_reported(project):
    (project / "proofs" / "secret.slat").write_text("module proofs.secret")
    (project / "proofs" / "secret.slat").chmod(0)
    assert judged(project, "check").codes == ["E601"]


def test_a_name_that_is_no_text_is_reported_as_it_can_be_shown(project):
    name = os.fsdecode(b"proofs/\xff.slat")
    (project / name).write_text("module proofs.example\n?")
    assert judged(project, "check").codes == ["E106"]


BELL = "\x1b[31m\x07\udcff\u202e\n"
"""Colour, a bell, a byte that is no UTF-8, a change of direction, a new line."""


WORDS = {
    "check": ["check", "*"], "fmt": ["fmt", "*"], "prove": ["prove", "*"], "walk": ["walk", "*"],
    "explain": ["explain", "*"], "a root": ["check", "--root", "*"],
    "results": ["prove", "--json", "specs/MANUALS.toml/*"],
    "a series": ["prove", "--series", "*"], "a patch": ["prove", "--upto", "*"], "a format": ["prove", "--format", "*"],
    "an option": ["--no-such*"], "an option of prove": ["prove", "--no-such*=*"], "a command": ["*"],
}  # fmt: skip


@pytest.mark.parametrize("kind", WORDS)
def test_words_that_move_a_cursor_are_shown_without_doing_so(kind, project):
    (project / "proofs" / "example.slat").write_text("module proofs.example\n")
    said = slat(project, *[word.replace("*", f"no{BELL}/such") for word in WORDS[kind]])
    assert said.exit_code == 2
    assert said.err
    assert all(char.isprintable() or char == "\n" for char in said.err + said.out), said.err


def test_a_file_whose_name_moves_a_cursor_is_formatted_without_doing_so(project):
    (project / f"a{BELL}.slat").write_text("module proofs.example")
    said = judged(project, "fmt", ".")
    assert said.out == "changed a?[31m????.slat\n"


def test_links_in_a_circle_are_followed_by_nobody(project):
    (project / "proofs" / "again").symlink_to(".")
    (project / "proofs" / "example.slat").write_text("module proofs.example\n")
    assert judged(project, "check").exit_code == 0


@pytest.mark.parametrize("count", [1, 2, 500])
def test_modules_that_use_each_other_in_a_circle_are_reported_once(count, project):
    for i in range(count):
        text = f"module proofs.m{i}\nuse proofs.m{(i + 1) % count}\n"
        (project / "proofs" / f"m{i}.slat").write_text(text)
    assert judged(project, "check").codes == ["E303"]


def test_a_long_row_of_modules_is_no_circle(project):
    for i in range(60):
        text = f"module proofs.m{i}\nuse proofs.m{i + 1}\nconst C{i}: bool = C{i + 1}\n"
        (project / "proofs" / f"m{i}.slat").write_text(text)
    (project / "proofs" / "m60.slat").write_text("module proofs.m60\nconst C60: bool = true\n")
    assert judged(project, "check").exit_code == 0


def test_there_is_no_project_in_a_file_or_in_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    assert slat(tmp_path, "check").codes == ["E602"]
    assert slat(tmp_path, "check", "--root", "file").exit_code == 2
    assert slat(tmp_path, "check", "--root", "missing/folder").codes == ["E603"]


@pytest.mark.parametrize("words", ["--json", "check --no-such", "nothing", "eval", "fmt --check --x"])
def test_a_command_line_that_means_nothing_exits_with_2(words, project):
    assert slat(project, *words.split()).exit_code == 2
