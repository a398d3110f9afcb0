"""What differs between two versions, as a decoded table: for terminals, mails and Markdown.

In: a `Diff`. Out: a `Table`.
Guarantee: every cell of every decision is there, and an example for each way in which one differs.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from verifier.diff import model
from verifier.diff.model import Change, Decided, Diff, Reached
from verifier.obligations.result import Example
from verifier.reports.values import entries, replay_words
from verifier.tables.table import Cell, Grid, Section, Table

ABSENT = "-"
MOST_NAMED = 3
"""A claim may rest on hundreds of definitions that differ: so many are named."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An example with its number: `title` says of which cells and which way round."""

    title: str
    example: Example


def table(diff: Diff) -> Table:
    """The sections: counts, definitions, claims, and each decision with its examples."""
    sections = [_summary(diff)]
    if diff.changes:
        sections += [_definitions(diff), _claims(diff)]
    for decided in diff.decisions:
        sections += _decision(diff, decided)
    return Table(f"{diff.left} {diff.right}", f"what changes from A = {diff.left} to B = {diff.right}", tuple(sections))


def counts(diff: Diff) -> str:
    """How many cells have which verdict."""
    found = Counter(cell.verdict for decided in diff.decisions for cell in decided.cells)
    return ", ".join(f"{found[verdict]} {verdict}" for verdict in model.VERDICTS if found[verdict]) or "none"


def _summary(diff: Diff) -> Section:
    facts = [("definitions", _changed(diff.changes)), ("claims", f"{len(diff.reached)} rest on what differs")]
    return Section("In short", (*facts, ("cells", counts(diff))))


def _changed(changes: Iterable[Change]) -> str:
    found = Counter(change.kind for change in changes)
    return ", ".join(f"{number} {kind}" for kind, number in found.items()) or "none differs"


def _definitions(diff: Diff) -> Section:
    rows = [
        (f"{c.module}.{c.name}", f"{c.what} {c.kind}", c.left or ABSENT, c.right or ABSENT)
        for c in diff.changes
    ]  # fmt: skip
    columns = ("definition", "change", "in A", "in B")
    return Section("Definitions that differ", grids=(Grid("definitions", "", columns, tuple(rows)),))


def _claims(diff: Diff) -> Section:
    rows = [(" ".join(r.ids), f"{r.module}.{r.name}", _named(r)) for r in diff.reached]
    return Section("Claims that rest on them", grids=(Grid("claims", "", ("id", "claim", "through"), tuple(rows)),))


def _named(reached: Reached) -> str:
    words = [name.rsplit(".", 1)[-1] for name in reached.by[:MOST_NAMED]]
    more = len(reached.by) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _decision(diff: Diff, decided: Decided) -> Iterator[Section]:
    """The grid of cells, and a section for each example."""
    examples = list(_examples(diff, decided))
    numbers = {title: number for number, (title, _) in enumerate(examples, start=1)}
    del numbers
    yield Section(
        f"Decision: {decided.name}",
        (("compares", decided.statement), ("written in", decided.place)),
        (_cells(decided),),
        tuple(dict.fromkeys(cell.reason for cell in decided.cells if cell.reason)),
    )
    for title, example in examples:
        yield _example(title, example)


def _cells(decided: Decided) -> Grid:
    """A row for each clause of the first two axes, a column for each of the last."""
    last = tuple(dict.fromkeys(cell.coordinates[-1] for cell in decided.cells))
    rows: list[tuple[Cell, ...]] = []
    for head, group in groupby(decided.cells, key=lambda cell: cell.coordinates[:-1]):
        rows.append((*map(_words, head), *(cell.verdict for cell in group)))
    columns = (*(axis.name for axis in decided.axes[:-1]), *map(_words, last))
    return Grid(
        "cells", f"How B compares with A: {', '.join(axis.name for axis in decided.axes)}", columns, tuple(rows)
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _examples(diff: Diff, decided: Decided) -> Iterator[tuple[str, Example]]:
    for cell in decided.cells:
        for word, example in (("only A has it", cell.loses), ("only B has it", cell.gains)):
            if example is not None:
                yield f"{decided.name}.{cell.name}: {word}", example


def _example(title: str, example: Example) -> Section:
    facts = [(name, " ".join(texts)) for name, texts in entries([v for v in example.values if v.matters])]
    reasons = [("  " * b.depth + b.text, b.value, b.place) for b in example.because]
    grid = Grid("because", "Because:", ("what", "value", "where"), tuple(reasons))
    return Section(title, tuple(facts), (grid,) if reasons else (), (f"Minimal; {replay_words(example)}.",))
