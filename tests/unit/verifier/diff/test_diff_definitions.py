"""Definitions that differ, and the claims that rest on them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from doors import HERE, compared, copied

from verifier.diff.definitions import changes, reached
from verifier.names.project import read_project
from verifier.names.series import Version
from verifier.types.load import Library, open_library

ROOT = Path(__file__).parents[4]


def test_each_kind_of_change_is_told_with_both_places():
    found = {change.name: change for change in compared(HERE).changes}
    assert {name: change.kind for name, change in found.items()} == {
        "Acc": "signature changed",
        "all_rights": "added",
        "colour": "changed",
        "executable": "changed",
        "offered": "changed",
        "old_rights": "removed",
        "reported": "changed",
    }
    assert found["old_rights"].right is None
    assert found["all_rights"].left is None
    assert (found["colour"].left, found["colour"].right) == (
        "specs/kvm/series/old/spte.slat:20",
        "specs/kvm/spte.slat:22",
    )


def test_other_sentences_are_no_change(tmp_path: Path):
    root = copied(tmp_path, kvm_spte=("MBEC tells the modes apart", "MBEC keeps the modes apart"))
    left, right = (open_library(read_project(one)).written for one in (HERE, root))
    assert changes(left.program, right.program) == ()


def test_a_claim_that_rests_on_a_change_is_named():
    claims = {one.name: one.by for one in compared(HERE).reached}
    assert claims == {
        "nothing_executes_without_a_bit": ("kvm.spte.executable",),
        "colours_are_two": ("kvm.spte.colour",),
    }


def library() -> Library:
    return open_library(read_project(ROOT))


def test_every_definition_that_a_patch_amends_differs_and_no_other():
    ours = library()
    series = ours.catalogue.series["v5"]
    numbers = sorted(patch.number for patch in series.patches)
    for before, patch in zip(numbers, sorted(series.patches, key=lambda p: p.number)[1:], strict=False):
        left, right = (ours.load(Version("v5", number)) for number in (before, patch.number))
        amended = {f"{a.target.text}.{c.name.text}" for a in patch.tree.amends for c in a.changes}
        found = {change.qualified for change in changes(left.program, right.program)}
        assert found <= amended


def test_what_nobody_has_seen_in_one_version_is_told():
    ours = library()
    found: set[str] = set()
    for series in ours.catalogue.regular:
        numbers = sorted(patch.number for patch in series.patches)
        for one, other in pairwise(numbers):
            left, right = (ours.load(Version(series.name, number)) for number in (one, other))
            hidden = left.program.unavailable.keys() ^ right.program.unavailable.keys()
            kinds = {change.qualified: change.kind for change in changes(left.program, right.program)}
            assert all(kinds[name] == "not seen" for name in hidden)
            found |= hidden
    assert reached(ours.written, ours.written, ()) == ()
