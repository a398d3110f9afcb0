"""The page of manuals: every section that is cited, and by what.

In: material. Out: one page.
Guarantee: every listed section is on it, those that nothing cites too.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.names.manuals import Manual, Section
from verifier.names.resolve import cites_of
from verifier.reports.html.crossref import cite_place, place_of
from verifier.reports.html.material import Material, Page
from verifier.reports.html.places import MANUALS, section_place
from verifier.reports.html.sources import Link
from verifier.syntax import tree


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section with what cites it in `specs/` and `proofs/`, and in how many declarations of series."""

    section: Section
    place: str
    citing: tuple[Link, ...]
    in_series: int


def pages(material: Material) -> Iterator[Page]:
    """The page of manuals."""
    citing, in_series = _citing(material)
    manuals = [(manual, list(_rows(manual, citing, in_series))) for manual in material.library.manuals.values()]
    yield Page(MANUALS, "manuals.html", "Manuals", {"manuals": manuals})


def _rows(manual: Manual, citing: dict[str, list[Link]], in_series: dict[str, int]) -> Iterator[SectionRow]:
    for position, section in enumerate(manual.sections.values()):
        place = section_place(manual.name, position, section.title)
        yield SectionRow(section, place, tuple(citing.get(place, ())), in_series.get(place, 0))


def _citing(material: Material) -> tuple[dict[str, list[Link]], dict[str, int]]:
    """By the place of a section: the declarations that cite it, and how many of series do."""
    citing: dict[str, list[Link]] = {}
    in_series: dict[str, int] = {}
    for file in material.files:
        for entry in file.entries:
            cites: tuple[tree.Cite, ...] = () if entry.decl is None else cites_of(entry.decl)
            for place in dict.fromkeys(cite_place(material.library.manuals, cite) for cite in cites):
                if file.series is None:
                    citing.setdefault(place, []).append(Link(entry.qualified, place_of(file, entry)))
                else:
                    in_series[place] = in_series.get(place, 0) + 1
    return citing, in_series
