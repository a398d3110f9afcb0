"""Grids of text in the columns of a page.

In: rows of cells under heads, and a width. Out: lines.
Guarantee: no line is wider than the page, unless a single word is. Every cell is shown: columns that have no room stand
in a further grid, beside the first column again, with the rows in which they say something.
Trusted: no, checked by tests/unit/verifier/reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

GAP, PADDING, COMFORT = 2, 2, 12
"""What `tabulate` puts between columns, and beside heads; the width below which a column is no longer narrowed."""

Row = Sequence[str]


def grid_lines(heads: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """The grid, or several if there is no room for all columns."""
    from tabulate import tabulate

    for number, columns in enumerate(_blocks(heads, rows, width)):
        if number:
            yield ""
        widths = [columns[position] for position in columns]
        every = ([row[position] for position in columns] for row in rows)
        shown = [cells for cells in every if not number or any(cells[1:])]
        text = tabulate(
            shown, [heads[position] for position in columns], "simple", disable_numparse=True,
            maxcolwidths=widths, maxheadercolwidths=[width - PADDING for width in widths],
        )  # fmt: skip
        yield from (line.rstrip() for line in text.splitlines())


def _blocks(heads: Row, rows: Sequence[Row], width: int) -> Iterator[dict[int, int]]:
    """For each grid its columns, by position, with their widths."""
    natural = [max([len(head) + PADDING, *(len(row[i]) for row in rows)]) for i, head in enumerate(heads)]
    words = [max([_longest(head) + PADDING, *(_longest(row[i]) for row in rows)]) for i, head in enumerate(heads)]
    least = [max(min(wide, COMFORT), word) for wide, word in zip(natural, words, strict=True)]
    first, *rest = range(len(heads))
    while True:
        block = [first]
        while rest and sum(least[i] for i in [*block, rest[0]]) + GAP * len(block) <= width:
            block.append(rest.pop(0))
        if len(block) == 1 and rest:
            block.append(rest.pop(0))
        yield _widths(block, natural, least, width)
        if not rest:
            return


def _longest(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _widths(block: list[int], natural: list[int], least: list[int], width: int) -> dict[int, int]:
    """The widths of columns: as they are, or the widest ones narrowed until the grid fits."""
    widths = {i: natural[i] for i in block}
    over = sum(widths.values()) + GAP * (len(block) - 1) - width
    while over > 0:
        shrinkable = [i for i in block if widths[i] > least[i]]
        if not shrinkable:
            break
        widths[max(shrinkable, key=lambda i: widths[i])] -= 1
        over -= 1
    return widths
