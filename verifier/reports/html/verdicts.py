"""The verdicts of a claim.

In: its results, one for each version in which it was decided. Out: `ClaimView`, what a page shows of them.
Guarantee: nothing is shown of a verdict but what its result says.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verifier.obligations.result import Result
from verifier.reports.html.material import CiteLink, Material
from verifier.reports.html.places import example_page
from verifier.reports.plain import verdict_sentence
from verifier.reports.summary import standing


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict in one version, or in every one if `series` is empty. `standing` is that of its result.

    `example` is the page of its counterexample or example, or empty.
    """

    series: str
    sentence: str
    standing: str
    reason: str
    vacuous: str
    solvers: str
    example: str


@dataclass(frozen=True, slots=True)
class Core:
    """What the verdicts in some versions rest on: assumptions, and definitions with their places."""

    series: str
    assumptions: tuple[str, ...]
    definitions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with all of its verdicts."""

    kind: str
    name: str
    ids: tuple[str, ...]
    statement: str
    cites: tuple[CiteLink, ...]
    verdicts: tuple[Verdict, ...]
    cores: tuple[Core, ...]


def view(results: Sequence[Result], material: Material) -> ClaimView:
    """What a page shows of a claim; `results` are all of it, at least one."""
    one = results[0]
    return ClaimView(
        one.kind,
        one.name,
        one.ids,
        one.statement,
        tuple(material.cite(cite) for cite in one.citations),
        tuple(_verdict(result) for result in results),
        tuple(_cores(results, material)),
    )


def _verdict(result: Result) -> Verdict:
    outcome = result.outcome
    tells = outcome.verdict in ("refuted", "not_modelled")
    return Verdict(
        result.series or "",
        verdict_sentence(result),
        standing(result),
        result.reason if tells else "",
        outcome.vacuous or "",
        ", ".join(outcome.solvers),
        example_page(result) if outcome.example is not None else "",
    )


def _cores(results: Sequence[Result], material: Material) -> Iterator[Core]:
    """Versions whose cores are the same share one."""
    shared: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for result in results:
        if result.outcome.core:
            core = tuple((name, material.definition(name, result.series)) for name in result.outcome.core)
            shared.setdefault(core, []).append(result.series or "")
    for core, labels in shared.items():
        assumptions = tuple(name.removeprefix("assume ") for name, _ in core if name.startswith("assume "))
        definitions = tuple((name, place) for name, place in core if not name.startswith("assume "))
        yield Core(", ".join(labels), assumptions, definitions)


def in_short(results: Sequence[Result]) -> list[tuple[str, str, str]]:
    """Each sentence with its standing and the series in which it holds, which may be empty."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        found.setdefault((verdict_sentence(result), standing(result)), []).append(result.series or "")
    return [(sentence, stands, ", ".join(filter(None, labels))) for (sentence, stands), labels in found.items()]
