"""The pages of what differs between two versions.

In: material. Out: a page for each pair of versions that were compared, and the list of them.
Guarantee: every cell of every decision is there; definitions and claims lead to where they are written.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from verifier.diff.model import DIFFERENT, Change, Decided, Diff, Reached
from verifier.reports.diff_table import decision_sections, summary
from verifier.reports.html.material import Material, Page, place_named
from verifier.reports.html.places import DIFFERENCES, difference_page
from verifier.reports.html.sources import Link
from verifier.tables.table import Section


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A definition that differs, with how many claims rest on it."""

    change: Change
    left: str
    right: str
    claims: int


@dataclass(frozen=True, slots=True)
class DecisionPart:
    """A decision: its table of cells, and its examples."""

    decided: Decided
    place: str
    differs: bool
    table: Section
    examples: tuple[Section, ...]


def pages(material: Material) -> Iterator[Page]:
    """A page for each pair of versions, and their list."""
    for diff in material.diffs:
        content = {
            "facts": list(summary(diff)),
            "diff": diff,
            "changes": list(_changes(diff)),
            "claims": [(module, list(map(_link, group))) for module, group in groupby(diff.reached, _module)],
            "decisions": [_part(diff, decided) for decided in diff.decisions],
            "different": DIFFERENT,
        }
        yield Page(difference_page(diff.left, diff.right), "difference.html", title(diff), content)
    rows = [(Link(title(diff), difference_page(diff.left, diff.right)), list(summary(diff))) for diff in material.diffs]
    yield Page(DIFFERENCES, "differences.html", "Differences", {"rows": rows})


def title(diff: Diff) -> str:
    """What the page of a comparison is called."""
    return f"From {diff.left} to {diff.right}"


def _module(reached: Reached) -> str:
    return reached.module


def _link(reached: Reached) -> tuple[Link, str]:
    """A claim with its place, and its theorem ids."""
    return Link(reached.name, place_named(reached.place)), " ".join(reached.ids)


def _changes(diff: Diff) -> Iterator[ChangeRow]:
    claims = Counter(name for reached in diff.reached for name in reached.by)
    for change in diff.changes:
        left, right = (place_named(place) if place else "" for place in (change.left, change.right))
        yield ChangeRow(change, left, right, claims[change.qualified])


def _part(diff: Diff, decided: Decided) -> DecisionPart:
    cells, *examples = decision_sections(diff, decided)
    differs = any(cell.verdict in DIFFERENT for cell in decided.cells)
    return DecisionPart(decided, place_named(decided.place), differs, cells, tuple(examples))
