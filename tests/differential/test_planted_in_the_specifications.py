"""The same mistakes planted in the specifications: each is caught by at least two of the comparisons.

These are the reference MMU on random cases, the tables written out by hand, and the claims that say the same in other
words, as z3 decides them. A mistake is an edit of a copy of `specs/`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from planted import random_cases_differ, some_row_fails
from spec_side import ROOT, checked, specifications_in

from verifier.names.series import expectation
from verifier.obligations.generate import generate
from verifier.smt.symbolize import Symbolizer
from verifier.solvers.registry import BUDGETS, open_session

CLAIMS = ("guest/mode", "guest/tables", "qualification/bits", "ept/order", "ept/walks")
"""The files of claims that are asked."""

MISTAKES = {
    "user mode from the CPL": (
        "paging/translation.slat",
        "linear: linear_address(guest_mapping(walk))",
        "linear: linear_address(guest_mapping(walk)) with { user_mode: user_mode_access(walk.access) }",
    ),
    "bit 6 for fetches alone": (
        "ept/qualification.slat",
        "if controls.mbec then got.xu else undefined",
        "if controls.mbec then got.xu && fetches(access) else undefined",
    ),
    "denial above before misconfiguration below": (
        "ept/outcome.slat",
        "else if misconfigured(end.entry, end.at, walk.controls) then EPT_MISCONFIGURATION",
        "else if misconfigured(end.entry, end.at, walk.controls) then"
        " if denied(walk, access) then EPT_VIOLATION else EPT_MISCONFIGURATION",
    ),
    "guest flags without EPT write access": (
        "paging/flags.slat",
        "needs_a_flag(step, walk) implies step.update == TRANSLATED",
        "needs_a_flag(step, walk) implies step.read == TRANSLATED",
    ),
}
"""File under `specs/sdm`, what stands there once, and what takes its place."""


@contextmanager
def planted(mistake: str) -> Iterator[None]:
    """The specifications with a mistake; with none for an empty name."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "specs" / "sdm", root / "specs" / "sdm")
        for file in ("specs/MANUALS.toml", *(f"proofs/{name}.slat" for name in CLAIMS)):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, root / file)
        if mistake:
            name, right, wrong = MISTAKES[mistake]
            path = root / "specs" / "sdm" / name
            text = path.read_text()
            assert text.count(right) == 1
            path.write_text(text.replace(right, wrong))
        with specifications_in(root):
            yield


def some_claim_fails() -> bool:
    """Whether some claim has another verdict than it expects."""
    symbolizer = Symbolizer()
    for claim in checked().claims:
        script = generate(claim, symbolizer).script
        found = open_session("z3", script.prelude, BUDGETS["z3"]).check(script.selectors)
        expected = expectation(claim.expects, None)
        proved = (found == "sat") == (claim.kind == "witness")
        if proved != (expected is None or expected.verdict == "proved"):
            return True
    return False


COMPARISONS: dict[str, Callable[[], bool]] = {
    "reference MMU": random_cases_differ,
    "tables": some_row_fails,
    "claims": some_claim_fails,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_comparison_catches_a_mistake_planted_in_the_specifications(
    mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with planted(mistake):
        caught = [name for name, catches in COMPARISONS.items() if catches()]
    with capsys.disabled():
        print(f"\nplanted in the specifications, {mistake}: caught by {', '.join(caught)}")
    assert caught == list(COMPARISONS)
    assert len(caught) >= 2


def test_no_comparison_catches_anything_in_a_copy_without_a_mistake() -> None:
    with planted(""):
        assert [name for name, catches in COMPARISONS.items() if catches()] == []
