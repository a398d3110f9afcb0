"""From answers to verdicts: vacuity, cores, and judges that disagree."""

from __future__ import annotations

import pytest
from judges import Liar, install
from programs.written import decide, obligation

from verifier.obligations import prove
from verifier.obligations.generate import Obligation
from verifier.obligations.minimize import Model
from verifier.obligations.prove import Disagreement, Options, Replayed, finish, solve
from verifier.obligations.result import Outcome
from verifier.solvers.registry import SOLVERS


def outcome(claim: str, *solvers: str) -> Outcome:
    return decide(claim, *solvers)["c"].outcome


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        ("for x: bits(4) assume x < 3 show x < 4", None),
        ("for x: bits(4) assume x < 3 && x > 5 show x == 9", "assume_unsatisfiable"),
        ("for x: bits(4) assume x < 3 assume x < 9 show x < 4", "unneeded: x < 9"),
        ("for x: bits(4) assume x < 3 && x[3] == false show x < 4", "unneeded: x[3] == false"),
        ("for x: bits(4) assume x != 0 show (x | 1) != 0", "unneeded: x != 0"),
        ("for x: bits(4) show (x | 1) != 0", None),
    ],
)
def test_an_assumption_that_cannot_hold_or_is_not_needed_is_named(solver: str, claim: str, wanted: str | None):
    found = outcome(f"invariant c {claim}", solver)
    assert (found.verdict, found.vacuous) == ("proved", wanted)


def test_a_vacuous_claim_is_not_as_expected():
    result = decide("invariant c for x: bits(4) assume x != 0 show (x | 1) != 0")["c"]
    assert result.outcome.verdict == result.expect
    assert not result.as_expected


def test_a_refuted_claim_and_a_witness_are_never_vacuous():
    assert outcome("invariant c for x: bits(4) assume x < 3 assume x < 9 show x == 4").vacuous is None
    assert outcome("witness c for x: bits(4) assume x < 3 assume x < 9 show x == 2").vacuous is None


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_core_names_the_assumptions_and_clauses_that_a_proof_used(solver: str):
    text = """
    rule small(x: bits(8)) = any of { zero: x == 0  low: x[7:4] == 0 && x[0]  unused: (x & 0x81) == 0x81 }
    fn next(x: bits(8)) -> bits(8) = x + 1
    invariant c for x: bits(8), y: bits(8) assume x == 0 assume y == next(x) show small(x) && y == 1
    """
    core = outcome(text, solver).core
    assert core[:2] == ("assume x == 0", "assume y == next(x)")
    assert "proofs.m.next" in core
    assert "proofs.m.small.unused" not in core


def test_the_core_names_clauses_that_say_no_more_than_a_field():
    text = """
    bits E : 2 { [0] a [1] b }
    rule flagged(e: E) = any of { a: e.a  b: e.b }
    fn set(e: E) -> bool = flagged(e) && e.raw != 0
    rule never(e: E) = all of { a: e.a  no: false }
    invariant c for e: E assume e.b show set(e) && !never(e)
    """
    assert set(outcome(text).core) == {
        "assume e.b", "proofs.m.flagged.a", "proofs.m.flagged.b", "proofs.m.never.a", "proofs.m.never.no",
        "proofs.m.set",
    }  # fmt: skip


def test_two_solvers_that_differ_give_no_verdict(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "bitwuzla", lambda session: Liar(session, 0, "sat"))
    with pytest.raises(Disagreement, match="c: z3 says proved and bitwuzla says refuted"):
        decide("invariant c for x: bits(4) show (x ^ x) == 0", *SOLVERS)


def test_two_solvers_that_differ_on_vacuity_give_no_verdict(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "bitwuzla", lambda session: Liar(session, 1, "unsat"))
    with pytest.raises(Disagreement):
        decide("invariant c for x: bits(4) assume x < 3 show x < 4", *SOLVERS)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_second_opinion_that_is_open_leaves_the_claim_open(monkeypatch: pytest.MonkeyPatch, solver: str):
    install(monkeypatch, solver, lambda session: Liar(session, 0, "unknown"))
    assert outcome("invariant c for x: bits(4) assume x < 3 show x < 4", *SOLVERS).verdict == "unknown"


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("at", [1, 2])
def test_a_vacuity_check_that_is_open_leaves_the_claim_open_and_is_no_disagreement(
    monkeypatch: pytest.MonkeyPatch, solver: str, at: int
):
    install(monkeypatch, solver, lambda session: Liar(session, at, "unknown"))
    for solvers in (SOLVERS, (solver,)):
        found = outcome("invariant c for x: bits(4) assume x < 3 show x < 4", *solvers)
        assert (found.verdict, found.vacuous, found.core) == ("unknown", None, ())


@pytest.mark.parametrize("at", [0, 1, 2, 3, 5])
def test_a_budget_that_runs_out_while_a_model_is_made_small_leaves_the_claim_open(
    monkeypatch: pytest.MonkeyPatch, at: int
):
    install(monkeypatch, "z3", lambda session: Liar(session, at, "unknown"))
    found = outcome("invariant c for x: bits(4), y: bits(4) show x + y != 9")
    assert (found.verdict, found.example) == ("unknown", None)


CLAIM = "invariant c for x: bits(4) assume x < 9 show x < 5"


def replayed(model: Model) -> Outcome:
    made: Obligation = obligation(CLAIM)
    solved = solve(made, Options())
    return finish(made, prove.replace(solved, model=model), Options())


@pytest.mark.parametrize("number", [4, 13, 0])
def test_a_model_that_the_interpreter_does_not_confirm_is_never_shown(number: int):
    with pytest.raises(Disagreement, match="does not confirm"):
        replayed(Model({"x": number}, True, (), ()))


def test_a_model_that_the_interpreter_confirms_is_shown_as_replayed():
    example = replayed(Model({"x": 5}, True, (("x", 3, 0),), ())).example
    assert example is not None
    assert example.replayed == ("interpreter",)


def test_a_solver_whose_values_are_wrong_gives_no_counterexample(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, "z3", lambda session: Liar(session, 0, None, flip=True))
    with pytest.raises((Disagreement, AssertionError)):
        decide(CLAIM)


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_second_machine_is_named_as_one_that_confirms_the_example_or_contradicts_it(confirmed: bool):
    made = obligation(CLAIM)
    seen: list[dict[str, object]] = []

    def machine(_claim: object, env: dict[str, object]) -> Replayed:
        seen.append(env)
        return Replayed("reference MMU", confirmed)

    options = Options(replay=machine)  # type: ignore[arg-type]
    example = finish(made, solve(made, options), options).example
    assert example is not None
    assert example.replayed == (("interpreter", "reference MMU") if confirmed else ("interpreter",))
    assert example.contradicted_by == (() if confirmed else ("reference MMU",))
    assert seen == [{"x": 8}]


@pytest.mark.parametrize("kind", ["invariant", "witness"])
def test_a_witness_turns_the_verdict_round(kind: str):
    yes = outcome(f"{kind} c for x: bits(4) show (x & 0) == 0")
    no = outcome(f"{kind} c for x: bits(4) show (x & 1) == 2")
    assert (yes.verdict, no.verdict) == ("proved", "refuted")
    assert (yes.example is None) == (kind == "invariant")
    assert (no.example is None) == (kind == "witness")
