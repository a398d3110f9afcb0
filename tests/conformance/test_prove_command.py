"""`slat prove` as programs see it: exit codes, streams, files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small
from commands import Slat

from verifier.obligations import prove
from verifier.obligations import run as running
from verifier.solvers.registry import open_session
from verifier.solvers.session import Answer, Session

# ---- exit codes


def test_expected_verdicts_are_exit_0_with_the_document_alone_on_standard_output(slat: Slat):
    said = slat()
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("5 claims, 3 proved, 2 refuted, 1 reachable, all as expected\n")


def test_an_unexpected_verdict_is_exit_1(slat: Slat):
    small.write(slat.root, small.CLAIMS + small.WRONG)
    said = slat()
    assert said.code == 1
    assert "1 not as expected" in said.out


def test_a_vacuous_claim_is_exit_1_and_names_the_assumption(slat: Slat):
    small.write(slat.root, small.CLAIMS.replace("assume k.red show", "assume k.red assume k.blue show"))
    said = slat()
    assert said.code == 1
    assert "unneeded: k.blue" in said.out


@pytest.mark.parametrize("solver", ["z3", "bitwuzla", "all"])
def test_a_budget_that_ran_out_is_exit_3_and_claims_nothing(slat: Slat, solver: str):
    small.write(slat.root, small.CLAIMS + small.HARD)
    said = slat("hard", "--solver", solver, "--rlimit", "5")
    assert said.code == 3
    assert "1 unknown" in said.out
    assert "0 proved, 0 refuted" in said.out


@pytest.mark.parametrize("at", [1, 2])
def test_a_budget_that_runs_out_before_a_claim_is_known_to_say_something_is_exit_3(
    slat: Slat, monkeypatch: pytest.MonkeyPatch, at: int
):
    class Tired:
        def __init__(self, session: Session) -> None:
            self._session = session
            self._asked = 0

        def __getattr__(self, name: str) -> object:
            return getattr(self._session, name)

        def check(self, assumptions: list[str]) -> Answer:
            self._asked += 1
            return self._session.check(assumptions) if self._asked <= at else "unknown"

    monkeypatch.setattr(prove, "open_session", lambda *given: Tired(open_session(*given)))
    said = slat("D1", "--no-cache", "--format", "json")
    (result,) = json.loads(said.out)["results"]
    assert (said.code, result["verdict"], result["vacuous"]) == (3, "unknown", None)


BAD_WORDS = {
    "an unknown claim": ["no_such_claim"],
    "an unknown option": ["--no-such-option"],
    "an unknown solver": ["--solver", "abacus"],
    "an unknown format": ["--format", "papyrus"],
    "no processes": ["--jobs", "0"],
    "a budget of nothing": ["--rlimit", "0"],
    "a budget in words": ["--rlimit", "much"],
    "an empty word": [""],
}


@pytest.mark.parametrize("kind", BAD_WORDS)
def test_a_bad_command_line_is_exit_2_and_nothing_is_printed_as_a_document(slat: Slat, kind: str):
    said = slat(*BAD_WORDS[kind])
    assert (said.code, said.out) == (2, "")
    assert said.err.strip()


def test_a_bad_specification_is_exit_2_with_its_place(slat: Slat):
    small.write(slat.root, small.CLAIMS + "invariant broken for x: bits(2) show x == 9")
    said = slat()
    assert (said.code, said.out) == (2, "")
    assert "proofs/doors.slat:20:43" in said.err


def test_a_directory_without_a_project_is_exit_2(slat: Slat, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert slat("--root", str(empty)).code == 2


# ---- what must not happen


def lie(monkeypatch: pytest.MonkeyPatch, solver: str, answer: Answer) -> None:
    """Makes every answer of a solver this one."""

    class Fixed:
        def __init__(self, session: Session) -> None:
            self._session = session

        def __getattr__(self, name: str) -> object:
            return getattr(self._session, name)

        def check(self, assumptions: list[str]) -> Answer:
            self._session.check(assumptions)
            return answer

        def core(self) -> tuple[str, ...]:
            return ()

    def opened(name: str, text: str, budget: int) -> object:
        session = open_session(name, text, budget)
        return Fixed(session) if name == solver else session

    monkeypatch.setattr(prove, "open_session", opened)


def test_solvers_that_disagree_are_exit_70_and_nothing_is_claimed(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    lie(monkeypatch, "bitwuzla", "sat")
    said = slat("--solver", "all", "--no-cache")
    assert (said.code, said.out) == (70, "")
    assert "a_red_key_opens: z3 says proved and bitwuzla says refuted" in said.err


def test_a_counterexample_that_does_not_replay_is_exit_70_and_is_not_shown(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    def wrong(_session: object, script: prove.Obligation, _explained: bool) -> prove.Model:
        return prove.Model({leaf.name: 0 for leaf in script.leaves}, True, (), ())  # type: ignore[attr-defined]

    monkeypatch.setattr(prove, "minimize", wrong)
    said = slat("--no-cache")
    assert (said.code, said.out) == (70, "")
    assert "the interpreter does not confirm the solver's model" in said.err


def test_a_bug_is_exit_70_without_a_traceback(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(prove, "minimize", broken)
    said = slat("--no-cache")
    assert (said.code, said.out) == (70, "")
    assert "internal error" in said.err


def test_a_process_that_dies_is_exit_70_and_nobody_waits_for_it(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    def dying(obligation: prove.Obligation, options: prove.Options) -> prove.Solved:
        if obligation.claim.name == "a_blue_key_opens":
            os.kill(os.getpid(), signal.SIGKILL)
        return prove.solve(obligation, options)

    monkeypatch.setattr(running, "solve", dying)
    said = slat("--no-cache", "--jobs", "2")
    assert (said.code, said.out) == (70, "")
    assert "the process that decided `a_blue_key_opens` was ended by SIGKILL; nothing is claimed" in said.err


def test_a_bug_in_another_process_is_exit_70_with_its_place(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(prove, "minimize", broken)
    said = slat("--no-cache", "--jobs", "2")
    assert (said.code, said.out) == (70, "")
    assert "internal error: KeyError: 'a bug' (test_prove_command.py:" in said.err


# ---- precedence: 70, 2, 1, 3


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_internal_error_outranks_a_place_that_cannot_be_written(
    slat: Slat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    lie(monkeypatch, "bitwuzla", "sat")
    monkeypatch.setattr(os, "replace", full)
    assert slat("--solver", "all", "--no-cache", "--json", str(tmp_path / "results.json")).code == 70


def test_a_place_that_cannot_be_written_outranks_an_unexpected_verdict(slat: Slat):
    small.write(slat.root, small.CLAIMS + small.WRONG)
    assert slat("--json", "/dev/null/results.json").code == 2


def test_an_unexpected_verdict_outranks_an_open_one(slat: Slat, monkeypatch: pytest.MonkeyPatch):
    small.write(slat.root, small.CLAIMS + small.WRONG + small.HARD)
    judge = prove.judge

    def tired(session: Session, obligation: prove.Obligation) -> prove.Solved:
        solved = judge(session, obligation)
        return prove.replace(solved, verdict="unknown") if obligation.claim.name == "hard" else solved

    monkeypatch.setattr(prove, "judge", tired)
    assert slat("--no-cache", "hard").code == 3
    said = slat("--no-cache")
    assert said.code == 1
    assert "1 unknown" in said.out


# ---- what is written


def test_the_specifications_are_never_changed(slat: Slat):
    before = {path: path.read_bytes() for path in slat.root.rglob("*.*") if path.is_file()}
    slat("--no-cache", "-v")
    assert {path: path.read_bytes() for path in slat.root.rglob("*.*") if path.is_file()} == before


# ---- a process of its own


def process(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", small.MAIN, "prove", "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, timeout=120, check=False)


def test_without_a_terminal_there_is_no_colour_and_no_progress(slat: Slat):
    small.write(slat.root, small.CLAIMS + small.WRONG)
    done = process(slat.root, "--no-cache", "-v", "--jobs", "2")
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\r" not in done.stdout + done.stderr


def test_a_reader_that_goes_away_is_no_error(slat: Slat):
    command = [sys.executable, "-c", small.MAIN, "prove", "--root", str(slat.root), "-v"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        said = child.stderr.read()
        code = child.wait(timeout=120)
    assert said == b""
    assert code == 0
