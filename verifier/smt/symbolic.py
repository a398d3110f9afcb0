"""Symbolic values: what a program computes with when its inputs are unknown.

In: types. Out: terms for scalars, tuples for records, guarded elements for lists.
Guarantee: a list's guards fall from true to false once: element i exists only if element i - 1 does.
Trusted: yes; checked against the interpreter on generated programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from verifier.smt import terms
from verifier.smt.terms import Term
from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Record, Type, index_width


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A list: element i exists exactly if `exists[i]` holds."""

    exists: tuple[Term, ...]
    elements: tuple[Symbolic, ...]


Symbolic = Term | tuple["Symbolic", ...] | Listed


def scalar(value: Symbolic) -> Term:
    return cast(Term, value)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An input of the solver: its path in the claim's variables, its type and its variable.

    `field` is that for which a choice is made, if it is one.
    """

    name: str
    kind: Type
    term: Term
    field: str = ""


def unknown(kind: Type, name: str, leaves: list[Leaf], constraints: list[Term]) -> Symbolic:
    """A value of unknown leaves; adds them to `leaves`, and what their types demand to `constraints`."""
    match kind:
        case Bool():
            return _leaf(kind, name, 0, leaves)
        case Bits() | Layout():
            return _leaf(kind, name, kind.width, leaves)
        case Enum():
            term = _leaf(kind, name, kind.width, leaves)
            if not kind.total:
                members = (terms.equal(term, terms.number(v, kind.width)) for _, v in kind.members)
                constraints.append(terms.disjunction(members))
            return term
        case Record():
            return tuple(unknown(f.kind, f"{name}.{f.name}", leaves, constraints) for f in kind.fields)
        case List():
            exists = _guards(kind, name, leaves, constraints)
            elements = (unknown(kind.element, f"{name}[{i}]", leaves, constraints) for i in range(kind.high))
            return Listed(exists, tuple(elements))


def _leaf(kind: Type, name: str, width: int, leaves: list[Leaf]) -> Term:
    term = terms.variable(name, width)
    leaves.append(Leaf(name, kind, term))
    return term


def _guards(kind: List, name: str, leaves: list[Leaf], constraints: list[Term]) -> tuple[Term, ...]:
    if kind.low == kind.high:
        return (terms.TRUE,) * kind.high
    width = index_width(kind.high)
    length = _leaf(kind, f"{name}.length", width, leaves)
    low, high = terms.number(kind.low, width), terms.number(kind.high, width)
    constraints += [terms.less(low, length, True), terms.less(length, high, True)]
    counted = (terms.less(terms.number(i, width), length, False) for i in range(kind.low, kind.high))
    return (terms.TRUE,) * kind.low + tuple(counted)


def choose(condition: Term, then: Symbolic, otherwise: Symbolic) -> Symbolic:
    """`then` where `condition` holds, else `otherwise`."""
    if condition.op == "const":
        return then if condition.value else otherwise
    if isinstance(then, Term):
        return terms.ite(condition, then, scalar(otherwise))
    if isinstance(then, tuple):
        other = cast("tuple[Symbolic, ...]", otherwise)
        return tuple(choose(condition, a, b) for a, b in zip(then, other, strict=True))
    return _choose_list(condition, then, cast(Listed, otherwise))


def _choose_list(condition: Term, a: Listed, b: Listed) -> Listed:
    common = min(len(a.elements), len(b.elements))
    longer, is_longer = (a, condition) if len(a.elements) > common else (b, terms.negate(condition))
    exists = [terms.ite(condition, x, y) for x, y in zip(a.exists, b.exists, strict=False)]
    exists += [terms.conjunction((is_longer, guard)) for guard in longer.exists[common:]]
    elements = [choose(condition, x, y) for x, y in zip(a.elements, b.elements, strict=False)]
    return Listed(tuple(exists), (*elements, *longer.elements[common:]))


def same(a: Symbolic, b: Symbolic) -> Term:
    """Equality of two values of one type."""
    if isinstance(a, Term):
        return terms.equal(a, scalar(b))
    if isinstance(a, tuple):
        pairs = zip(a, cast("tuple[Symbolic, ...]", b), strict=True)
        return terms.conjunction(same(x, y) for x, y in pairs)
    return terms.conjunction(_same_lists(a, cast(Listed, b)))


def _same_lists(a: Listed, b: Listed) -> Iterator[Term]:
    common = min(len(a.elements), len(b.elements))
    for i in range(common):
        yield terms.equal(a.exists[i], b.exists[i])
        yield terms.implies(a.exists[i], same(a.elements[i], b.elements[i]))
    for guard in (*a.exists[common:], *b.exists[common:]):
        yield terms.negate(guard)


def last(value: Listed) -> Symbolic:
    """The last element that exists; the list is not empty."""
    found = value.elements[0]
    for guard, element in zip(value.exists[1:], value.elements[1:], strict=True):
        found = choose(guard, element, found)
    return found


def length(value: Listed, width: int) -> Term:
    """The number of elements, as a number of `width` bits."""
    found = terms.number(0, width)
    for i, guard in enumerate(value.exists):
        found = terms.ite(guard, terms.number(i + 1, width), found)
    return found


def scalars(value: Symbolic) -> Iterator[Term]:
    """Every term inside a value, in a fixed order."""
    if isinstance(value, Term):
        yield value
        return
    parts = value if isinstance(value, tuple) else (*value.exists, *value.elements)
    for part in parts:
        yield from scalars(part)


def rebuild(value: Symbolic, replacement: Iterator[Term]) -> Symbolic:
    """The same shape with its terms replaced, in the order of `scalars`."""
    if isinstance(value, Term):
        return next(replacement)
    if isinstance(value, tuple):
        return tuple(rebuild(part, replacement) for part in value)
    exists = tuple(next(replacement) for _ in value.exists)
    return Listed(exists, tuple(rebuild(part, replacement) for part in value.elements))
