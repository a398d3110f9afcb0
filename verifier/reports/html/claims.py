"""The list of all claims.

In: material. Out: one page.
Guarantee: every claim that was decided is on it, once, with all of its verdicts.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from verifier.obligations.result import Result
from verifier.reports.by_claim import by_claim
from verifier.reports.html.material import Material, Page
from verifier.reports.html.places import CLAIMS, source_page
from verifier.reports.html.verdicts import in_short


@dataclass(frozen=True, slots=True)
class Row:
    """A claim: its sentence, and its verdicts as `in_short` gives them."""

    ids: tuple[str, ...]
    name: str
    place: str
    statement: str
    verdicts: list[tuple[str, str, str]]


def pages(material: Material) -> Iterator[Page]:
    """The page of claims, a table for each file."""
    rows = [(results[0], _row(results)) for results in by_claim(material.results).values()]
    tables = [
        (file, source_page(file), [row for _, row in group]) for file, group in groupby(rows, key=lambda r: r[0].file)
    ]
    yield Page(CLAIMS, "claims.html", "Claims", {"tables": tables})


def claim_place(result: Result) -> str:
    """The place of a claim."""
    return f"{source_page(result.file)}#{result.name}"


def _row(results: list[Result]) -> Row:
    one = results[0]
    return Row(one.ids, one.name, claim_place(one), one.statement, in_short(results))
