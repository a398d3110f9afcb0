"""The first page: what was verified, with what, and what came of it; and the list of specifications.

In: material. Out: two pages.
Guarantee: counts are those of the results; a verdict that is not the expected one is named.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from verifier.obligations.result import Result
from verifier.reports.by_claim import by_claim
from verifier.reports.html.claims import claim_place
from verifier.reports.html.files import File
from verifier.reports.html.material import Material, Page
from verifier.reports.html.places import OVERVIEW, SPECIFICATIONS, source_page
from verifier.reports.html.series import row
from verifier.reports.html.sources import Link, title_of
from verifier.reports.html.verdicts import in_short
from verifier.reports.run import facts, series_of
from verifier.reports.summary import Summary, summarize
from verifier.reports.text import closing


@dataclass(frozen=True, slots=True)
class Theme:
    """The claims of a folder: how many there are, and the counts of their verdicts."""

    folder: str
    claims: int
    summary: Summary


def pages(material: Material) -> Iterator[Page]:
    """The first page, and the list of specifications."""
    results = material.results
    summary = summarize(results)
    series = material.library.catalogue.series.values()
    content = {
        "facts": facts(results, material.run) | {"series": _series(material)},
        "closing": closing(summary),
        "summary": summary,
        "themes": list(_themes(results)),
        "series": [row(one, material) for one in series if not one.known_bad],
        "architecture": summarize([result for result in results if result.series is None]),
        "unexpected": [
            (Link(found[0].name, claim_place(found[0])), in_short(found))
            for found in by_claim([result for result in results if not result.as_expected]).values()
        ],
    }
    yield Page(OVERVIEW, "overview.html", "What was verified", content)
    yield Page(SPECIFICATIONS, "specifications.html", "Specifications", {"folders": list(_folders(material))})


def _series(material: Material) -> str:
    """The series that were decided by name, known-bad versions by their number."""
    catalogue = material.library.catalogue.series
    decided = series_of(material.results)
    regular = [name for name in decided if name not in catalogue or not catalogue[name].known_bad]
    bad = len(decided) - len(regular)
    return ", ".join(regular) + (f", and {bad} known-bad version{'s' * (bad != 1)}" if bad else "")


def _themes(results: list[Result]) -> Iterator[Theme]:
    for folder, group in groupby(results, key=lambda result: str(PurePosixPath(result.file).parent)):
        found = list(group)
        claims = len({(result.module, result.name) for result in found})
        yield Theme(folder, claims, summarize(found))


def _folders(material: Material) -> Iterator[tuple[str, list[tuple[Link, str, int]]]]:
    """The folders of `specs/` without those of series: each module with its first words and its declarations."""
    files = [file for file in material.files if file.series is None and file.source.name.startswith("specs/")]
    for folder, group in groupby(files, key=lambda file: str(PurePosixPath(file.source.name).parent)):
        yield folder, [(_link(file), opening(file), len(file.entries)) for file in group]


def _link(file: File) -> Link:
    return Link(title_of(file), source_page(file.source.name))


def opening(file: File) -> str:
    """The first sentence of the comment with which a file opens."""
    words: list[str] = []
    for line in file.source.text.split("\n"):
        if not line.startswith("//") or not line.strip("/ "):
            break
        words.append(line.strip("/ "))
    first, mark, _ = " ".join(words).partition(". ")
    return first + mark.strip()
