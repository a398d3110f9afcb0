"""The pages of series.

In: material. Out: a page for each series, and the list of them.
Guarantee: patches stand in their order; what a series is is said by its own list, and nothing else.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.names.series import Series, Version
from verifier.obligations.result import Result
from verifier.reports.html.claims import claim_place
from verifier.reports.html.material import Material, Page
from verifier.reports.html.places import SERIES, example_page, series_page, source_page
from verifier.reports.html.sources import Link
from verifier.reports.plain import verdict_sentence
from verifier.reports.summary import Summary, standing, summarize


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A patch as its series lists it."""

    number: int
    link: Link
    author: str
    date: str
    message_id: str
    changes: int


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A claim that is not simply proved in a series."""

    claim: Link
    sentence: str
    standing: str
    reason: str
    example: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list; `summary` is None for a series of which nothing was decided."""

    series: Series
    place: str
    written: bool
    summary: Summary | None


def pages(material: Material) -> Iterator[Page]:
    """A page for each series, and their list."""
    catalogue = material.library.catalogue
    for series in catalogue.series.values():
        yield _page(series, material)
    rows = [row(series, material) for series in catalogue.series.values()]
    content = {
        "regular": [one for one in rows if not one.series.known_bad],
        "known_bad": [one for one in rows if one.series.known_bad],
    }
    yield Page(SERIES, "series_list.html", "Series", content)


def row(series: Series, material: Material) -> Row:
    """A series with the counts of its own results."""
    results = _results(series, material)
    written = material.library.catalogue.written == series.name
    return Row(series, series_page(series.name), written, summarize(results) if results else None)


def _results(series: Series, material: Material) -> list[Result]:
    return [result for result in material.results if result.series == Version(series.name).label]


def _page(series: Series, material: Material) -> Page:
    results = _results(series, material)
    content = {
        "row": row(series, material),
        "base": None if series.base is None else Link(series.base, series_page(series.base)),
        "modules": [Link(m.name.text, source_page(m.span.source.name)) for m in series.modules],
        "patches": list(_patches(series)),
        "exceptions": [_exception(result) for result in results if verdict_sentence(result) != "proved"],
    }
    return Page(series_page(series.name), "series.html", f"Series {series.name}", content)


def _patches(series: Series) -> Iterator[PatchRow]:
    for patch in series.patches:
        link = Link(patch.title or patch.tree.name.text, source_page(patch.tree.span.source.name))
        changes = sum(len(amend.changes) for amend in patch.tree.amends)
        yield PatchRow(patch.number, link, patch.author, patch.date, patch.message_id, changes)


def _exception(result: Result) -> Exceptional:
    place = example_page(result) if result.outcome.example is not None else ""
    claim = Link(result.name, claim_place(result))
    return Exceptional(claim, verdict_sentence(result), standing(result), result.reason, place)
