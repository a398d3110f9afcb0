"""The types of the language.

In: declarations. Out: one object per type; two types are the same exactly if they are the same object.
Guarantee: `bits` and `list_of` hand out one object per width and per element and bounds.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from verifier.source import Span


@dataclass(frozen=True, slots=True, eq=False)
class Bool:
    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True, eq=False)
class Bits:
    """A number of `width` bits; bit 0 is the least significant."""

    width: int

    def __str__(self) -> str:
        return f"bits({self.width})"


@dataclass(frozen=True, slots=True, eq=False)
class Enum:
    """Named numbers of `width` bits; members in the order of their declaration."""

    name: str
    width: int
    members: tuple[tuple[str, int], ...]
    span: Span

    def __str__(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def total(self) -> bool:
        """Whether every number of the width is a member."""
        return len(self.members) == 1 << self.width


@dataclass(frozen=True, slots=True, eq=False)
class LayoutField:
    """Bits `high` to `low` of a layout, seen as a value of type `kind`."""

    name: str
    high: int
    low: int
    kind: Type
    doc: str
    span: Span

    @property
    def mask(self) -> int:
        return (1 << (self.high + 1)) - (1 << self.low)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A bitfield: `width` bits, some of them named. Bits without a name are reached through `raw`."""

    name: str
    width: int
    fields: tuple[LayoutField, ...]
    span: Span

    def __str__(self) -> str:
        return self.name.rsplit(".", 1)[-1]


@dataclass(frozen=True, slots=True, eq=False)
class RecordField:
    name: str
    kind: Type
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    name: str
    fields: tuple[RecordField, ...]
    span: Span

    def __str__(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    def position(self, name: str) -> int:
        return next(i for i, field in enumerate(self.fields) if field.name == name)


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """`low` to `high` elements."""

    element: Type
    low: int
    high: int

    def holds(self, other: List) -> bool:
        """Whether every list of the type `other` is one of this type."""
        return self.element is other.element and self.low <= other.low and other.high <= self.high

    def __str__(self) -> str:
        bounds = f"{self.low}" if self.low == self.high else f"{self.low}..{self.high}"
        return f"{self.element}[{bounds}]"


Type = Bool | Bits | Enum | Layout | Record | List

BOOL = Bool()


@cache
def bits(width: int) -> Bits:
    return Bits(width)


@cache
def list_of(element: Type, low: int, high: int) -> List:
    return List(element, low, high)


def index_width(high: int) -> int:
    """The width of a list's length and of its indices, for at most `high` elements."""
    return high.bit_length()


def scalar_width(kind: Type) -> int | None:
    """The number of bits of a `bits`, enum or bitfield value; None for the other types."""
    return kind.width if isinstance(kind, (Bits, Enum, Layout)) else None
