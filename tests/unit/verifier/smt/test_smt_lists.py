"""Symbolic lists: every operation, against tuples, on every input."""

from __future__ import annotations

from itertools import product

import pytest
from programs.written import checked, constant

from verifier.core.interpret import apply
from verifier.core.values import Value
from verifier.smt import symbolic, terms
from verifier.smt.symbolic import Leaf, Listed, Symbolic
from verifier.smt.symbolize import Symbolizer
from verifier.smt.terms import Term
from verifier.types.kinds import BOOL, List, bits, list_of

KIND = list_of(bits(1), 0, 3)
VALUES: list[tuple[int, ...]] = [v for n in range(4) for v in product((0, 1), repeat=n)]


def chosen(at: int, values: list[tuple[int, ...]]) -> Listed:
    """A list whose guards and elements are terms that happen to be constant only under `ite`."""
    found: Symbolic = constant(KIND, values[at])
    return found  # type: ignore[return-value]


def truth(term: Term) -> bool:
    assert term.op == "const"
    return bool(term.value)


def test_two_lists_are_the_same_exactly_if_their_tuples_are():
    for a, b in product(range(len(VALUES)), repeat=2):
        assert truth(symbolic.same(chosen(a, VALUES), chosen(b, VALUES))) == (VALUES[a] == VALUES[b])


def test_a_choice_between_lists_of_different_lengths_is_one_of_them():
    condition = terms.variable("which", 0)
    for a, b in product(VALUES, repeat=2):
        either = symbolic.choose(condition, constant(KIND, a), constant(KIND, b))
        assert isinstance(either, Listed)
        assert len(either.exists) == len(either.elements) == max(len(a), len(b))
        assert symbolic.choose(terms.TRUE, either, constant(KIND, b)) is either
        for guard, position in zip(either.exists, range(3), strict=False):
            wanted = terms.ite(condition, terms.boolean(position < len(a)), terms.boolean(position < len(b)))
            assert guard is wanted


def test_length_and_last_follow_the_guards():
    for value in VALUES:
        assert symbolic.length(chosen(VALUES.index(value), VALUES), 2).value == len(value)
        if value:
            assert symbolic.last(chosen(VALUES.index(value), VALUES)) is terms.number(value[-1], 1)


def test_rebuilding_a_value_from_its_own_terms_gives_it_back():
    value: Symbolic = (chosen(5, VALUES), terms.TRUE, (terms.number(2, 4),))
    again = symbolic.rebuild(value, symbolic.scalars(value))
    assert list(symbolic.scalars(again)) == list(symbolic.scalars(value))


@pytest.mark.parametrize("bounds", [(0, 3), (1, 3), (2, 2), (0, 4), (2, 4)])
def test_a_list_of_unknown_length_has_one_within_its_bounds_and_guards_that_fall_once(bounds: tuple[int, int]):
    low, high = bounds
    leaves: list[Leaf] = []
    constraints: list[Term] = []
    made = symbolic.unknown(list_of(BOOL, low, high), "x", leaves, constraints)
    assert isinstance(made, Listed)
    lengths = [leaf for leaf in leaves if leaf.name == "x.length"]
    assert len(lengths) == (0 if low == high else 1)
    allowed = [n for n in range(1 << high.bit_length()) if not lengths or fits(constraints, n)]
    assert lengths == [] or allowed == list(range(low, high + 1))
    assert made.exists[:low] == (terms.TRUE,) * low


def fits(constraints: list[Term], length: int) -> bool:
    """Whether a length satisfies the constraints, each of which compares it with a constant."""
    for constraint in constraints:
        a, b = (length if arg.op == "var" else arg.constant for arg in constraint.args)
        if not (a <= b if constraint.op == "bvule" else a < b):
            return False
    return True


LISTS = """
fn count(xs: bits(2)[0..3]) -> bits(2) = length(xs)
fn final(xs: bits(2)[1..3]) -> bits(2) = last(xs)
fn cut(xs: bits(2)[0..3]) -> bits(2)[0..3] = until(x at i in xs: x == i)
fn every(xs: bits(2)[0..3]) -> bool = all(x at i in xs: x >= i)
fn some(xs: bits(2)[0..3]) -> bool = any(x at i in xs: x > i)
fn common(xs: bits(2)[0..3]) -> bits(2) = meet(x in xs: x)
fn agreed(xs: bits(2)[0..3]) -> bool = meet(x in xs: x[0])
fn longer(xs: bits(2)[1..3]) -> bits(2)[0..3] = if xs[0][0] then xs else list(xs[0])
fn index_of_a_short_list(xs: bits(2)[1..3]) -> bool =
  let short: bits(2)[0..7] = list(xs[0]); any(x at i in short: i ++ x == 0)
"""


@pytest.mark.parametrize("name", checked(LISTS).functions, ids=lambda name: str(name).rsplit(".", 1)[-1])
def test_every_list_of_at_most_three_is_compiled_to_what_the_interpreter_computes(name: str):
    function = checked(LISTS).functions[name]
    kind = function.params[0].type
    assert isinstance(kind, List)
    every: list[Value] = [v for n in range(kind.low, kind.high + 1) for v in product(range(4), repeat=n)]
    for value in every:
        found = Symbolizer().value(function.body, {"xs": constant(kind, value)})  # type: ignore[arg-type]
        wanted = constant(function.result, apply(function, (value,)))
        if isinstance(function.result, List):
            assert truth(symbolic.same(found, wanted))
        else:
            assert found is wanted
