"""Standard streams that are closed, full, or whose reader is gone: the exit code says what is wrong."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import small

ROOT = Path(__file__).parents[2]
SCENARIO = (ROOT / "docs" / "WALK.md").read_text("utf-8").split("```json\n")[1].split("```")[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = small.write(tmp_path)
    (root / "scenario.json").write_text(SCENARIO)
    (root / "lines").write_text(json.dumps(json.loads(SCENARIO)) + "\n")
    return root


@pytest.fixture
def full(tmp_path: Path) -> str:
    """A device that takes nothing; our own, because a mistake must not cost the machine its."""
    path = tmp_path / "full"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        os.close(os.open(path, os.O_WRONLY))
    except PermissionError:
        pytest.skip("nobody else may make a device that works")
    return path.name


def shell(root: Path, line: str) -> tuple[int, str, str]:
    """Exit code and streams of a line of shell in which `slat` is slat."""
    slat = f'slat() {{ "{sys.executable}" -c "{small.MAIN}" "$@"; }}; '
    done = subprocess.run(
        ["bash", "-c", slat + line], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stdout, done.stderr


COMMANDS = [
    "prove D1", "prove --format json", "check", "check --json", "eval 'Key { red: true }'", "explain", "fmt --stdout",
    "completion bash", "--help", "--version", "walk scenario.json", "walk --batch lines", "walk - < scenario.json",
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS)
def test_a_document_that_finds_no_place_on_standard_output_is_exit_2(words: str, project: Path, full: str):
    code, out, _ = shell(project, f"slat {words}")
    assert code == 0
    assert out
    assert shell(project, f"slat {words} >&-") == (2, "", "error[E603]: cannot write standard output: it is closed\n\n")
    said = shell(project, f"slat {words} > {full}")
    assert said == (2, "", "error[E603]: cannot write standard output: no space left on device\n\n")


@pytest.mark.parametrize(
    "words", ["prove -v", "check", "explain", "walk scenario.json", "walk --batch lines", "--help"]
)
def test_a_reader_that_goes_away_is_no_error(words: str, project: Path):
    assert shell(project, f"set -o pipefail; slat {words} | true") == (0, "", "")


REMARKS = [("prove D1", 0), ("prove nope", 2), ("check", 0), ("check nope.slat", 2), ("walk nope", 2), ("nope", 2)]


@pytest.mark.parametrize(("words", "wanted"), REMARKS)
def test_what_becomes_of_standard_error_changes_no_exit_code(words: str, wanted: int, project: Path, full: str):
    expected = shell(project, f"slat {words} 2>&1")[1] if wanted == 0 else ""
    for place in ("&-", full):
        assert shell(project, f"slat {words} 2>{place}") == (wanted, expected, "")
    assert shell(project, f"slat {words} 2> >(true)")[0] == wanted


@pytest.mark.parametrize("words", ["walk -", "walk --batch", "walk --batch -"])
def test_a_closed_standard_input_is_exit_2(words: str, project: Path):
    assert shell(project, f"slat {words} <&-") == (2, "", "error[E603]: cannot read standard input: it is closed\n\n")


@pytest.mark.parametrize("words", ["walk -", "walk --batch"])
def test_a_standard_input_that_cannot_be_read_is_exit_2(words: str, project: Path):
    code, out, err = shell(project, f"slat {words} 0> written")
    assert (code, out) == (2, "")
    assert err.startswith("error[E603]: cannot read standard input: ")


def test_all_streams_may_be_closed_at_once(project: Path):
    assert shell(project, "slat prove D1 --json out.json <&- >&- 2>&-")[0] == 2
    document = json.loads((project / "out.json").read_text())
    assert [result["verdict"] for result in document["results"]] == ["proved"]


def test_a_file_does_not_take_the_number_of_a_closed_stream(project: Path):
    small.write(project, small.CLAIMS + small.WRONG)
    shell(project, "slat prove --no-cache --jobs 2 --json out.json --smtlib smt >&- 2>&-")
    assert json.loads((project / "out.json").read_text())["summary"]["claims"] == 6
    assert all(file.read_text().startswith("(set-") for file in (project / "smt").iterdir())


def test_what_an_encoding_lacks_is_written_as_escapes(project: Path):
    small.write(project, small.CLAIMS.replace("A red key opens.", "Ein roter Schlüssel öffnet — “immer”."))
    code, out, _ = shell(project, "PYTHONIOENCODING=latin-1 slat prove D1 | iconv -f latin1")
    assert code == 0
    assert "Schlüssel öffnet \\u2014 \\u201cimmer\\u201d" in out
