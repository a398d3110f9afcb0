"""Which input of a definition decides each bit of its value.

In: a function from inputs (numbers by name) to a number, and cases to start from. Out: the owners of each bit.
Guarantee: an owner is an input whose change, all else as in a case, changes the bit; every input bit is tried.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifier.core.values import leaves
from verifier.tables.bits import position
from verifier.types.kinds import Bool, Enum, Layout, LayoutField, Type, scalar_width

Inputs = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Owner:
    """`name` is that of an input, or of a field of it; `whole` if it has one bit only, or is not a row of bits."""

    input: str
    name: str
    bit: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Probed:
    """`value` is that of the first case, `first` its owners; `owners` has every bit that can change in some case.

    `idle` are the inputs that change nothing in any case.
    """

    value: int
    first: Mapping[int, tuple[Owner, ...]]
    owners: Mapping[int, tuple[Owner, ...]]
    idle: tuple[Owner, ...]


def probe(function: Callable[[Inputs], int], cases: Sequence[Inputs], inputs: Mapping[str, Type]) -> Probed:
    """Changes each bit of each input in turn, and an enum to each of its members.

    A bit's owners are those of the first case in which it has one; an idle input is so in every case.
    """
    found = [_probe(function, case, inputs) for case in cases]
    owners: dict[int, tuple[Owner, ...]] = {}
    for one in reversed(found):
        owners |= one.owners
    idle = (owner for owner in found[0].idle if all(owner in one.idle for one in found))
    return Probed(found[0].value, found[0].first, owners, tuple(idle))


def _probe(function: Callable[[Inputs], int], case: Inputs, inputs: Mapping[str, Type]) -> Probed:
    value = function(case)
    owners: dict[int, dict[Owner, None]] = {}
    effects: dict[Owner, int] = {}
    for name, kind in _scalars(inputs):
        for owner, other in _changes(name, kind, case.get(name, 0)):
            changed = function({**case, name: other}) ^ value
            effects[owner] = effects.get(owner, 0) | changed
            for bit in (bit for bit in range(changed.bit_length()) if changed >> bit & 1):
                owners.setdefault(bit, {})[owner] = None
    idle = tuple(owner for owner, effect in effects.items() if not effect)
    by_bit = {bit: tuple(found) for bit, found in owners.items()}
    return Probed(value, by_bit, by_bit, idle)


def _scalars(inputs: Mapping[str, Type]) -> Iterator[tuple[str, Type]]:
    """The numbers and truth values among the inputs and their fields."""
    for name, kind in inputs.items():
        yield from leaves(kind, name)


def _changes(name: str, kind: Type, now: int) -> Iterator[tuple[Owner, int]]:
    """The other values that an input takes, each with whom it stands for."""
    short = name.rsplit(".", 1)[-1]
    match kind:
        case Bool():
            yield Owner(name, short), now ^ 1
        case Enum():
            yield from ((Owner(name, short), number) for _, number in kind.members if number != now)
        case Layout():
            yield from ((_of_field(name, field, bit), now ^ 1 << bit) for field in kind.fields for bit in _bits(field))
        case _:
            width = scalar_width(kind) or 1
            yield from ((Owner(name, short, bit, width == 1), now ^ 1 << bit) for bit in range(width))


def _bits(field: LayoutField) -> range:
    return range(field.low, field.high + 1)


def _of_field(name: str, field: LayoutField, bit: int) -> Owner:
    return Owner(name, field.name, bit - field.low, field.high == field.low)


def named(run: list[tuple[Owner, ...]]) -> str:
    """The owners of neighbouring bits, the highest first: `host_writable`, `gen[6:0]`."""
    parts: list[str] = []
    for first, last in zip(run[0], run[-1], strict=True):
        parts.append(first.name if first.whole else f"{first.name}[{position(first.bit, last.bit)}]")
    return " ".join(parts)
