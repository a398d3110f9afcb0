"""`slat report --markdown DIR`: exit codes, and documents that are written together or compared."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conformance import small
from conformance.commands import Said, Slat, content

VERSIONS = Path(__file__).parents[3] / "golden" / "report" / "map"


@pytest.fixture
def slat(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Slat:
    return Slat(small.write(tmp_path / "project"), capfd, "report")


def test_a_project_without_a_map_has_an_index_alone(slat: Slat, tmp_path: Path):
    said = slat("--markdown", str(tmp_path / "new" / "documents"))
    counted = "5 claims, 3 proved, 2 refuted, 1 reachable, all as expected"
    assert said == Said(0, f"{tmp_path}/new/documents/README.md: {counted}\n", "")
    assert list(content(tmp_path / "new" / "documents")) == ["README.md"]


def test_a_project_with_a_map_has_both_and_a_second_run_leaves_the_same_bytes(slat: Slat, tmp_path: Path):
    slat.root = shutil.copytree(VERSIONS, tmp_path / "versions")
    documents = tmp_path / "documents"
    assert slat("--markdown", str(documents)).code == 0
    before = content(documents)
    assert sorted(before) == ["README.md", "kvm/README.md"]
    assert slat("--markdown", str(documents), "--no-cache").code == 0
    assert content(documents) == before


def test_what_is_as_it_would_be_written_passes_the_check_and_nothing_else_does(slat: Slat, tmp_path: Path):
    documents = tmp_path / "documents"
    check = ("--markdown", str(documents), "--check")
    said = slat(*check)
    assert (said.code, said.err) == (1, "")
    assert "\n+# The claims\n" in said.out
    assert not documents.exists()
    assert slat(*check[:2]).code == 0
    assert slat(*check).code == 0
    index = documents / "README.md"
    index.write_text(index.read_text().replace("A red key opens.", "A red key opens\x1b[2J."))
    before = index.read_bytes()
    said = slat(*check)
    assert said.code == 1
    assert [line[:1] for line in said.out.splitlines() if "A red key opens" in line] == ["-", "+"]
    assert "\x1b" not in said.out
    assert index.read_bytes() == before


def test_a_verdict_that_is_not_the_expected_one_is_exit_1_and_the_index_says_so(slat: Slat, tmp_path: Path):
    small.write(slat.root, small.CLAIMS + small.WRONG)
    assert slat("--markdown", str(tmp_path / "documents")).code == 1
    assert "| `wrong` | refuted (not as expected) |" in (tmp_path / "documents" / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "one thing is written at a time"),
        (("--html", "a", "--markdown", "b"), "one thing is written at a time"),
        (("--html", "a", "--check"), "`--check` compares documents"),
        (("--markdown", "a", "--series", "v5"), "documents are about every series"),
        (("--markdown", "a", "--series", "all", "--check"), "documents are about every series"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_decided(
    words: tuple[str, ...], problem: str, slat: Slat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    said = slat(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error[E603]: {problem}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]


@pytest.mark.parametrize("name", ["README.md", "kvm"])
def test_documents_are_written_together_or_not_at_all(name: str, slat: Slat, tmp_path: Path):
    slat.root = shutil.copytree(VERSIONS, tmp_path / "versions")
    documents = tmp_path / "documents"
    documents.mkdir()
    if name == "kvm":
        (documents / name).write_text("in the way\n")
    else:
        (documents / name).mkdir()
    said = slat("--markdown", str(documents))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error[E603]: cannot write `{documents}")
    assert os.listdir(documents) == [name]


def test_a_document_that_cannot_be_read_is_told_by_the_check(slat: Slat, tmp_path: Path):
    (tmp_path / "documents" / "README.md").mkdir(parents=True)
    said = slat("--markdown", str(tmp_path / "documents"), "--check")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error[E601]: cannot read ")
