"""Files that are no texts, no files, or not there."""

from __future__ import annotations

import os

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
    assert judged(project, "check").codes == ["E601"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_that_may_not_be_read_is_reported(project):
    (project / "proofs" / "secret.slat").write_text("module proofs.secret")
    (project / "proofs" / "secret.slat").chmod(0)
    assert judged(project, "check").codes == ["E601"]


def test_a_name_that_is_no_text_is_reported_as_it_can_be_shown(project):
    name = os.fsdecode(b"proofs/\xff.slat")
    (project / name).write_text("module proofs.example\n?")
    assert judged(project, "check").codes == ["E106"]


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
    assert slat(tmp_path, "check", "--root", "missing/folder").codes == ["E602"]


@pytest.mark.parametrize("words", ["--json", "check --no-such", "nothing", "eval", "fmt --check --x"])
def test_a_command_line_that_means_nothing_exits_with_2(words, project):
    assert slat(project, *words.split()).exit_code == 2
