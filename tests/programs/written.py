"""Modules from their text, and values for their types.

In: the text of one module. Out: its typed core, its claims decided; strategies for values; terms as constants.
Guarantee: nothing is read from or written to the disk.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from hypothesis import strategies as st

from verifier.core.values import Value, zero
from verifier.names.project import Project
from verifier.obligations.cache import Cache
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Options
from verifier.obligations.result import Result
from verifier.obligations.run import Plan, run
from verifier.smt import terms
from verifier.smt.symbolic import Leaf, Listed, Symbolic
from verifier.smt.symbolize import Symbolizer
from verifier.smt.terms import Term
from verifier.source import Source
from verifier.types import typed
from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Record, Type
from verifier.types.load import load


def project(text: str) -> Project:
    """A project of the one module `proofs.m`."""
    return Project(Path("nowhere"), (Source("proofs/m.slat", f"module proofs.m\n{text}"),), {})


def checked(text: str) -> typed.Checked:
    """The typed core of the module; raises `Diagnosed`."""
    return load(project(text)).checked


def decide(text: str, *solvers: str, budget: int | None = None) -> dict[str, Result]:
    """The results of the module's claims, by name."""
    plan = Plan(Options(solvers or ("z3",), budget))
    return {r.name: r for r in run(project(text), plan, Cache(Path("nowhere"), enabled=False))}


def obligation(text: str) -> Obligation:
    """The obligation of the module's first claim."""
    return generate(checked(text).claims[0], Symbolizer())


def values(kind: Type) -> st.SearchStrategy[Value]:
    """Every value of a type."""
    match kind:
        case Bool():
            return st.booleans()
        case Bits() | Layout():
            return st.integers(0, (1 << kind.width) - 1)
        case Enum():
            return st.sampled_from([value for _, value in kind.members])
        case Record():
            return st.tuples(*(values(field.kind) for field in kind.fields))
        case List():
            return st.lists(values(kind.element), min_size=kind.low, max_size=kind.high).map(tuple)


def constant(kind: Type, value: Value) -> Symbolic:
    """The value as constant terms."""
    match kind:
        case Bool():
            return terms.boolean(value)
        case Bits() | Layout() | Enum():
            return terms.number(cast(int, value), kind.width)
        case Record():
            parts = cast("tuple[Value, ...]", value)
            return tuple(constant(f.kind, v) for f, v in zip(kind.fields, parts, strict=True))
        case List():
            elements = tuple(constant(kind.element, v) for v in cast("tuple[Value, ...]", value))
            return Listed((terms.TRUE,) * len(elements), elements)


def pairs(found: Symbolic, value: Value) -> Iterator[tuple[Term, int]]:
    """Each term of a symbolic value with the number that it must have; none for elements that do not exist."""
    if isinstance(found, Term):
        yield found, int(cast(int, value))
        return
    parts = cast("tuple[Value, ...]", value)
    if isinstance(found, tuple):
        for term, part in zip(found, parts, strict=True):
            yield from pairs(term, part)
        return
    assert len(parts) <= len(found.elements)
    for i, guard in enumerate(found.exists):
        yield guard, int(i < len(parts))
    for element, part in zip(found.elements, parts, strict=False):
        yield from pairs(element, part)


def numbers(leaves: list[Leaf], values_by_name: dict[str, tuple[Type, Value]]) -> dict[str, int]:
    """The number of each leaf; list elements that do not exist are least values of their type."""
    flat: dict[str, int] = {}
    for name, (kind, value) in values_by_name.items():
        flat.update(_flat(kind, name, value))
    return {leaf.name: flat.get(leaf.name, 0) for leaf in leaves}


def _flat(kind: Type, name: str, value: Value) -> Iterator[tuple[str, int]]:
    match kind:
        case Bool() | Bits() | Enum() | Layout():
            yield name, int(cast(int, value))
        case Record():
            parts = cast("tuple[Value, ...]", value)
            for field, part in zip(kind.fields, parts, strict=True):
                yield from _flat(field.kind, f"{name}.{field.name}", part)
        case List():
            parts = cast("tuple[Value, ...]", value)
            yield f"{name}.length", len(parts)
            rest = (zero(kind.element),) * (kind.high - len(parts))
            for i, part in enumerate((*parts, *rest)):
                yield from _flat(kind.element, f"{name}[{i}]", part)


def set_bits(leaf_numbers: dict[str, int]) -> int:
    """How many bits are set."""
    return sum(number.bit_count() for number in leaf_numbers.values())


def equals(found: Term, number: int) -> Term:
    """That a term has this number."""
    return terms.equal(found, terms.boolean(number) if found.width == 0 else terms.number(number, found.width))


def recording(choose: Callable[[str, Type], Value]) -> tuple[Callable[[str, Type], Value], dict[str, Value]]:
    """The chooser, and what it was asked and answered."""
    asked: dict[str, Value] = {}

    def ask(site: str, kind: Type) -> Value:
        return asked.setdefault(site, choose(site, kind))

    return ask, asked
