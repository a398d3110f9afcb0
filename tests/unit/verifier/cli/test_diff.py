"""`slat diff`: the words that name versions, exit codes, files, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from golden.cases import Said, make_project, slat
from test_small_commands import completions

ROOT = Path(__file__).parents[4]
DOORS = ROOT / "tests" / "golden" / "report" / "diff"
SCHEMA = json.loads((ROOT / "tests" / "conformance" / "slat-diff-1.schema.json").read_text())
PATCH = "specs/kvm/series/v5/01-user-exec.slat"


@pytest.fixture
def doors(tmp_path: Path) -> Path:
    """A copy of the small project with two versions."""
    return Path(shutil.copytree(DOORS, tmp_path / "doors", ignore=shutil.ignore_patterns("*.txt", "*.xml", "*.json")))


def diff(root: Path, *words: str) -> Said:
    return slat(root, "diff", *words, "--jobs", "1")


@pytest.mark.parametrize(
    "words",
    [
        ("old", "v5"), ("old", "v5_1"), ("old", "v5:1"), ("old", "v5:user_exec"), ("old", PATCH), ("v5",), ("v5:1",),
        (PATCH,),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_version_is_a_series_or_a_patch_by_number_name_or_file(doors: Path, words: tuple[str, ...]):
    said = diff(doors, *words, "--format", "json")
    assert (said.exit_code, said.err) == (1, "")
    document = json.loads(said.out)
    jsonschema.validate(document, SCHEMA)
    assert document["a"] == "old"
    assert document["b"] in ("v5", "v5_1")
    assert document["summary"]["less_permissive"] == 2


def test_a_version_and_itself_are_exit_0(doors: Path):
    said = diff(doors, "v5", "v5")
    assert (said.exit_code, said.err) == (0, "")
    assert "28 equivalent, 8 impossible\n" in said.out


def test_two_trees_are_compared_by_the_decisions_of_the_second(doors: Path, tmp_path: Path):
    before = Path(shutil.copytree(doors, tmp_path / "before"))
    spte = doors / "specs/kvm/spte.slat"
    spte.write_text(spte.read_text().replace("(!host.strict || key[0])", "(!host.strict || key[1])"))
    shutil.rmtree(before / "proofs" / "decisions")
    said = diff(tmp_path, "before", "doors")
    assert said.exit_code == 1
    assert "fn kvm.spte.executable: changed" in said.out
    assert "more permissive" in said.out


def test_a_tree_without_what_a_decision_asks_for_is_not_modelled(doors: Path, tmp_path: Path):
    before = Path(shutil.copytree(doors, tmp_path / "before"))
    for file in ("specs/kvm/spte.slat", PATCH, "proofs/decisions/rights.slat"):
        path = before / file
        path.write_text(path.read_text().replace("all_rights", "every_right"))
    said = diff(tmp_path, "before", "doors", "--format", "json")
    cells = {d["name"]: {cell["verdict"] for cell in d["cells"]} for d in json.loads(said.out)["decisions"]}
    assert said.exit_code == 3
    assert cells["rights"] == {"not_modelled"}
    assert cells["execution"] == {"equivalent", "impossible"}


def test_a_tree_can_be_named_with_one_of_its_series(doors: Path):
    said = diff(doors, ".:old", ".", "--format", "json")
    assert said.exit_code == 1
    assert json.loads(said.out)["a"] == ".:old"


def test_a_series_comes_before_a_directory_of_the_same_name(doors: Path):
    (doors / "old").mkdir()
    assert diff(doors, "old", "v5").exit_code == 1


def test_what_was_proved_is_remembered(doors: Path):
    first = diff(doors, "old", "v5")
    assert (doors / ".slat" / "cache").is_dir()
    assert diff(doors, "old", "v5").out == first.out == diff(doors, "old", "v5", "--no-cache").out


def test_documents_go_where_they_are_sent(doors: Path):
    said = diff(doors, "old", "v5", "-o", "new/differences.md", "--format", "markdown", "--json", "all.json")
    assert (said.exit_code, said.out) == (1, "")
    assert (doors / "new" / "differences.md").read_text() == diff(doors, "old", "v5", "--format", "markdown").out
    jsonschema.validate(json.loads((doors / "all.json").read_text()), SCHEMA)


def test_a_budget_that_runs_out_is_exit_3(doors: Path):
    said = diff(doors, "v5", "v5", "--rlimit", "1", "--no-cache")
    assert said.exit_code == 3
    assert "the budget ran out." in said.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("v55", "v5"), "E312", "did you mean `v5`?"),
        (("v5_7", "v5"), "E312", "`v5` has no patch 7"),
        (("v5:7", "v5"), "E318", "7"),
        (("v5:user", "v5"), "E318", "user"),
        (("old",), "E603", "built on nothing"),
        (("nowhere/at_all", "v5"), "E603", "no directory and no patch `nowhere/at_all`"),
        (("empty", "v5"), "E602", "no `specs/MANUALS.toml` in `empty`"),
        ((".:v55", "v5"), "E312", "did you mean `v5`?"),
        (("", "v5"), "E312", "there is no series ``"),
        (("old", "v5", "-o", "specs"), "E603", "cannot write"),
        (("old", "v5", "--json", "specs/MANUALS.toml/x"), "E603", "cannot write"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_compared_or_written_is_a_diagnostic(doors: Path, words: tuple[str, ...], code: str, said: str):
    (doors / "empty").mkdir()
    found = diff(doors, *words)
    assert (found.exit_code, found.out, found.codes) == (2, "", [code])
    assert said in found.err


def test_a_project_without_decisions_lists_definitions(tmp_path: Path):
    root = make_project(tmp_path)
    said = diff(root, ".", ".")
    assert (said.exit_code, said.err) == (0, "")
    assert "there is no decision to compare" in said.out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("slat diff v", "plain,v3"),
        ("slat diff v5:mbec", "plain,v5:mbec_in_ept_walks"),
        ("slat diff v3 i17", "plain,i17_xu_mask_is_bit_2"),
    ],
)
def test_a_shell_completes_series_patches_and_known_bad_versions(line: str, offered: str):
    assert offered in completions(ROOT, line)


def test_a_shell_does_not_offer_all_series_at_once():
    assert "plain,all" not in completions(ROOT, "slat diff a")
