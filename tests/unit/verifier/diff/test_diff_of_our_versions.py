"""Our own specifications: a version equals itself, and mistakes that reviewers found differ where they should."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from verifier.diff import model
from verifier.diff.compare import Versions, compare
from verifier.diff.model import Diff
from verifier.names.project import read_project
from verifier.names.series import Version
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.types.load import Library, open_library

ROOT = Path(__file__).parents[4]


@cache
def library() -> Library:
    return open_library(read_project(ROOT))


def compared(left: str, right: str) -> Diff:
    versions = Versions(library().load(Version(left)), library().load(Version(right)), (left, right))
    return compare(versions, Plan(Options(explained=False)), Cache(ROOT, True))


def differing(diff: Diff) -> dict[str, set[str]]:
    """The verdicts of each decision that say that the versions differ."""
    found = {d.name: {cell.verdict for cell in d.cells} & {*model.DIFFERENT} for d in diff.decisions}
    return {name: verdicts for name, verdicts in found.items() if verdicts}


def test_every_cell_of_the_written_version_is_proved_equal_to_itself():
    diff = compared("v5", "v5")
    assert {cell.verdict for d in diff.decisions for cell in d.cells} == {model.EQUIVALENT, model.IMPOSSIBLE}
    assert len(diff.decisions) >= 10


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("i17_xu_mask_is_bit_2", {"spte": {model.MORE}, "joined_spte": {model.MORE}, "changed_spte": {model.MORE}}),
        ("i08_bad_mt_xwr_without_bit_10", {"misconfiguration": {model.MORE}}),
        ("i24_child_of_any_role", {"role": {model.MORE}}),
        ("i06_bit_6_unmasked", {"error_code": {model.MORE}}),
        ("i26_frozen_entry_with_bit_10", {}),
    ],
)
def test_a_known_bad_version_differs_where_its_mistake_is(name: str, expected: dict[str, set[str]]):
    assert differing(compared("v5", name)) == expected
