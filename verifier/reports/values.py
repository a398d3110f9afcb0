"""The inputs of an example, as a reader wants them.

In: the values of an example. Out: lines of a name and a value, wrapped to a width.
Guarantee: every input that matters is shown, and that there are others is said; the truth values of one record share an
entry, the true ones first.
Trusted: no, checked by golden reports and tests/unit/verifier/reports.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.obligations.result import Example, Shown


@dataclass(frozen=True, slots=True)
class Columns:
    """Where names begin, where values begin, and where lines end."""

    name: int
    value: int
    width: int


MOST_ASSUMED = 8
"""More entries than these say little of a counterexample."""


def replay_words(example: Example) -> str:
    """Which machines confirm an example, and which do not."""
    said = f"replayed on the {' and the '.join(example.replayed)}"
    return "".join([said, *(f", contradicted by the {name}" for name in example.contradicted_by)])


def value_lines(example: Example, columns: Columns) -> Iterator[str]:
    """What matters, what makes the assumptions hold, and a line for the rest if there is one."""
    shown = [value for value in example.values if value.matters]
    for name, texts in entries(shown):
        yield from entry(name, texts, columns)
    assumed = list(entries([value for value in example.values if value.assumed]))
    if assumed:
        yield " " * columns.name + "and, so that the assumptions hold"
    for name, texts in assumed[:MOST_ASSUMED]:
        yield from entry(name, texts, columns)
    if len(assumed) > MOST_ASSUMED:
        yield from entry("…", [f"{len(assumed) - MOST_ASSUMED} more, which --json lists"], columns)
    if any(not (value.matters or value.assumed) for value in example.values):
        yield from entry("anything else", ["does not matter"], columns)


def entries(shown: list[Shown]) -> Iterator[tuple[str, list[str]]]:
    """Names with what stands beside them; a record stands where its first truth value does."""
    flags: dict[str, list[Shown]] = {}
    for value in shown:
        if record := _record(value):
            flags.setdefault(record, []).append(value)
    for value in shown:
        together = flags.get(_record(value), [])
        if len(together) < 2:
            yield value.name, [value.value]
        elif value is together[0]:
            yield _record(value), list(_flags(together))


def _record(value: Shown) -> str:
    """The record that holds a truth value; empty for what is none or in none."""
    return value.name.rpartition(".")[0] if value.raw in ("true", "false") else ""


def _flags(values: list[Shown]) -> Iterator[str]:
    for wanted, word in (("true", ""), ("false", "without ")):
        if names := [value.name.rpartition(".")[2] for value in values if value.raw == wanted]:
            yield word + " ".join(names)


def entry(name: str, texts: list[str], columns: Columns) -> Iterator[str]:
    """The name, and each text on lines of its own; what has no room beside a long name stands below it."""
    room = columns.width - columns.value
    lines = [line for text in texts for line in textwrap.wrap(text, room, break_on_hyphens=False) or [""]]
    head = " " * columns.name + name
    if len(head) < columns.value or len(head) + len(lines[0]) < columns.width:
        yield f"{head:<{columns.value - 1}} {lines.pop(0)}".rstrip()
    else:
        yield from textwrap.wrap(head, columns.width, subsequent_indent=" " * columns.name, break_on_hyphens=False)
    for line in lines:
        yield " " * columns.value + line
