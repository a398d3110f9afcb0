"""The types that a generated module may use.

In: nothing. Out: one dataclass a kind of type; `text` is how a module writes it.
Guarantee: two types are equal exactly if they are written alike.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bool:
    text = "bool"


@dataclass(frozen=True, slots=True)
class Bits:
    width: int

    @property
    def text(self) -> str:
        return f"bits({self.width})"


@dataclass(frozen=True, slots=True)
class Enum:
    text: str
    width: int
    members: tuple[tuple[str, int], ...]

    @property
    def total(self) -> bool:
        return len(self.members) == 1 << self.width


@dataclass(frozen=True, slots=True)
class Layout:
    text: str
    width: int
    fields: tuple[tuple[str, int, int, Type], ...]


@dataclass(frozen=True, slots=True)
class Record:
    text: str
    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class List:
    element: Type
    low: int
    high: int

    @property
    def text(self) -> str:
        return f"{self.element.text}[{self.low}..{self.high}]"


Type = Bool | Bits | Enum | Layout | Record | List
BOOL = Bool()


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    params: tuple[Type, ...]
    result: Type
