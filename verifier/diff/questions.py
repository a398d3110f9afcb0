"""A cell as claims about two versions at once.

In: a decision as each of two versions has it, and a cell. Out: claims over the inputs that both share by name.
Guarantee: the claims of a cell are all proved exactly if the two decisions agree wherever both versions allow the cell.
Trusted: yes, with `generate`; every example is replayed on the interpreter, for both versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from verifier.diff.decisions import Decision
from verifier.source import Source, Span
from verifier.tables.version import Unanswerable, parameter
from verifier.types import typed
from verifier.types.kinds import BOOL, Bits, Bool, Enum, Layout, List, Record, Type

LOSES, GAINS, DIFFERS = "loses", "gains", "differs"


@dataclass(frozen=True, slots=True)
class Side:
    """A decision in the version of this label."""

    label: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Pair:
    """The same decision on both sides; raises `Unanswerable` where the two cannot be compared."""

    left: Side
    right: Side

    def __post_init__(self) -> None:
        for name, kind in self.inputs("left").items():
            other = self.inputs("right").get(name, kind)
            if not alike(kind, other):
                raise Unanswerable(f"`{name}: {kind}` is of another type on the other side")
        if not alike(self.left.decision.function.result, self.right.decision.function.result):
            raise Unanswerable("the two sides give values of different types")

    @property
    def is_ordered(self) -> bool:
        """Whether one value can permit less than another."""
        return isinstance(self.left.decision.function.result, (Bool, Bits, Layout))

    def inputs(self, side: str) -> dict[str, Type]:
        """The inputs of a side by name, those of `possible` first."""
        decision: Decision = getattr(self, side).decision
        functions = (decision.possible, *decision.axes, decision.function)
        return {parameter(p): p.type for function in functions for p in function.params}

    def claims(self, coordinates: tuple[str, ...]) -> dict[str, typed.Claim]:
        """What the cell claims: that B loses nothing of what A has, and gains nothing; or that both are equal."""
        params = tuple(typed.Param(name, kind) for name, kind in (self.inputs("right") | self.inputs("left")).items())
        assumed = _both([*_conditions(self.left, coordinates), *_conditions(self.right, coordinates)])
        a, b = (_call(side.decision.function, side.label) for side in (self.left, self.right))
        shown = {LOSES: _within(a, b), GAINS: _within(b, a)} if self.is_ordered else {DIFFERS: _equal(a, b)}
        name = ".".join((self.left.decision.name, *coordinates))
        return {word: _claim(name, params, assumed, show) for word, show in shown.items()}


def possible_claim(side: Side, coordinates: tuple[str, ...]) -> typed.Claim:
    """A claim that is vacuous exactly if the version of one side has nothing in the cell."""
    decision = side.decision
    functions = (decision.possible, *decision.axes)
    params = {parameter(p): p.type for function in functions for p in function.params}
    assumed = _both(_conditions(side, coordinates))
    name = ".".join((decision.name, *coordinates))
    shown = typed.Const(True, BOOL, assumed.span)
    return _claim(name, tuple(typed.Param(*item) for item in params.items()), assumed, shown)


def alike(one: Type, other: Type) -> bool:
    """Whether values of the two types mean the same: equal names, places and numbers all the way down."""
    match one, other:
        case Bool(), Bool():
            return True
        case Bits(), Bits():
            return one.width == other.width
        case Enum(), Enum():
            return (one.width, one.members) == (other.width, other.members)
        case Layout(), Layout():
            return one.width == other.width and _alike(
                [((f.name, f.high, f.low), f.kind) for f in one.fields],
                [((f.name, f.high, f.low), f.kind) for f in other.fields],
            )
        case Record(), Record():
            return _alike([(f.name, f.kind) for f in one.fields], [(f.name, f.kind) for f in other.fields])
        case List(), List():
            return (one.low, one.high) == (other.low, other.high) and alike(one.element, other.element)
        case _:
            return False


def _alike(one: Sequence[tuple[object, Type]], other: Sequence[tuple[object, Type]]) -> bool:
    return len(one) == len(other) and all(a == b and alike(x, y) for (a, x), (b, y) in zip(one, other, strict=True))


def _within(a: typed.Expr, b: typed.Expr) -> typed.Expr:
    if isinstance(a.type, Bool):
        return typed.Logic("implies", (a, b), BOOL, a.span)
    return typed.Within(a, b, BOOL, a.span)


def _equal(a: typed.Expr, b: typed.Expr) -> typed.Expr:
    return typed.Equal(a, b, BOOL, a.span)


def _both(parts: Iterable[typed.Expr]) -> typed.Expr:
    operands = tuple(parts)
    return typed.Logic("and", operands, BOOL, operands[0].span)


def _conditions(side: Side, coordinates: tuple[str, ...]) -> Iterator[typed.Expr]:
    return (_call(function, side.label) for function in side.decision.cell(coordinates))


def _call(function: typed.Function, label: str) -> typed.Call:
    """The function of its inputs.

    It stands at the start of a text of its own: choices of `undefined` are named by where calls stand, and both sides
    have the same ones where they make them in the same place.
    """
    text = f"{function.short_name}({', '.join(parameter(p) for p in function.params)}) in {label}"
    span = Span(Source(label, text), 0, len(text))
    arguments = tuple(typed.Var(parameter(p), p.type, span) for p in function.params)
    return typed.Call(function, arguments, function.result, span)


def _claim(name: str, params: tuple[typed.Param, ...], assumed: typed.Expr, show: typed.Expr) -> typed.Claim:
    return typed.Claim("invariant", name, "diff", (), (), "", params, (assumed,), show, (), show.span)
