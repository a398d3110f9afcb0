"""Which part of a definition makes a bit of its value 1.

In: a function, arguments, and a mask of the bits that are asked for. Out: the parts that set them.
Guarantee: every such bit that is 1 has an origin, and without its origins it would be 0.
Trusted: no, checked by tests/unit/verifier/tables.

A part is as small as it can be: the operands of `|` and `||` that are 1 there, the branch of an `if` that is taken,
the function that is called, the argument that is handed in. It is called by the `let` that holds it, or else by its
function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from verifier.core.interpret import CHOOSER, PATH, Env, all_zero, meaning
from verifier.core.values import Value
from verifier.source import Span
from verifier.syntax.tree import Cite
from verifier.tables.version import cited
from verifier.types import typed


@dataclass(frozen=True, slots=True)
class Origin:
    """`name` is that of a `let` or of a function, `text` what it says on one line, `place` and `cite` where."""

    name: str
    text: str
    place: str
    cite: str


@dataclass(frozen=True, slots=True)
class _Let:
    """A name for a part of a function; a clause may have citations of its own."""

    name: str
    span: Span
    cites: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a part is evaluated. `bound` says what names stand for, and where that was said.

    `let` is the binding or clause that was passed first in this function, `branch` the last branch that was taken.
    """

    function: typed.Function
    env: Env
    bound: dict[str, tuple[typed.Expr, _Frame]]
    let: _Let | None = None
    branch: str = ""

    def value(self, e: typed.Expr) -> Value:
        return cast(Value, meaning(e)(dict(self.env)))


def origins(function: typed.Function, arguments: tuple[Value, ...], mask: int) -> tuple[Origin, ...]:
    """The origins of the bits in `mask` of a number's value (bit 0 of a truth value)."""
    names = (param.name for param in function.params)
    env: Env = {**dict(zip(names, arguments, strict=True)), PATH: "", CHOOSER: all_zero}
    return tuple(dict.fromkeys(_body(_Frame(function, env, {}), mask)))


def _body(frame: _Frame, mask: int) -> Iterator[Origin]:
    body = frame.function.body
    if not isinstance(body, typed.RuleBody):
        yield from _parts(body, frame, mask)
        return
    holding = [clause for clause in body.clauses if frame.value(clause.condition)]
    if body.op == "and" and len(holding) < len(body.clauses):
        return
    for clause in holding:
        named = _Let(clause.name, clause.condition.span, clause.cites)
        yield from _parts(clause.condition, replace(frame, let=named), mask)


def _parts(e: typed.Expr, frame: _Frame, mask: int) -> Iterator[Origin]:
    """The origins of those bits of `e` that are in `mask`."""
    mask &= int(cast(int, frame.value(e)))
    if not mask:
        return
    match e:
        case typed.Arithmetic(op="|") | typed.Logic(op="or"):
            for operand in e.operands:
                yield from _parts(operand, frame, mask)
        case typed.Arithmetic(op="&"):
            for operand in _that_vary(e.operands):
                yield from _parts(operand, frame, mask)
        case typed.Arithmetic(op="<<" | ">>") | typed.Extract() | typed.Retype() | typed.Extend(signed=False):
            yield from _elsewhere(e, frame, mask)
        case typed.SetFields():
            yield from _fields(e, frame, mask)
        case typed.Let():
            bound = {**frame.bound, e.name: (e.value, frame)}
            inner = replace(frame, env={**frame.env, e.name: frame.value(e.value)}, bound=bound)
            yield from _parts(e.body, inner, mask)
        case typed.If():
            taken = bool(frame.value(e.condition))
            branch = f"if {_line(e.condition.span)} then " if taken else "else "
            yield from _parts(e.then if taken else e.otherwise, replace(frame, branch=branch), mask)
        case typed.Var() if e.name in frame.bound:
            yield from _named(e.name, frame, mask)
        case typed.Call() if e.arguments:
            yield from _body(_called(e, frame), mask)
        case _:
            yield _origin(e, frame)


def _elsewhere(
    e: typed.Arithmetic | typed.Extract | typed.Retype | typed.Extend, frame: _Frame, mask: int
) -> Iterator[Origin]:
    """The same bits where they stood before they were moved."""
    match e:
        case typed.Arithmetic():
            distance = int(cast(int, frame.value(e.operands[1])))
            yield from _parts(e.operands[0], frame, mask << distance if e.op == ">>" else mask >> distance)
        case typed.Extract():
            yield from _parts(e.operand, frame, mask << e.low)
        case _:
            yield from _parts(e.operand, frame, mask)


def _that_vary(operands: tuple[typed.Expr, ...]) -> tuple[typed.Expr, ...]:
    """The operands without constants, unless there is nothing else."""
    return tuple(operand for operand in operands if not isinstance(operand, typed.Const)) or operands[:1]


def _fields(e: typed.SetFields, frame: _Frame, mask: int) -> Iterator[Origin]:
    """A bitfield's fields, and its base for all others."""
    for field, value in e.fields:
        yield from _parts(value, frame, (mask & field.mask) >> field.low)
        mask &= ~field.mask
    if e.base is not None:
        yield from _parts(e.base, frame, mask)


def _named(name: str, frame: _Frame, mask: int) -> Iterator[Origin]:
    """What a name stands for: a `let` of this function, or the argument that the caller hands in."""
    value, outer = frame.bound[name]
    if outer.function is frame.function:
        yield from _parts(value, replace(outer, let=frame.let or _Let(name, value.span)), mask)
    elif frame.let is not None:
        yield _origin(value, frame)
    else:
        yield from _parts(value, outer, mask)


def _called(e: typed.Call, frame: _Frame) -> _Frame:
    """The frame of the function that is called."""
    names = [param.name for param in e.function.params]
    env: Env = {name: frame.value(argument) for name, argument in zip(names, e.arguments, strict=True)}
    bound = {name: (argument, frame) for name, argument in zip(names, e.arguments, strict=True)}
    return _Frame(e.function, {**env, PATH: "", CHOOSER: all_zero}, bound)


def _origin(e: typed.Expr, frame: _Frame) -> Origin:
    let, cites = frame.let, frame.function.cites
    if let is not None:
        return Origin(let.name, _line(let.span), let.span.place, cited(let.cites or cites))
    return Origin(frame.function.short_name, frame.branch + _line(e.span), e.span.place, cited(cites))


def _line(span: Span) -> str:
    return " ".join(span.text.split())
