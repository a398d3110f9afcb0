"""What a run means: counts and the exit code."""

from __future__ import annotations

from itertools import product

import pytest

from verifier.obligations.result import Outcome, Result
from verifier.reports.summary import exit_code, standing, summarize


def result(verdict: str, expect: str = "proved", vacuous: str | None = None, kind: str = "invariant") -> Result:
    outcome = Outcome(verdict, vacuous, (), None, ("z3",), 1, 1)
    return Result(kind, "c", (), "m", "m.slat", 1, "A claim.", None, expect, "", (), outcome)


GOOD = result("proved")
REFUTED_AS_EXPECTED = result("refuted", "refuted")
WRONG = result("refuted")
VACUOUS = result("proved", vacuous="assume_unsatisfiable")
UNNEEDED = result("proved", vacuous="unneeded: x")
UNKNOWN = result("unknown")
UNREACHABLE = result("refuted", kind="witness")

ALONE = [
    (GOOD, 0), (REFUTED_AS_EXPECTED, 0), (WRONG, 1), (VACUOUS, 1), (UNNEEDED, 1), (UNREACHABLE, 1),
    (result("proved", "refuted"), 1), (UNKNOWN, 3), (result("unknown", "refuted"), 3),
]  # fmt: skip


@pytest.mark.parametrize(("one", "code"), ALONE)
def test_one_result_has_this_exit_code(one: Result, code: int):
    assert exit_code([one]) == code
    assert exit_code([GOOD, one, REFUTED_AS_EXPECTED]) == code


def test_a_wrong_verdict_outranks_an_open_one_and_that_outranks_a_good_one():
    rank = [0, 3, 1]
    for (first, a), (second, b) in product(ALONE, repeat=2):
        assert exit_code([first, second]) == max(a, b, key=rank.index)


def test_no_claims_are_no_failure():
    assert exit_code([]) == 0


def test_the_counts_add_up():
    found = summarize([GOOD, REFUTED_AS_EXPECTED, WRONG, VACUOUS, UNKNOWN, UNREACHABLE])
    assert (found.claims, found.proved, found.refuted, found.unknown) == (6, 2, 3, 1)
    assert (found.not_as_expected, found.vacuous) == (4, 1)


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (GOOD, "pass"),
        (REFUTED_AS_EXPECTED, "pass"),
        (result("not_modelled", "not_modelled"), "skip"),
        (result("not_modelled"), "fail"),
        (WRONG, "fail"),
        (VACUOUS, "fail"),
        (UNREACHABLE, "fail"),
        (UNKNOWN, "open"),
    ],
)
def test_a_test_framework_hears_what_the_exit_code_says(one: Result, kind: str):
    assert standing(one) == kind
    assert exit_code([one]) == {"pass": 0, "skip": 0, "fail": 1, "open": 3}[kind]
