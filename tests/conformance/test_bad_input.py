"""Bad input for every command that reads series or writes files: a diagnostic, exit 2, and nothing half-written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from golden.cases import Said, slat
from golden.versions import UNSEEN, project

ROOT = Path(__file__).parents[2]
UNKNOWN_SERIES = (
    "prove --series v6",
    "prove --series v5 --series v6",
    "prove --series v6 --upto 1",
    "report --html site --series v6",
    "table layout Acc --series v6",
    "diff v5 v6",
    "diff v6",
    "new-series mine --base v6",
)
UNKNOWN_DEFINITION = (
    "check",
    "check specs/kvm/series/newest",
    "prove --series newest",
    "prove --series all --json results.json",
    "report --html site",
    "table layout Acc --series newest",
    "diff v5 newest -o differences.txt",
    "new-series mine --base newest",
)
FAULTY = UNSEEN.replace("unavailable executable", "unavailable executabl")
WRITING = (
    "prove --json {}/results.json",
    "prove --smtlib {}/questions",
    "report --html {}/site",
    "diff old v5 -o {}/differences.txt",
    "diff old v5 --json {}/differences.json",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


def content(root: Path) -> set[str]:
    """Everything in a directory, but for what is remembered of proofs."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if ".slat" not in path.parts}


def refused(root: Path, line: str, place: Path) -> Said:
    """What is said of a command line that is bad input, after which `place` holds what it held."""
    before = content(place)
    said = slat(root, *line.split())
    assert (said.exit_code, said.out) == (2, ""), line
    assert said.codes, line
    assert content(place) == before
    return said


@pytest.mark.parametrize("line", UNKNOWN_SERIES)
def test_a_series_that_does_not_exist_is_told_with_those_that_do(root: Path, line: str):
    said = refused(root, line, root)
    assert said.codes == ["E312"]
    assert "there is no series `v6`\n = help: " in said.err


@pytest.mark.parametrize("line", UNKNOWN_DEFINITION)
def test_an_amendment_of_an_unknown_definition_is_told_with_its_place_and_the_nearest_one(root: Path, line: str):
    (root / "specs" / "kvm" / "series" / "newest" / "01-refactored.slat").write_text(FAULTY)
    said = refused(root, line, root)
    assert "error[E314]: there is no `executabl` in `kvm.spte` to be unavailable" in said.err
    assert "--> specs/kvm/series/newest/01-refactored.slat:3:13" in said.err
    assert "= help: did you mean `executable`?" in said.err


def test_an_amendment_of_an_unknown_module_is_told_with_its_place_and_the_nearest_one(root: Path):
    patch = root / "specs" / "kvm" / "series" / "newest" / "01-refactored.slat"
    patch.write_text(UNSEEN.replace("amend kvm.spte", "amend kvm.spt"))
    said = refused(root, "check", root)
    assert "error[E302]: there is no module `kvm.spt`" in said.err
    assert "--> specs/kvm/series/newest/01-refactored.slat:2:7" in said.err
    assert "= help: did you mean `kvm.spte`?" in said.err


@pytest.mark.parametrize("line", [*WRITING, "vectors -o {}/cases.c"])
def test_a_directory_that_takes_no_files_is_told_before_anything_is_decided(
    root: Path, tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
):
    def forbidden(*_: object) -> None:
        raise AssertionError("a solver was asked before the places were checked")

    monkeypatch.setattr("verifier.obligations.run.solve", forbidden)
    closed, real = tmp_path / "closed", os.access
    closed.mkdir(mode=0o555)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "closed" and real(path, mode))
    said = refused(root, line.format(closed), tmp_path)
    assert said.err.startswith(f"error[E603]: cannot write `{closed}/")
    assert said.err.rstrip().endswith(": permission denied")


@pytest.mark.parametrize("line", [*WRITING, "vectors -o {}/cases.c --gap paging_disabled"])
def test_a_full_disk_is_told_and_holds_what_it_held(root: Path, small_disk: Path, line: str):
    with open(small_disk / "filling", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    said = refused(ROOT if line.startswith("vectors") else root, line.format(small_disk), small_disk)
    assert said.err.startswith(f"error[E603]: cannot write `{small_disk}/")
    assert "no space left on device" in said.err
