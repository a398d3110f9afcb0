"""Positions of bits.

In: masks, and what each bit is. Out: ranges from the top down, and their names (`63`, `51:12`).
Guarantee: every bit is in exactly one range.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from verifier.types.kinds import Layout, LayoutField


def ranges(width: int, what: Callable[[int], object]) -> Iterator[tuple[int, int]]:
    """The longest runs of bits (highest, lowest) of which `what` says the same, from the top down."""
    for _, run in groupby(range(width - 1, -1, -1), key=what):
        positions = list(run)
        yield positions[0], positions[-1]


def owner(layout: Layout, bit: int) -> LayoutField | None:
    """The field that holds a bit."""
    return next((field for field in layout.fields if field.mask >> bit & 1), None)


def position(high: int, low: int) -> str:
    """A range as a specification writes it, without the brackets."""
    return str(high) if high == low else f"{high}:{low}"


def positions(mask: int) -> tuple[str, ...]:
    """The ranges of the set bits."""
    runs = ranges(mask.bit_length(), lambda bit: mask >> bit & 1)
    return tuple(position(high, low) for high, low in runs if mask >> low & 1)
