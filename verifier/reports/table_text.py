"""A decoded table for a terminal, and for a mail.

In: a table; for a mail, what it was computed from. Out: text.
Guarantee: the same table gives the same bytes; colour only if asked for. A mail has at most 72 columns, unless a single
word is wider, and a command that repeats it.
Trusted: no, checked by golden tables and tests/unit/verifier/reports.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from verifier.reports.grids import grid_lines
from verifier.reports.plain import MAIL_WIDTH, printable, wrapped
from verifier.reports.text import WIDTH
from verifier.tables.table import Cell, Grid, Provenance, Section, Table

HEADING, CONTINUED = 16, " \\"
BOLD, RED, PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"
ALARM = "CONFLICT"
"""How a note begins that a reader must not miss."""


def render_table(table: Table, colour: bool) -> str:
    """The table for a terminal."""
    lines = [_coloured(sentence(table.title), BOLD, colour)]
    for section in table.sections:
        lines += ["", *_section(section, WIDTH, colour)]
    return "\n".join(lines) + "\n"


def render_table_mail(table: Table, provenance: Provenance) -> str:
    """The table for a mail, below what it was computed from."""
    lines = [*wrapped(f"slat {table.command} {table.name}: {table.title}", MAIL_WIDTH, 0), ""]
    lines += _fact("Specifications", provenance.specifications, HEADING, MAIL_WIDTH)
    for name, text in (*provenance.further, ("Tool", provenance.tool)):
        lines += _fact(name, text, HEADING, MAIL_WIDTH)
    lines += _command(provenance.command)
    for section in table.sections:
        lines += ["", *_section(section, MAIL_WIDTH, False)]
    return "\n".join(lines) + "\n"


def _command(command: str) -> Iterator[str]:
    """The command beside its name; a shell joins its lines again."""
    room = MAIL_WIDTH - HEADING - len(CONTINUED)
    *first, last = textwrap.wrap(command, room, break_on_hyphens=False, break_long_words=False)
    for number, line in enumerate([*(line + CONTINUED for line in first), last]):
        yield f"{'' if number else 'Reproduce':<{HEADING}}{line}"


def shown(cell: Cell) -> str:
    """A cell as one line of text; an empty list is a dash."""
    return printable((" ".join(cell) or "-") if isinstance(cell, tuple) else str(cell))


def sentence(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]


def _section(section: Section, width: int, colour: bool) -> Iterator[str]:
    """A section's title, facts, grids and notes."""
    yield from (_coloured(line, BOLD, colour) for line in wrapped(printable(section.title), width, 0))
    column = max((len(name) for name, _ in section.facts), default=0) + 4
    for name, text in section.facts:
        yield from _fact(f"  {name}", printable(text), column, width)
    for grid in section.grids:
        yield from ("", *wrapped(grid.title, width, 0), "")
        yield from _grid(grid, width)
    if section.notes:
        yield ""
    for note in section.notes:
        colours = RED if note.startswith(ALARM) else ""
        yield from (_coloured(line, colours, colour) for line in wrapped(printable(note), width, 0, 2))


def _grid(grid: Grid, width: int) -> Iterator[str]:
    rows = [[shown(cell) for cell in row] for row in grid.rows]
    return (f"  {line}".rstrip() for line in grid_lines(grid.columns, rows, width - 2))


def _fact(name: str, text: str, column: int, width: int) -> Iterator[str]:
    """A name, and its text in the column beside it."""
    first, *rest = textwrap.wrap(text, width - column, break_on_hyphens=False) or [""]
    yield f"{name:<{column}}{first}".rstrip()
    yield from (" " * column + line for line in rest)


def _coloured(text: str, colours: str, wanted: bool) -> str:
    return f"{colours}{text}{PLAIN}" if wanted and colours else text
