"""A bitfield as a picture.

In: a layout, and perhaps a value of it. Out: a `Drawing`: boxes with their places, and the same in words.
Guarantee: every bit is in exactly one box; what the boxes say, the words say.
Trusted: no, checked by tests/html.

Lengths are in units of the picture, which is `WIDE` wide for 32 bits; bits count from 0, the highest stands left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.core.show import show_value
from verifier.types.kinds import Bool, Layout, LayoutField

ROW = 32
"""Bits side by side."""
WIDE = 704
NARROWEST, WIDEST = 22, 88
"""The width of one bit's box."""
LETTER = 7
"""The width of a letter of a name."""
NUMBERS, BOX, VALUE, GAP = 14, 26, 16, 10
"""Heights: of bit numbers above a row, of a box with a lying name, of a value, and of what is between rows."""


@dataclass(frozen=True, slots=True)
class Box:
    """Bits `high` to `low` of one field in one row; without a name for bits that no field covers.

    `upright` is a name written from bottom to top. `value` is empty if there is none; `is_set` says that it is not 0.
    """

    x: int
    y: int
    width: int
    height: int
    high: int
    low: int
    name: str
    upright: bool
    value: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of `width` by `height` with a title and its content in words."""

    title: str
    words: str
    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring bits of one row with one owner."""

    high: int
    low: int
    field: LayoutField | None

    @property
    def count(self) -> int:
        return self.high - self.low + 1


def draw(layout: Layout, value: int | None = None) -> Drawing:
    """The picture of a layout, or of a value of it."""
    cell = max(NARROWEST, min(WIDEST, WIDE // layout.width))
    boxes: list[Box] = []
    y = 0
    for row in _rows(layout):
        height = _height(row, cell) + (VALUE if value is not None else 0)
        boxes += _boxes(row, cell, (y + NUMBERS, height), value)
        y += NUMBERS + height + GAP
    title = f"Bits {layout.width - 1} to 0 of {layout}" + (f", value {value:#x}" if value is not None else "")
    return Drawing(title, _words(layout, value), cell * min(layout.width, ROW), y - GAP, tuple(boxes))


def _rows(layout: Layout) -> Iterator[list[_Run]]:
    """The rows from the highest bits down, each a list of runs from the left."""
    owners = {bit: field for field in layout.fields for bit in range(field.low, field.high + 1)}
    for top in range(layout.width - 1, -1, -ROW):
        runs: list[_Run] = []
        for bit in range(top, max(top - ROW, -1), -1):
            owner = owners.get(bit)
            if runs and runs[-1].field is owner:
                runs[-1] = _Run(runs[-1].high, bit, owner)
            else:
                runs.append(_Run(bit, bit, owner))
        yield runs


def _is_upright(run: _Run, cell: int) -> bool:
    return run.field is not None and len(run.field.name) * LETTER + 4 > run.count * cell


def _height(row: list[_Run], cell: int) -> int:
    """The height of a row's boxes: the longest upright name, or one line."""
    upright = [len(run.field.name) * LETTER + 12 for run in row if run.field is not None and _is_upright(run, cell)]
    return max([BOX, *upright])


def _boxes(row: list[_Run], cell: int, extent: tuple[int, int], value: int | None) -> Iterator[Box]:
    """The boxes of a row at `extent`, which is its top and its height."""
    top = row[0].high
    for run in row:
        shown, is_set = _shown(run, value)
        yield Box(
            (top - run.high) * cell, extent[0], run.count * cell, extent[1], run.high, run.low,
            run.field.name if run.field is not None else "", _is_upright(run, cell), shown, is_set,
        )  # fmt: skip


def _shown(run: _Run, value: int | None) -> tuple[str, bool]:
    """The value of the bits in this box, a number where they are only a part of a field or of none."""
    if value is None:
        return "", False
    part = (value >> run.low) & ((1 << run.count) - 1)
    if run.field is None:
        return (f"{part:#x}" if part else ""), part != 0
    if isinstance(run.field.kind, Bool):
        return str(part), part != 0
    whole = run.field.high - run.field.low + 1 == run.count
    return (show_value(part, run.field.kind) if whole else f"{part:#x}"), part != 0


def _words(layout: Layout, value: int | None) -> str:
    said = [_field(field, value) for field in sorted(layout.fields, key=lambda field: -field.high)]
    free = [_bits(run) for row in _rows(layout) for run in row if run.field is None]
    if free:
        said.append(f"without a name: {', '.join(free)}")
    return "; ".join(said) + "."


def _field(field: LayoutField, value: int | None) -> str:
    named = f"{field.name} {_bits(field)}"
    if value is None:
        return named
    part = (value & field.mask) >> field.low
    return f"{named} = {part if isinstance(field.kind, Bool) else show_value(part, field.kind)}"


def _bits(run: _Run | LayoutField) -> str:
    return f"{run.high}" if run.high == run.low else f"{run.high}:{run.low}"
