"""z3, driven by SMT-LIB text.

In: a script. Out: a `Session`. z3 lives here only.
Guarantee: a fresh context per session, so that the resource count of a question does not depend on what came before;
the budget holds for each question.
Trusted: no, see `session`.

A question goes first to z3's incremental solver, which answers most within `QUICK` units and gives precise cores. What
it cannot answer goes to a fresh context, where z3 preprocesses the whole script before it searches: some fifty times
faster on large scripts, with coarser cores.
"""
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (z3 has no type stubs.)

from __future__ import annotations

import re
from collections.abc import Sequence

import z3

from verifier.solvers.session import Answer, SolverError

QUICK = 6_000_000
_VALUE = re.compile(r"(#x[0-9a-f]+|#b[01]+|true|false)\)")
_SYMBOL = re.compile(r"\|[^|]*\||[^\s()|]+")
_INCREMENTAL = "(set-option :produce-unsat-assumptions true)\n(set-option :sat.core.minimize true)\n"
_WHOLE = "(set-option :produce-unsat-cores true)\n"
_TACTIC = "(then simplify propagate-values solve-eqs elim-uncnstr simplify bit-blast sat)"


def version() -> str:
    """The name and version of the solver."""
    return f"z3 {z3.get_version_string()}"


class _Context:
    """One z3 context that evaluates SMT-LIB commands."""

    def __init__(self, budget: int, text: str) -> None:
        self._context = z3.Context()
        self._before = self._count()
        self.run(f"{text}(set-option :rlimit {budget})\n")

    def _count(self) -> int:
        return int(re.sub(r"\D", "", self.run("(get-info :rlimit)")) or 0)

    @property
    def spent(self) -> int:
        return self._count() - self._before

    def run(self, commands: str) -> str:
        try:
            answer: str = z3.Z3_eval_smtlib2_string(self._context.ref(), commands)
        except z3.Z3Exception as error:
            raise SolverError(f"z3: {error}") from None
        if "(error" in answer:
            raise SolverError(f"z3: {answer.strip()}")
        return answer

    def answer(self, command: str) -> Answer:
        match self.run(command).strip():
            case "sat":
                return "sat"
            case "unsat":
                return "unsat"
            case "unknown":
                return "unknown"
            case other:
                raise SolverError(f"z3: {other}")


class Z3Session:
    """A script in z3; `budget` is in units of z3's `rlimit`, for each question."""

    def __init__(self, text: str, budget: int) -> None:
        self._budget = budget
        self._asked = [text]
        self._frames = [[text]]
        self._incremental = _Context(min(QUICK, budget), _INCREMENTAL + text)
        self._whole: _Context | None = None
        self._spent_whole = 0
        self._assumed: tuple[str, ...] = ()

    @property
    def transcript(self) -> str:
        return "".join(self._asked)

    @property
    def spent(self) -> int:
        return self._incremental.spent + self._spent_whole

    def check(self, assumptions: Sequence[str]) -> Answer:
        command = f"(check-sat-assuming ({' '.join(assumptions)}))\n" if assumptions else "(check-sat)\n"
        self._asked.append(command)
        self._whole = None
        answer = self._incremental.answer(command)
        if answer != "unknown" or self._budget <= QUICK:
            return answer
        return self._check_whole(tuple(assumptions))

    def _check_whole(self, assumptions: tuple[str, ...]) -> Answer:
        asserted = "".join(text for frame in self._frames for text in frame)
        named = "".join(f"(assert (! {name} :named |a{i}|))\n" for i, name in enumerate(assumptions))
        self._assumed = assumptions
        self._whole = _Context(self._budget, _WHOLE + asserted + named)
        answer = self._whole.answer(f"(check-sat-using {_TACTIC})")
        self._spent_whole += self._whole.spent
        return answer

    def core(self) -> tuple[str, ...]:
        if self._whole is not None:
            found = re.findall(r"a(\d+)", self._whole.run("(get-unsat-core)"))
            return tuple(self._assumed[int(i)] for i in found)
        answer = self._incremental.run("(get-unsat-assumptions)")
        return tuple(w if w.startswith("|") else f"|{w}|" for w in _SYMBOL.findall(answer))

    def values(self, names: Sequence[str]) -> list[int]:
        if not names:
            return []
        context = self._whole or self._incremental
        found = _VALUE.findall(context.run(f"(get-value ({' '.join(names)}))"))
        if len(found) != len(names):
            raise SolverError("z3: values are missing")
        return [_number(word) for word in found]

    def add(self, commands: str) -> None:
        self._asked.append(commands)
        self._frames[-1].append(commands)
        self._incremental.run(commands)

    def push(self) -> None:
        self._asked.append("(push 1)\n")
        self._frames.append([])
        self._incremental.run("(push 1)")

    def pop(self) -> None:
        self._asked.append("(pop 1)\n")
        self._frames.pop()
        self._incremental.run("(pop 1)")


def _number(word: str) -> int:
    if word.startswith("#"):
        return int(word[2:], 16 if word[1] == "x" else 2)
    return int(word == "true")
