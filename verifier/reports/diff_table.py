"""What differs between two versions, as a decoded table: for terminals, mails, Markdown and pages.

In: a `Diff`. Out: a `Table`.
Guarantee: every cell of every decision is there, with the number of an example for each way in which it differs; cells
that have the same example share it.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from verifier.diff import model
from verifier.diff.model import Cell as Compared
from verifier.diff.model import Change, Decided, Diff, Instance, Reached, Said
from verifier.obligations.result import Shown
from verifier.reports.kvm_words import LAYOUTS, in_macros
from verifier.reports.values import entries
from verifier.tables.table import Cell, Grid, Section, Table

CLEAR = ("false", "0x0")
MOST_REASONS = 3


@dataclass(slots=True)
class Numbered:
    """An example with its number in a decision; `cells` are those that it stands for."""

    number: int
    word: str
    instance: Instance
    cells: list[str] = field(default_factory=list[str])


def table(diff: Diff) -> Table:
    """The sections: counts, definitions, claims, and each decision with its examples."""
    sections = [Section("In short", tuple(summary(diff)))]
    if diff.changes:
        sections += [_definitions(diff), _claims(diff.reached)]
    for decided in diff.decisions:
        sections += decision_sections(diff, decided)
    title = f"what changes from A = {diff.left} to B = {diff.right}"
    return Table(f"{diff.left} {diff.right}", title, tuple(sections), "diff")


def summary(diff: Diff) -> Iterator[tuple[str, str]]:
    """What can be said in a few lines."""
    changed = Counter(change.kind for change in diff.changes)
    yield "definitions", ", ".join(f"{number} {kind}" for kind, number in changed.items()) or "none differs"
    yield "claims", f"{len(diff.reached)} rest on a definition that differs"
    found = Counter(cell.verdict for decided in diff.decisions for cell in decided.cells)
    yield "cells", ", ".join(f"{found[v]} {v}" for v in model.VERDICTS if found[v]) or "there is no decision to compare"
    if any(cell.loses or cell.gains for decided in diff.decisions for cell in decided.cells):
        yield "examples", "as small as possible; replayed on the interpreter for both versions"
    beyond = sorted({c.qualified for c in diff.changes} - {name for d in diff.decisions for name in d.rests_on})
    if beyond:
        is_or_are = "is" if len(beyond) == 1 else "are"
        yield (
            "beyond cells",
            f"{len(beyond)} of the definitions {is_or_are} part of no decision: only claims say what they change",
        )


def _definitions(diff: Diff) -> Section:
    """A paragraph for each: what it is, how many claims it concerns, and its places."""
    claims = Counter(name for reached in diff.reached for name in reached.by)
    return Section("Definitions that differ", notes=tuple(_change(c, claims[c.qualified]) for c in diff.changes))


def _change(change: Change, claims: int) -> str:
    concerned = "no claim rests on it" if not claims else f"{claims} claim{'s rest' if claims > 1 else ' rests'} on it"
    places = " ".join(place for place in (change.left, "->", change.right) if place)
    return f"{change.what} {change.qualified}: {change.kind}; {concerned}; {places}"


def _claims(reached: Sequence[Reached]) -> Section:
    """A paragraph for each module: what `slat prove` should look at again."""
    groups = groupby(reached, key=lambda r: r.module)
    notes = tuple(f"{module}: {', '.join(_claim(one) for one in group)}" for module, group in groups)
    return Section("Claims that rest on them", notes=notes)


def _claim(reached: Reached) -> str:
    return f"{reached.name} ({' '.join(reached.ids)})" if reached.ids else reached.name


def decision_sections(diff: Diff, decided: Decided) -> Iterator[Section]:
    """The grid of cells, and a section for each example."""
    examples = list(numbered(decided))
    facts = [("compared", decided.statement), *((axis.name, axis.doc) for axis in decided.axes if axis.doc)]
    reasons = tuple(dict.fromkeys(f"{cell.reason}." for cell in decided.cells if cell.reason))
    yield Section(
        f"Decision: {decided.name}", (*facts, ("written in", decided.place)), (_cells(decided, examples),), reasons
    )
    for example in examples:
        yield _example(diff, decided, example)


def _cells(decided: Decided, examples: Iterable[Numbered]) -> Grid:
    """A row for each clause of the first two axes, a column for each of the last."""
    numbers: dict[str, list[int]] = {}
    for example in examples:
        for name in example.cells:
            numbers.setdefault(name, []).append(example.number)
    rows: list[tuple[Cell, ...]] = []
    for head, group in groupby(decided.cells, key=lambda cell: cell.coordinates[:-1]):
        rows.append((*map(_words, head), *(_verdict(cell, numbers.get(cell.name, [])) for cell in group)))
    last = dict.fromkeys(cell.coordinates[-1] for cell in decided.cells)
    columns = (*(axis.name for axis in decided.axes[:-1]), *map(_words, last))
    title = f"B compared with A, by {', '.join(axis.name for axis in decided.axes[:-1])} and {decided.axes[-1].name}"
    return Grid("cells", title, columns, tuple(rows))


def _verdict(cell: Compared, numbers: list[int]) -> str:
    """The verdict, with the numbers of its examples."""
    return " ".join([cell.verdict, *(f"[{number}]" for number in numbers)])


def _words(name: str) -> str:
    return name.replace("_", " ")


def numbered(decided: Decided) -> Iterable[Numbered]:
    """The examples of a decision; cells for which the same matters, with the same values, share one."""
    found: dict[object, Numbered] = {}
    for cell in decided.cells:
        for word, instance in _instances(decided, cell):
            matters = tuple((value.name, value.value) for value in instance.example.values if value.matters)
            key = (word, matters, tuple(said.value for said in instance.said))
            one = found.setdefault(key, Numbered(len(found) + 1, word, instance))
            one.cells.append(cell.name)
    return found.values()


def _instances(decided: Decided, cell: Compared) -> Iterator[tuple[str, Instance]]:
    """The examples of a cell, each with which way round it is; one that shows both ways stands once."""
    loses, gains = cell.loses, cell.gains
    if loses is not None and (not decided.ordered or (gains is not None and _told(loses) == _told(gains))):
        yield "A and B differ", loses
        return
    if loses is not None:
        yield "A has more than B", loses
    if gains is not None:
        yield "A has less than B", gains


def _told(instance: Instance) -> tuple[tuple[str, str], ...]:
    return tuple((value.name, value.value) for value in _telling(instance.example.values))


def _telling(values: Iterable[Shown]) -> list[Shown]:
    """What matters, and what is set so that the cell is possible."""
    return [v for v in values if v.matters or (v.assumed and v.raw not in CLEAR)]


def _example(diff: Diff, decided: Decided, example: Numbered) -> Section:
    """The inputs, what both versions say of them, and why."""
    head, *others = example.cells
    more = f" and {len(others)} more" if others else ""
    title = f"[{example.number}] {decided.name}.{head}{more}: {example.word}"
    found = example.instance.example
    facts = [(name, " ".join(texts)) for name, texts in entries(_telling(found.values))]
    for letter, label in (("A", diff.left), ("B", diff.right)):
        said = [f"{one.what}: {_said(one)}" for one in example.instance.said if one.label == label]
        facts.append((f"{letter} = {label}", "; ".join(said)))
    reasons = [b for b in found.because if b.place and b.place != decided.place]
    facts += [("because", f"{reason.text} = {reason.value}, {reason.place}") for reason in reasons[:MOST_REASONS]]
    return Section(title, tuple(facts))


def _said(said: Said) -> str:
    """The value in KVM's macros where it has them."""
    return in_macros(said.named) if said.named.kind in LAYOUTS else said.value
