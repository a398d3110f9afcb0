"""A decoded table, whatever the format in which it will be written.

In: nothing. Out: `Table`: sections with facts, grids and notes.
Guarantee: cells are texts, numbers or lists of texts; the columns of a grid have different names.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows under columns; `key` is its name for programs."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Facts (a name and a text), grids and notes about one subject."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a table was computed from, and the command that does it again; `further` are facts by name."""

    specifications: str
    tool: str
    command: str
    further: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is the word of the command line (`permissions`, `layout`, …), or the versions that `command` compares."""

    name: str
    title: str
    sections: tuple[Section, ...]
    command: str = "table"
