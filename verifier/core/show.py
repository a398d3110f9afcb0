"""Values in the words of their types.

In: a value and its type. Out: text, in the language's own syntax.
Guarantee: hexadecimal for scalars of more than 8 bits, names for flags and enums, decimal for the rest.
Trusted: no, checked by parsing what is printed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import cast

from verifier.core.values import Value
from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Record, Type


@dataclass(frozen=True, slots=True)
class Named:
    """A bitfield by the name of its type and by its fields that are not 0; both are empty for any other value.

    Each field is its name, its lowest position and its value; what belongs to none is one without a name, from bit 0.
    """

    kind: str = ""
    fields: tuple[tuple[str, int, int], ...] = ()


def named(value: Value, kind: Type) -> Named:
    """The value field by field."""
    if not isinstance(kind, Layout):
        return Named()
    number = cast(int, value)
    parts = [(field.name, field.low, (number & field.mask) >> field.low) for field in kind.fields]
    parts.append(("", 0, number & ~sum(field.mask for field in kind.fields)))
    return Named(kind.name, tuple(part for part in parts if part[2]))


def show_number(value: int, width: int) -> str:
    """A number of `width` bits: hexadecimal above 8 bits, else decimal."""
    return f"0x{value:x}" if width > 8 else str(value)


def show_value(value: Value, kind: Type) -> str:
    """The value on one line."""
    match kind:
        case Bool():
            return "true" if value else "false"
        case Bits():
            return show_number(cast(int, value), kind.width)
        case Enum():
            return next((name for name, number in kind.members if number == value), f"?{value}")
        case Layout():
            return f"{kind} {{ {', '.join(set_fields(cast(int, value), kind))} }}".replace("{  }", "{ }")
        case Record():
            parts = cast("tuple[Value, ...]", value)
            shown = (f"{f.name}: {show_value(v, f.kind)}" for f, v in zip(kind.fields, parts, strict=True))
            return f"{kind} {{ {', '.join(shown)} }}"
        case List():
            parts = cast("tuple[Value, ...]", value)
            return f"list({', '.join(show_value(part, kind.element) for part in parts)})"


def show_part(value: Value, kind: Record, shown: Container[str]) -> str:
    """Some fields of a record on one line, and whether there are others."""
    parts = zip(kind.fields, cast("tuple[Value, ...]", value), strict=True)
    texts = [f"{field.name}: {show_value(part, field.kind)}" for field, part in parts if field.name in shown]
    return f"{kind} {{ {', '.join([*texts, '…'] if len(texts) < len(kind.fields) else texts)} }}"


def set_fields(value: int, kind: Layout) -> Iterator[str]:
    """`name: value` for each field that is not 0, and `raw` bits that belong to no field."""
    rest = value
    for field in kind.fields:
        part = (value & field.mask) >> field.low
        rest &= ~field.mask
        if part:
            shown = show_value(bool(part) if isinstance(field.kind, Bool) else part, field.kind)
            yield f"{field.name}: {shown}"
    if rest:
        yield f"other bits: 0x{rest:x}"
