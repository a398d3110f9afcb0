"""z3, driven by SMT-LIB text.

In: a script. Out: a `Session`. z3 lives here only.
Guarantee: a fresh context per session, so that the resource count of a question does not depend on what came before;
the budget holds for each question.
Trusted: no, see `session`.
"""
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (z3 has no type stubs.)

from __future__ import annotations

import re
from collections.abc import Sequence

import z3

from verifier.solvers.session import Answer, SolverError

_VALUE = re.compile(r"(#x[0-9a-f]+|#b[01]+|true|false)\)")
_SYMBOL = re.compile(r"\|[^|]*\||[^\s()|]+")
OPTIONS = "(set-option :produce-unsat-assumptions true)\n(set-option :sat.core.minimize true)\n"


def version() -> str:
    """The name and version of the solver."""
    return f"z3 {z3.get_version_string()}"


class Z3Session:
    """A script in z3; `budget` is in units of z3's `rlimit`, for each question."""

    def __init__(self, text: str, budget: int) -> None:
        self._context = z3.Context()
        self._asked = [text]
        self._before = self._count()
        self._run(f"{OPTIONS}(set-option :rlimit {budget})\n{text}")

    @property
    def transcript(self) -> str:
        return "".join(self._asked)

    @property
    def spent(self) -> int:
        return self._count() - self._before

    def _count(self) -> int:
        return int(re.sub(r"\D", "", self._run("(get-info :rlimit)")) or 0)

    def _run(self, commands: str) -> str:
        answer: str = z3.Z3_eval_smtlib2_string(self._context.ref(), commands)
        if "(error" in answer:
            raise SolverError(f"z3: {answer.strip()}")
        return answer

    def check(self, assumptions: Sequence[str]) -> Answer:
        command = f"(check-sat-assuming ({' '.join(assumptions)}))\n"
        self._asked.append(command)
        match self._run(command).strip():
            case "sat":
                return "sat"
            case "unsat":
                return "unsat"
            case "unknown":
                return "unknown"
            case other:
                raise SolverError(f"z3: {other}")

    def core(self) -> tuple[str, ...]:
        answer = self._run("(get-unsat-assumptions)")
        return tuple(w if w.startswith("|") else f"|{w}|" for w in _SYMBOL.findall(answer))

    def values(self, names: Sequence[str]) -> list[int]:
        if not names:
            return []
        found = _VALUE.findall(self._run(f"(get-value ({' '.join(names)}))"))
        if len(found) != len(names):
            raise SolverError("z3: values are missing")
        return [_number(word) for word in found]

    def add(self, commands: str) -> None:
        self._asked.append(commands)
        self._run(commands)

    def push(self) -> None:
        self.add("(push 1)\n")

    def pop(self) -> None:
        self.add("(pop 1)\n")


def _number(word: str) -> int:
    if word.startswith("#"):
        return int(word[2:], 16 if word[1] == "x" else 2)
    return int(word == "true")
