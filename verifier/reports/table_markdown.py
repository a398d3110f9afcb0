"""A decoded table as Markdown.

In: a table. Out: a document with a heading for each section, and tables as GitHub has them.
Guarantee: no character of a cell is taken for markup.
Trusted: no, checked by golden tables and tests/unit/verifier/reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.reports.markdown import escaped
from verifier.reports.table_text import sentence, shown
from verifier.tables.table import Cell, Grid, Section, Table


def render_table_markdown(table: Table) -> str:
    """The document."""
    parts = [f"# {_plain(sentence(table.title))}", *(part for section in table.sections for part in _section(section))]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {_plain(section.title)}"
    if section.facts:
        yield "\n".join(f"- {_plain(name)}: {_plain(text)}" for name, text in section.facts)
    for grid in section.grids:
        yield f"{_plain(grid.title)}:"
        yield _grid(grid)
    yield from (_plain(note) for note in section.notes)


def _grid(grid: Grid) -> str:
    from tabulate import tabulate

    rows = [[_plain(cell) for cell in row] for row in grid.rows]
    return tabulate(rows, list(map(_plain, grid.columns)), "github", disable_numparse=True)


def _plain(cell: Cell) -> str:
    return escaped(shown(cell))
