"""The smallest model, against an exhaustive search over a few hundred inputs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs.written import obligation

from verifier.obligations.minimize import Model
from verifier.obligations.prove import Options, solve
from verifier.solvers.registry import SOLVERS

TYPES = """
enum E { A = 0, B = 2, C = 3 }
bits L : 4 { [3:2] top [0] flag }
"""
LEAVES = {"l": range(16), "b": range(2), "y": range(4), "e": (0, 2, 3)}
WIDTHS = {"l": 4, "b": 1, "y": 2, "e": 2}
PARTS = [("l", 3, 2), ("l", 1, 1), ("l", 0, 0), ("b", -1, 0), ("y", 1, 0), ("e", 1, 0)]

Input = dict[str, int]
INPUTS: list[Input] = [dict(zip(LEAVES, given, strict=True)) for given in product(*LEAVES.values())]


@dataclass(frozen=True)
class Cube:
    """The inputs whose bits under `mask` are those of `value`."""

    mask: int
    value: int

    @property
    def text(self) -> str:
        return f"(w & {self.mask}) == {self.value}"


def joined(given: Input) -> int:
    number = 0
    for name, width in WIDTHS.items():
        number = number << width | given[name]
    return number


def claim(cubes: list[Cube], assumed: Cube | None) -> str:
    """An invariant that fails exactly in the cubes (and where `assumed` holds)."""
    word = "let w = l.raw ++ b ++ y ++ e.raw; "
    fails = " || ".join(cube.text for cube in cubes)
    assume = f"assume {word}{assumed.text}" if assumed else ""
    return f"{TYPES} invariant c for l: L, b: bool, y: bits(2), e: E {assume} show {word}!({fails})"


def meets(given: Input, cube: Cube) -> bool:
    return joined(given) & cube.mask == cube.value


def failing(cubes: list[Cube], assumed: Cube | None) -> list[Input]:
    return [
        given
        for given in INPUTS
        if any(meets(given, cube) for cube in cubes) and (assumed is None or meets(given, assumed))
    ]


def weight(given: Input) -> int:
    return sum(number.bit_count() for number in given.values())


def part(given: Input, high: int, low: int, name: str) -> int:
    return given[name] if high < 0 else given[name] >> low & ((1 << (high - low + 1)) - 1)


def agreeing(model: Input, parts: list[tuple[str, int, int]]) -> list[Input]:
    """The inputs that have the model's value in each of these parts."""
    return [
        given
        for given in INPUTS
        if all(part(given, high, low, name) == part(model, high, low, name) for name, high, low in parts)
    ]


def cubes() -> st.SearchStrategy[Cube]:
    def cube(mask: int, bits: int) -> Cube:
        return Cube(mask, bits & mask)

    return st.builds(cube, st.integers(0, 511), st.integers(0, 511))


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.lists(cubes(), min_size=1, max_size=4), st.none() | cubes())
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_model_is_the_first_of_those_with_the_fewest_bits_and_its_parts_alone_make_the_claim_fail(
    solver: str, chosen: list[Cube], assumed: Cube | None
):
    fails = failing(chosen, assumed)
    solved = solve(obligation(claim(chosen, assumed)), Options((solver,)))
    assert solved.verdict == ("refuted" if fails else "proved")
    if not fails:
        return
    assert solved.model is not None
    least = min(weight(given) for given in fails)
    smallest = [given for given in fails if weight(given) == least]
    first = min(smallest, key=lambda given: tuple(given.values()))
    assert solved.model.numbers == first
    assert solved.model.unique == (len(smallest) == 1)
    assert_relevant(solved.model, first, fails, assumed)


def assert_relevant(model: Model, first: Input, fails: list[Input], assumed: Cube | None) -> None:
    """The relevant parts are enough where the assumption holds, with the others it does, and each one is needed."""
    parts, others = list(model.relevant), list(model.assumed)
    assert {*parts, *others} <= set(PARTS)
    holding = [given for given in INPUTS if assumed is None or meets(given, assumed)]
    assert all(given in fails for given in agreeing(first, parts) if given in holding)
    assert all(given in holding for given in agreeing(first, [*parts, *others]))
    for dropped in parts:
        fewer = [other for other in parts if other != dropped]
        assert any(given not in fails for given in agreeing(first, fewer) if given in holding), dropped
    for dropped in others:
        fewer = [other for other in others if other != dropped]
        assert any(given not in holding for given in agreeing(first, [*parts, *fewer])), dropped


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_stands_later_in_a_variable_is_left_out_where_something_before_it_suffices(solver: str):
    pair = "record Pair { x: bits(2) y: bits(2) }"
    model = model_of(f"{pair} invariant c for p: Pair show p.x == 1 || p.y == 1", solver)
    assert (model.relevant, model.assumed) == ((("p.x", 1, 0), ("p.y", 1, 0)), ())
    model = model_of(f"{pair} invariant c for p: Pair show !(p.x == 0 || p.y == 0)", solver)
    assert (model.relevant, model.assumed) == ((("p.x", 1, 0),), ())


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_earlier_variable_is_left_out_where_a_later_one_suffices(solver: str):
    model = model_of("invariant c for x: bits(2), y: bits(2) show !(x == 0 || y == 0)", solver)
    assert (model.relevant, model.assumed) == ((("y", 1, 0),), ())


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_only_an_assumption_needs_is_told_apart(solver: str):
    model = model_of("invariant c for x: bits(2), y: bits(2) assume y == 2 show x == 1", solver)
    assert (model.relevant, model.assumed) == ((("x", 1, 0),), (("y", 1, 0),))


def model_of(text: str, solver: str) -> Model:
    model = solve(obligation(text), Options((solver,))).model
    assert model is not None
    return model


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_value_that_must_be_zero_matters(solver: str):
    model = model_of("invariant c for x: bits(3) show x != 0", solver)
    assert (model.numbers, model.unique, model.relevant) == ({"x": 0}, True, (("x", 2, 0),))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_claim_that_always_fails_has_no_relevant_part(solver: str):
    model = model_of("invariant c for _x: bits(3), _b: bool show false", solver)
    assert (model.numbers, model.unique, model.relevant) == ({"_x": 0, "_b": 0}, True, ())


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_element_past_the_end_of_its_list_is_least_and_does_not_matter(solver: str):
    model = model_of("invariant c for xs: bits(4)[1..3] show all(x in xs: x != 5)", solver)
    assert model.numbers == {"xs.length": 1, "xs[0]": 5, "xs[1]": 0, "xs[2]": 0}
    assert model.relevant == (("xs[0]", 3, 0),), "element 0 exists whatever the length"


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_choice_of_undefined_is_minimised_like_an_input(solver: str):
    model = model_of("fn f(_x: bool) -> bits(4) = undefined invariant c for b: bool show f(b) != 6", solver)
    assert sorted(model.numbers.values()) == [0, 6]
    assert [name for name, _, _ in model.relevant] == [name for name in model.numbers if name != "b"]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("count", range(7))
def test_a_claim_that_fails_from_some_number_of_set_bits_on_is_shown_with_just_as_many(solver: str, count: int):
    summed = f"({' + '.join(f'extend(x[{i}], 3)' for i in range(6))})"
    model = model_of(f"invariant c for x: bits(6) show {summed} < {count}", solver)
    assert model.numbers["x"] == (1 << count) - 1


def test_both_solvers_find_the_same_model_of_a_wide_claim():
    text = """
    fn mask(n: bits(64)) -> bits(64) = (n << 3) ^ (n >> 17)
    invariant c for n: bits(64), m: bits(64) assume n != m show (mask(n) & [40:30, 7:2]) != (m & [40:30, 7:2]) || n < m
    """
    models = [model_of(text, solver) for solver in SOLVERS]
    assert models[0] == models[1]
    assert sum(number.bit_count() for number in models[0].numbers.values()) == 1
