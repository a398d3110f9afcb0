"""Scripts: their text depends on the obligation alone, and three solvers read it alike."""

from __future__ import annotations

from pathlib import Path

import bitwuzla
import cvc5
import pytest
import z3
from hypothesis import HealthCheck, given, settings
from programs.generator import modules
from programs.written import checked, decide, obligation, project

from verifier.obligations.cache import Cache
from verifier.obligations.generate import generate
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan, run
from verifier.smt.symbolize import Symbolizer

ROUND = """
enum E { A = 0, B = 2, C = 3 }
bits L : 9 { [8:7] top [5] flag [3:0] low }
record R { l: L e: E xs: bits(4)[1..3] }
fn twice(x: bits(4)) -> bits(4) = ((x + x) ^ (x << x)) | (x >> 1)
fn widest(r: R) -> bits(12) = sign_extend(twice(last(r.xs)), 12) - extend(r.l.raw, 12)
rule odd(r: R) = any of { flagged: r.l.flag && r.e == B  some: any(x at i in r.xs: x[0] && i != 1) }
rule even(r: R) = all of { not_odd: !odd(r)  few: length(r.xs) <= 2 }
fn open(r: R) -> bits(4) = if odd(r) then undefined else meet(x in until(y in r.xs: y == 3): x)
"""
CLAIMS = [
    "for r: R assume r.e != C && r.l.low within 0x3 show even(r) implies (!r.l.flag || r.e == A)",
    "for r: R show widest(r) < 0xfff",
    "for r: R show open(r) == open(r)",
    "for r: R, and: bool, t1: bits(4), goal: bool show even(r) && and implies (twice(t1) == t1 || goal)",
    "for r: R assume odd(r) assume r.l.raw == 0 show any(x in r.xs: x != 0)",
]


def transcripts(text: str, *solvers: str) -> dict[str, str]:
    found: dict[str, str] = {}
    plan = Plan(Options(solvers or ("z3",)), transcripts=lambda claim, _, asked: found.update({claim.name: asked}))
    run(project(text), plan, Cache(Path("nowhere"), enabled=False))
    return found


def module() -> str:
    return ROUND + "\n".join(f"invariant claim{i} {claim}" for i, claim in enumerate(CLAIMS))


def answers_of_z3(text: str) -> list[str]:
    context = z3.Context()
    return z3.Z3_eval_smtlib2_string(context.ref(), text).split()


def answers_of_cvc5(text: str) -> list[str]:
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("incremental", "true")
    symbols = cvc5.SymbolManager(manager)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "transcript")
    answers: list[str] = []
    while not (command := parser.nextCommand()).isNull():
        said = command.invoke(solver, symbols).strip()
        assert "error" not in said, said
        answers += [said] if said else []
    return answers


def answers_of_bitwuzla(text: str, capfd: pytest.CaptureFixture[str]) -> list[str]:
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    capfd.readouterr()
    bitwuzla.Parser(bitwuzla.TermManager(), options).parse(text, False, False)
    return capfd.readouterr().out.split()


@pytest.mark.parametrize("solver", ["z3", "bitwuzla"])
def test_z3_bitwuzla_and_cvc5_read_every_question_and_give_the_same_answers(
    solver: str, capfd: pytest.CaptureFixture[str]
):
    written = transcripts(module(), solver)
    assert len(written) == len(CLAIMS)
    for text in written.values():
        asked = text.count("(check-sat")
        answers = answers_of_z3(text)
        assert len(answers) == asked > 0
        assert answers_of_cvc5(text) == answers
        assert answers_of_bitwuzla(text, capfd) == answers


def prelude(text: str, name: str, symbolizer: Symbolizer) -> str:
    claim = next(c for c in checked(text).claims if c.name == name)
    return generate(claim, symbolizer).script.prelude


@settings(max_examples=15, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(modules(undefined=True, claim=True))
def test_the_text_does_not_depend_on_what_was_compiled_before(text: str):
    claims = checked(both := text + text[text.rindex("invariant holds") :].replace("holds", "again")).claims
    alone = [generate(claim, Symbolizer()).script.prelude for claim in claims]
    shared = Symbolizer()
    backwards = [generate(claim, shared).script.prelude for claim in reversed(claims)]
    assert alone == backwards[::-1], both


def test_the_order_in_which_claims_are_compiled_does_not_matter():
    names = [f"claim{i}" for i in range(len(CLAIMS))]
    alone = {name: prelude(module(), name, Symbolizer()) for name in names}
    claims = checked(module()).claims
    shared = Symbolizer()
    again = {claim.name: generate(claim, shared).script.prelude for claim in reversed(claims)}
    assert alone == again


WORDS = ["goal", "t0", "t1", "t5", "and", "or", "not", "ite", "concat", "extract", "bvadd", "exists", "par"]


@pytest.mark.parametrize("word", WORDS)
def test_a_variable_may_have_a_name_that_means_something_to_a_solver(word: str):
    shared = "((x + y) == 3 || ((x + y) == 5 && x > y))"
    text = f"invariant c for {word}: bool, x: bits(4), y: bits(4) show {word} implies {shared}"
    assert decide(text, "z3", "bitwuzla")["c"].outcome.verdict == "refuted"


def test_every_function_and_clause_of_a_script_has_its_selector():
    script = obligation(module()).script
    assert {"proofs.m.odd.flagged", "proofs.m.odd.some"} <= set(script.definitions.values())
    for selector in script.selectors:
        assert f"(declare-const {selector} Bool)" in script.prelude
