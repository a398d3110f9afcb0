"""Counts over results, and the exit code that they mean.

In: results. Out: `Summary`.
Guarantee: a claim counts as expected only if its verdict is the expected one and it is not vacuous.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from verifier.obligations.result import Result

Standing = Literal["pass", "fail", "open", "skip"]
"""What a test framework makes of a result: `open` is what a budget left undecided, `skip` what is not modelled."""


@dataclass(frozen=True, slots=True)
class Summary:
    """`proved` and `refuted` count invariants and witnesses alike; `reachable` the witnesses among the proved.

    A claim counts once for each series in which it is decided.
    """

    claims: int
    proved: int
    refuted: int
    unknown: int
    not_as_expected: int
    vacuous: int
    reachable: int
    not_modelled: int


def summarize(results: list[Result]) -> Summary:
    """The counts of `results`."""

    def count(verdict: str) -> int:
        return sum(r.outcome.verdict == verdict for r in results)

    return Summary(
        len(results),
        count("proved"),
        count("refuted"),
        count("unknown"),
        sum(not r.as_expected for r in results),
        sum(r.outcome.vacuous is not None for r in results),
        sum(r.kind == "witness" and r.outcome.verdict == "proved" for r in results),
        count("not_modelled"),
    )


def standing(result: Result) -> Standing:
    """A verdict that is the expected one is a pass, a refutation too; one that is unknown never is."""
    if result.outcome.verdict == "unknown":
        return "open"
    if not result.as_expected:
        return "fail"
    return "skip" if result.outcome.verdict == "not_modelled" else "pass"


def exit_code(results: list[Result]) -> int:
    """1 if a verdict is not the expected one or a claim is vacuous, 3 if one is unknown, else 0."""
    found = {standing(result) for result in results}
    return 1 if "fail" in found else 3 if "open" in found else 0
