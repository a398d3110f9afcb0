"""Values in the words of their types.

In: a value and its type. Out: text, in the language's own syntax.
Guarantee: hexadecimal for scalars of more than 8 bits, names for flags and enums, decimal for the rest.
Trusted: no, checked by parsing what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from verifier.core.values import Value
from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Record, Type


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
