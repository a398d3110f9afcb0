"""`slat fmt`: formats in place, whole or not at all."""

from __future__ import annotations

import pytest
from golden.cases import make_project, slat

UNTIDY = "module proofs.example\nfn f( b:bool )->bool=b // why\n"
TIDY = "module proofs.example\n\nfn f(b: bool) -> bool\n  = b  // why\n"


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    (tmp_path / "proofs" / "example.slat").write_text(UNTIDY)
    (tmp_path / "proofs" / "tidy.slat").write_text(TIDY.replace("example", "tidy"))
    return tmp_path


def test_every_file_of_the_project_is_formatted_and_the_changed_ones_are_named(project):
    said = slat(project, "fmt")
    assert (said.exit_code, said.out, said.err) == (0, "changed proofs/example.slat\n", "")
    assert (project / "proofs" / "example.slat").read_text() == TIDY
    assert slat(project, "fmt").out == ""


def test_check_writes_nothing_names_the_files_and_exits_with_1(project):
    said = slat(project, "fmt", "--check")
    assert (said.exit_code, said.out) == (1, "would change proofs/example.slat\n")
    assert (project / "proofs" / "example.slat").read_text() == UNTIDY
    slat(project, "fmt")
    assert slat(project, "fmt", "--check").exit_code == 0


def test_standard_output_gets_the_text_and_the_file_stays(project):
    said = slat(project, "fmt", "--stdout", "proofs/example.slat")
    assert (said.exit_code, said.out) == (0, TIDY)
    assert (project / "proofs" / "example.slat").read_text() == UNTIDY


def test_a_directory_stands_for_its_files_and_a_path_needs_no_project(tmp_path):
    folder = tmp_path / "anywhere" / "deep"
    folder.mkdir(parents=True)
    (folder / "one.slat").write_text(UNTIDY)
    (folder / "two.txt").write_text(UNTIDY)
    assert slat(tmp_path, "fmt", "anywhere").out == "changed anywhere/deep/one.slat\n"
    assert (folder / "one.slat").read_text() == TIDY
    assert (folder / "two.txt").read_text() == UNTIDY


def test_if_one_file_cannot_be_formatted_none_is_written(project):
    (project / "proofs" / "broken.slat").write_text("module proofs.broken\nfn f(b bool) -> bool = b\n")
    said = slat(project, "fmt")
    assert (said.exit_code, said.codes, said.out) == (2, ["E101"], "")
    assert (project / "proofs" / "example.slat").read_text() == UNTIDY


def test_a_missing_file_is_reported(project):
    assert slat(project, "fmt", "proofs/missing.slat").codes == ["E601"]


def test_a_file_whose_place_cannot_be_written_is_reported_and_stays(project, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    said = slat(project, "fmt")
    assert (said.exit_code, said.codes) == (2, ["E603"])
    assert "cannot write `proofs/example.slat`: no space left on device" in said.err
    assert (project / "proofs" / "example.slat").read_text() == UNTIDY


def test_windows_line_ends_become_plain_ones(project):
    (project / "proofs" / "example.slat").write_bytes(UNTIDY.replace("\n", "\r\n").encode())
    slat(project, "fmt")
    assert (project / "proofs" / "example.slat").read_bytes() == TIDY.encode()
