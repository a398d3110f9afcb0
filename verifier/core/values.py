"""Values: what the interpreter computes with and what a counterexample consists of.

In: nothing. Out: the representation of each type's values as plain Python objects.
Guarantee: truth values are `bool`, scalars (bits, enums, bitfields) are `int` below 2 to the width, records are
tuples in the order of their fields, lists are tuples of their length.
Trusted: yes, small.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Record, Type

Value = bool | int | tuple["Value", ...]


def zero(kind: Type) -> Value:
    """The value with the fewest set bits: false, 0, an enum's least member, the shortest list of such."""
    match kind:
        case Bool():
            return False
        case Bits() | Layout():
            return 0
        case Enum():
            return min(value for _, value in kind.members)
        case Record():
            return tuple(zero(field.kind) for field in kind.fields)
        case List():
            return tuple(zero(kind.element) for _ in range(kind.low))


def leaves(kind: Type, name: str) -> Iterator[tuple[str, Type]]:
    """The scalars and truth values inside a value, with their path under `name`.

    A list contributes `NAME.length` (unless its length is fixed) and each of its possible elements `NAME[i]`.
    """
    match kind:
        case Bool() | Bits() | Enum() | Layout():
            yield name, kind
        case Record():
            for field in kind.fields:
                yield from leaves(field.kind, f"{name}.{field.name}")
        case List():
            if kind.low != kind.high:
                yield f"{name}.length", kind
            for position in range(kind.high):
                yield from leaves(kind.element, f"{name}[{position}]")


def assemble(kind: Type, name: str, leaf: dict[str, int]) -> Value:
    """The value whose leaves are `leaf` (numbers by path, as `leaves` names them); the inverse of `leaves`."""
    match kind:
        case Bool():
            return bool(leaf.get(name, 0))
        case Bits() | Enum() | Layout():
            return leaf.get(name, 0)
        case Record():
            return tuple(assemble(field.kind, f"{name}.{field.name}", leaf) for field in kind.fields)
        case List():
            length = kind.low if kind.low == kind.high else leaf.get(f"{name}.length", kind.low)
            return tuple(assemble(kind.element, f"{name}[{i}]", leaf) for i in range(length))
