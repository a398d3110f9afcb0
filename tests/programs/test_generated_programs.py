"""Generated programs: the interpreter, which defines the language, against terms and solvers."""

from __future__ import annotations

import hashlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs.generator import modules
from programs.written import checked, constant, decide, equals, numbers, pairs, recording, set_bits, values

from verifier.core.interpret import apply
from verifier.core.values import Value
from verifier.smt import terms
from verifier.smt.script import Goal, write_script
from verifier.smt.symbolic import Leaf, Symbolic, unknown
from verifier.smt.symbolize import Symbolizer
from verifier.smt.terms import Term
from verifier.solvers.registry import BUDGETS, open_session
from verifier.types import typed
from verifier.types.kinds import Bool, Type, scalar_width


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


def main_of(text: str) -> typed.Function:
    return checked(text).functions["proofs.m.main"]


def arguments(data: st.DataObject, function: typed.Function) -> tuple[Value, ...]:
    return tuple(data.draw(values(param.type), label=param.name) for param in function.params)


def hashed(site: str, kind: Type) -> Value:
    """A choice that differs from site to site and is the same in every run."""
    number = int.from_bytes(hashlib.sha256(site.encode()).digest()[:8], "big")
    width = scalar_width(kind)
    return bool(number & 1) if width is None else number & ((1 << width) - 1)


@examples(60)
@given(modules(), st.data())
def test_a_program_compiled_on_constants_folds_to_what_the_interpreter_computes(text: str, data: st.DataObject):
    main = main_of(text)
    for _ in range(3):
        given_values = arguments(data, main)
        env: dict[str, Symbolic] = {p.name: constant(p.type, v) for p, v in zip(main.params, given_values, strict=True)}
        found = Symbolizer().value(main.body, env)  # type: ignore[arg-type]
        for term, number in pairs(found, apply(main, given_values)):
            assert term.op == "const"
            assert term.value == number


def ask(main: typed.Function, given_values: tuple[Value, ...]) -> tuple[str, str]:
    """Whether z3 finds the interpreter's result possible, and another one, for these arguments and choices."""
    choose, asked = recording(hashed)
    result = apply(main, given_values, choose)
    symbolizer = Symbolizer()
    leaves: list[Leaf] = []
    constraints: list[Term] = []
    env = {p.name: unknown(p.type, p.name, leaves, constraints) for p in main.params}
    found = symbolizer.value(main.body, env)  # type: ignore[arg-type]
    assert {f"undefined {site}" for site in asked} <= set(symbolizer.choices)
    kinds = {p.name: (p.type, v) for p, v in zip(main.params, given_values, strict=True)}
    fixed = numbers(leaves, kinds)
    inputs = terms.conjunction(
        [
            *(equals(leaf.term, fixed[leaf.name]) for leaf in leaves),
            *(equals(leaf.term, int(_chosen(name, leaf))) for name, leaf in symbolizer.choices.items()),
        ]
    )
    same = terms.conjunction(equals(term, number) for term, number in pairs(found, result))
    goal = Goal(tuple(leaves), tuple(constraints), (inputs, terms.negate(same)), same)
    script = write_script(goal, symbolizer.definitions, symbolizer.choices)
    session = open_session("z3", script.prelude, BUDGETS["z3"])
    given_inputs, differs = script.assumptions
    base = [*script.definitions, given_inputs]
    return session.check([*base, script.goal]), session.check([*base, differs])


def _chosen(name: str, leaf: Leaf) -> int:
    value = hashed(name.removeprefix("undefined "), leaf.kind)
    return int(value) if isinstance(leaf.kind, Bool) or isinstance(value, int) else 0


@examples(40)
@given(modules(undefined=True), st.data())
def test_z3_gives_a_program_the_interpreters_value_and_no_other(text: str, data: st.DataObject):
    main = main_of(text)
    assert ask(main, arguments(data, main)) == ("sat", "unsat")


@examples(40)
@given(modules(undefined=True, claim=True), st.data())
def test_solvers_agree_on_a_claim_and_its_counterexample_is_the_smallest_that_the_interpreter_meets(
    text: str, data: st.DataObject
):
    result = decide(text, "z3", "bitwuzla")["holds"].outcome
    claim = checked(text).claims[0]
    main = main_of(text)
    for _ in range(4):
        given_values = arguments(data, main)
        choose, asked = recording(hashed)
        if apply(main, given_values, choose):
            continue
        assert result.verdict == "refuted"
        assert result.example is not None
        shown = sum(_number(value.raw).bit_count() for value in result.example.values)
        kinds = {p.name: (p.type, v) for p, v in zip(claim.params, given_values, strict=True)}
        leaves: list[Leaf] = []
        for param in claim.params:
            unknown(param.type, param.name, leaves, [])
        chosen = {site: int(value) for site, value in asked.items() if not isinstance(value, tuple)}
        assert shown <= set_bits(numbers(leaves, kinds)) + set_bits(chosen)
    assert result.verdict in ("proved", "refuted")
    assert (result.example is None) == (result.verdict == "proved")


def _number(raw: str) -> int:
    return {"true": 1, "false": 0}[raw] if raw in ("true", "false") else int(raw, 16)
