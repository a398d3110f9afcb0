"""Sessions: one protocol, whichever solver answers and by whichever path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from verifier.solvers import z3_session
from verifier.solvers.registry import BUDGETS, SOLVERS, open_session, version
from verifier.solvers.session import Session, SolverError

TEXT = """(set-logic QF_BV)
(declare-const |x| (_ BitVec 8))
(declare-const |b| Bool)
(declare-const |low| Bool)
(declare-const |high| Bool)
(declare-const |odd| Bool)
(assert (=> |low| (bvult |x| #x03)))
(assert (=> |high| (bvult #xf0 |x|)))
(assert (=> |odd| (and |b| (= ((_ extract 0 0) |x|) #b1))))
"""
FACTORS = """(set-logic QF_BV)
(declare-const |p| (_ BitVec 48))
(declare-const |q| (_ BitVec 48))
(declare-const |go| Bool)
(assert (=> |go| (= (bvmul |p| |q|) #x5af3e0aeed8f)))
(assert (and (bvult #x000000000001 |p|) (bvult |p| #x000001000000)))
(assert (and (bvult #x000000000001 |q|) (bvult |q| #x000001000000)))
"""


@pytest.fixture(params=[*SOLVERS, "z3 whole"])
def session(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """`TEXT` in each solver; in z3 also with no question answered by its incremental solver."""
    solver, *path = request.param.split()
    if path:
        monkeypatch.setattr(z3_session, "QUICK", 1)
    return open_session(solver, TEXT, BUDGETS[solver])


def test_answers_and_cores_follow_the_assumptions(session: Session):
    assert session.check(["|low|", "|odd|"]) == "sat"
    assert session.check(["|low|", "|odd|", "|high|"]) == "unsat"
    core = set(session.core())
    assert {"|low|", "|high|"} <= core <= {"|low|", "|high|", "|odd|"}
    assert session.check([]) == "sat"


def test_the_values_are_those_of_the_last_answer(session: Session):
    assert session.check(["|low|", "|odd|"]) == "sat"
    assert session.values(["|x|", "|b|"]) == [1, 1]
    assert session.check(["|high|", "|odd|"]) == "sat"
    x, b = session.values(["|x|", "|b|"])
    assert x > 0xF0
    assert (x & 1, b) == (1, 1)
    assert session.values([]) == []


def test_what_is_added_is_forgotten_when_its_frame_is_left(session: Session):
    session.push()
    session.add("(assert (= |x| #x02))\n")
    assert session.check(["|odd|"]) == "unsat"
    session.push()
    session.add("")
    assert session.check(["|low|"]) == "sat"
    session.pop()
    session.pop()
    assert session.check(["|odd|"]) == "sat"
    session.add("(declare-const |later| Bool)\n(assert (=> |later| (= |x| #xff)))\n")
    assert session.check(["|later|", "|low|"]) == "unsat"
    assert set(session.core()) == {"|later|", "|low|"}


def test_the_transcript_repeats_every_command(session: Session):
    session.check(["|low|"])
    session.push()
    session.add("(assert |b|)\n")
    session.check(["|odd|"])
    session.pop()
    asked = "(check-sat-assuming (|low|))\n(push 1)\n(assert |b|)\n(check-sat-assuming (|odd|))\n(pop 1)\n"
    assert session.transcript == TEXT + asked


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_budget_that_runs_out_gives_unknown(solver: str):
    session = open_session(solver, FACTORS, {"z3": 100_000, "bitwuzla": 500}[solver])
    assert session.check(["|go|"]) == "unknown"
    assert session.check([]) == "sat", "the next question has a budget of its own"
    assert session.spent > 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_a_question_costs_does_not_depend_on_the_session_before(solver: str):
    spent: list[int] = []
    for _ in range(2):
        session = open_session(solver, TEXT, BUDGETS[solver])
        session.check(["|low|", "|odd|", "|high|"])
        session.check(["|low|"])
        spent.append(session.spent)
    assert spent[0] == spent[1]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("text", ["(assert", "(assert |unknown|)", "(declare-const |x| (_ BitVec 0))"])
def test_a_text_that_a_solver_cannot_read_is_an_error_and_no_answer(solver: str, text: str):
    with pytest.raises(SolverError):
        open_session(solver, text + "\n", BUDGETS[solver]).check([])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_says_its_name_and_version(solver: str):
    name, number = version(solver).split()
    assert name == solver
    assert number[0].isdigit()
