"""Terms of quantifier-free bit-vector logic, built once and shared.

In: operators and operands. Out: `Term` objects; equal terms are the same object.
Guarantee: the constructors only apply identities of the logic (constants, neutral elements, complements, slices of
what was just joined), so a term always means what its operator says.
Trusted: yes; checked against the interpreter on generated programs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Value = int | str | tuple[int, int] | None


class Term:
    """A node: `width` is 0 for truth values; `value` is a constant's number, a variable's name or a slice."""

    __slots__ = ("args", "number", "op", "value", "width")

    def __init__(self, op: str, args: tuple[Term, ...], width: int, value: Value, number: int) -> None:
        self.op = op
        self.args = args
        self.width = width
        self.value = value
        self.number = number

    @property
    def slice(self) -> tuple[int, int]:
        """The highest and the lowest bit of an extraction."""
        assert isinstance(self.value, tuple)
        return self.value

    @property
    def constant(self) -> int:
        """The number of a constant (1 and 0 for true and false)."""
        assert isinstance(self.value, int)
        return self.value


_table: dict[tuple[object, ...], Term] = {}


def _make(op: str, args: tuple[Term, ...], width: int, value: Value = None) -> Term:
    key = (op, width, value, *[arg.number for arg in args])
    term = _table.get(key)
    if term is None:
        term = Term(op, args, width, value, len(_table))
        _table[key] = term
    return term


TRUE: Final = _make("const", (), 0, 1)
FALSE: Final = _make("const", (), 0, 0)


def boolean(value: object) -> Term:
    return TRUE if value else FALSE


def number(value: int, width: int) -> Term:
    """The constant `value` of `width` bits."""
    return _make("const", (), width, value)


def variable(name: str, width: int) -> Term:
    """A variable of `width` bits, or a truth value if `width` is 0."""
    return _make("var", (), width, name)


def negate(a: Term) -> Term:
    if a.op == "const":
        return boolean(not a.value)
    if a.op == "not":
        return a.args[0]
    return _make("not", (a,), 0)


def conjunction(parts: Iterable[Term]) -> Term:
    return _junction("and", parts, TRUE, FALSE)


def disjunction(parts: Iterable[Term]) -> Term:
    return _junction("or", parts, FALSE, TRUE)


def _junction(op: str, parts: Iterable[Term], neutral: Term, absorbing: Term) -> Term:
    kept: dict[int, Term] = {}
    refused: set[int] = set()
    for part in parts:
        for one in part.args if part.op == op else (part,):
            opposite = one.args[0].number if one.op == "not" else None
            if one is absorbing or one.number in refused or opposite in kept:
                return absorbing
            if one is not neutral:
                kept[one.number] = one
                if opposite is not None:
                    refused.add(opposite)
    if not kept:
        return neutral
    if len(kept) == 1:
        return next(iter(kept.values()))
    return _make(op, tuple(kept.values()), 0)


def implies(a: Term, b: Term) -> Term:
    return disjunction((negate(a), b))


def equal(a: Term, b: Term) -> Term:
    """Equality of two truth values or of two numbers of one width."""
    if a is b:
        return TRUE
    if a.op == "const":
        a, b = b, a
    if b.op == "const":
        if a.op == "const":
            return boolean(a.value == b.value)
        if a.width == 0:
            return a if b.value else negate(a)
        if a.op == "ite" and a.args[1].op == "const" and a.args[2].op == "const":
            return ite(a.args[0], equal(a.args[1], b), equal(a.args[2], b))
    return _make("=", (a, b), 0)


def ite(condition: Term, then: Term, otherwise: Term) -> Term:
    if condition.op == "const":
        return then if condition.value else otherwise
    if then is otherwise:
        return then
    if condition.op == "not":
        return ite(condition.args[0], otherwise, then)
    if then.width == 0:
        if then.op == "const":
            return disjunction((condition, otherwise)) if then.value else conjunction((negate(condition), otherwise))
        if otherwise.op == "const":
            return implies(condition, then) if otherwise.value else conjunction((condition, then))
    return _make("ite", (condition, then, otherwise), then.width)


def less(a: Term, b: Term, or_equal: bool) -> Term:
    """Unsigned `a < b`, or `a <= b`."""
    if a.op == "const" and b.op == "const":
        return boolean(a.constant <= b.constant if or_equal else a.constant < b.constant)
    if a is b:
        return boolean(or_equal)
    return _make("bvule" if or_equal else "bvult", (a, b), 0)


def _ones(width: int) -> int:
    return (1 << width) - 1


def bit_and(a: Term, b: Term) -> Term:
    if a.op == "const":
        a, b = b, a
    if b.op == "const":
        if a.op == "const":
            return number(a.constant & b.constant, a.width)
        if b.constant == 0:
            return b
        if b.constant == _ones(b.width):
            return a
    if a is b:
        return a
    return _make("bvand", (a, b), a.width)


def bit_or(a: Term, b: Term) -> Term:
    if a.op == "const":
        a, b = b, a
    if b.op == "const":
        if a.op == "const":
            return number(a.constant | b.constant, a.width)
        if b.constant == 0:
            return a
        if b.constant == _ones(b.width):
            return b
    if a is b:
        return a
    return _make("bvor", (a, b), a.width)


def bit_xor(a: Term, b: Term) -> Term:
    if a.op == "const" and b.op == "const":
        return number(a.constant ^ b.constant, a.width)
    if a is b:
        return number(0, a.width)
    return _make("bvxor", (a, b), a.width)


def invert(a: Term) -> Term:
    if a.op == "const":
        return number(a.constant ^ _ones(a.width), a.width)
    if a.op == "bvnot":
        return a.args[0]
    return _make("bvnot", (a,), a.width)


def arithmetic(op: str, a: Term, b: Term) -> Term:
    """`+`, `-`, `<<`, `>>` modulo 2 to the width; a shift by the width or more gives 0."""
    width = a.width
    if b.op == "const":
        n = b.constant
        if a.op == "const":
            return number(_compute(op, a.constant, n, width), width)
        if n == 0:
            return a
        if op in ("<<", ">>"):
            return _shift_by(op, a, n)
    return _make({"+": "bvadd", "-": "bvsub", "<<": "bvshl", ">>": "bvlshr"}[op], (a, b), width)


def _compute(op: str, a: int, n: int, width: int) -> int:
    match op:
        case "+":
            return a + n & _ones(width)
        case "-":
            return a - n & _ones(width)
        case "<<":
            return a << n & _ones(width) if n < width else 0
        case _:
            return a >> n if n < width else 0


def _shift_by(op: str, a: Term, n: int) -> Term:
    if n >= a.width:
        return number(0, a.width)
    if op == "<<":
        return concat((extract(a, a.width - n - 1, 0), number(0, n)))
    return concat((number(0, n), extract(a, a.width - 1, n)))


def extract(a: Term, high: int, low: int) -> Term:
    """Bits `high` to `low` of `a`."""
    width = high - low + 1
    if width == a.width:
        return a
    match a.op:
        case "const":
            return number(a.constant >> low & _ones(width), width)
        case "extract":
            return extract(a.args[0], high + a.slice[1], low + a.slice[1])
        case "concat":
            return _slice_of_concat(a, high, low)
        case "ite":
            return ite(a.args[0], extract(a.args[1], high, low), extract(a.args[2], high, low))
        case "bvand" | "bvor" if a.args[1].op == "const":
            build = bit_and if a.op == "bvand" else bit_or
            return build(extract(a.args[0], high, low), extract(a.args[1], high, low))
        case _:
            return _make("extract", (a,), width, (high, low))


def _slice_of_concat(a: Term, high: int, low: int) -> Term:
    parts: list[Term] = []
    top = a.width
    for part in a.args:
        bottom = top - part.width
        if bottom <= high and low < top:
            parts.append(extract(part, min(high, top - 1) - bottom, max(low, bottom) - bottom))
        top = bottom
    return concat(parts)


def concat(parts: Iterable[Term]) -> Term:
    """The first part holds the most significant bits."""
    joined: list[Term] = []
    for part in parts:
        for one in part.args if part.op == "concat" else (part,):
            merged = _merge(joined[-1], one) if joined else None
            if merged is None:
                joined.append(one)
            else:
                joined[-1] = merged
    if len(joined) == 1:
        return joined[0]
    return _make("concat", tuple(joined), sum(part.width for part in joined))


def _merge(a: Term, b: Term) -> Term | None:
    """Neighbouring constants, and neighbouring slices of one term, are one."""
    if a.op == "const" and b.op == "const":
        return number(a.constant << b.width | b.constant, a.width + b.width)
    if a.op == "extract" and b.op == "extract" and a.args[0] is b.args[0]:
        (high, low), (next_high, next_low) = a.slice, b.slice
        if low == next_high + 1:
            return extract(a.args[0], high, next_low)
    return None


def bit(a: Term, position: int) -> Term:
    """Bit `position` of `a` as a truth value."""
    one = extract(a, position, position)
    if one.op == "const":
        return boolean(one.value)
    if one.op == "ite":
        return ite(one.args[0], bit(one.args[1], 0), bit(one.args[2], 0))
    return _make("=", (one, number(1, 1)), 0)


def from_boolean(a: Term) -> Term:
    """A truth value as one bit."""
    if a.op == "=" and a.args[1].width == 1 and a.args[1].op == "const" and a.args[1].value == 1:
        return a.args[0]
    return ite(a, number(1, 1), number(0, 1))


def extend(a: Term, width: int, signed: bool) -> Term:
    more = width - a.width
    if more == 0:
        return a
    if not signed:
        return concat((number(0, more), a))
    sign = extract(a, a.width - 1, a.width - 1)
    return concat([*[sign] * more, a])


def within(a: Term, b: Term) -> Term:
    return equal(bit_and(a, invert(b)), number(0, a.width))
