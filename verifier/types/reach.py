"""What a claim rests on.

In: a claim or a function. Out: the qualified names of every definition that it reaches, types included.
Guarantee: nothing that can change its truth is left out.
Trusted: yes: a claim that reaches nothing of a series is decided once for all series.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from verifier.types import typed
from verifier.types.kinds import Enum, Layout, List, Record, Type

_known: dict[typed.Function, frozenset[str]] = {}


def reached_by(claim: typed.Claim) -> frozenset[str]:
    """The definitions that a claim reaches."""
    found: set[str] = set()
    for param in claim.params:
        found |= _types(param.type)
    for e in (*claim.assumptions, claim.show):
        found |= _expression(e)
    return frozenset(found)


def reached_from(function: typed.Function) -> frozenset[str]:
    """The definitions that a function reaches, itself included."""
    known = _known.get(function)
    if known is None:
        body = function.body
        parts = [c.condition for c in body.clauses] if isinstance(body, typed.RuleBody) else [body]
        found = {function.name} | _types(function.result)
        for param in function.params:
            found |= _types(param.type)
        for part in parts:
            found |= _expression(part)
        known = _known[function] = frozenset(found)
    return known


def _expression(e: typed.Expr) -> set[str]:
    found: set[str] = set()
    kinds: dict[int, Type] = {}  # most nodes share theirs
    todo: list[Any] = [e]
    while todo:
        node = todo.pop()
        kinds[id(node.type)] = node.type
        if isinstance(node, typed.Call):
            found |= reached_from(node.function)
        todo.extend(_parts(node))
    return found.union(*map(_types, kinds.values()))


def _parts(node: typed.Expr) -> Iterator[Any]:
    """The expressions directly below an expression."""
    for field in fields(node):
        yield from _expressions(getattr(node, field.name))


def _expressions(value: object) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from _expressions(item)
    elif isinstance(value, typed.Expr):
        yield value


def _types(kind: Type) -> frozenset[str]:
    """The declared types inside a type."""
    match kind:
        case List():
            return _types(kind.element)
        case Enum():
            return frozenset((kind.name,))
        case Layout() | Record():
            return frozenset((kind.name,)).union(*(_types(field.kind) for field in kind.fields))
        case _:
            return frozenset()
