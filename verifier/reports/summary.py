"""Counts over results, and the exit code that they mean.

In: results. Out: `Summary`.
Guarantee: a claim counts as expected only if its verdict is the expected one and it is not vacuous.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.obligations.result import Result


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


def exit_code(results: list[Result]) -> int:
    """1 if a verdict is not the expected one or a claim is vacuous, 3 if one is unknown, else 0."""
    decided = [r for r in results if r.outcome.verdict != "unknown"]
    if any(not r.as_expected and not _is_open(r) for r in decided):
        return 1
    return 3 if len(decided) < len(results) or any(_is_open(r) for r in results) else 0


def _is_open(result: Result) -> bool:
    """Whether a vacuity check ran out of budget."""
    return result.outcome.vacuous is not None and result.outcome.vacuous.startswith("unknown")
