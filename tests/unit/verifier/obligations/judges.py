"""Solvers that lie.

In: a real session. Out: one that answers otherwise.
Guarantee: what a test plays with these can only end in an internal error or in `unknown`, never in a verdict.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from verifier.obligations import prove
from verifier.solvers.registry import open_session
from verifier.solvers.session import Answer, Session


class Liar:
    """A session that passes everything on, and changes the answer to its `at`-th question."""

    def __init__(self, session: Session, at: int, answer: Answer | None, flip: bool = False) -> None:
        self._session = session
        self._left = at
        self._answer = answer
        self._flip = flip
        self.asked: list[tuple[str, ...]] = []

    @property
    def transcript(self) -> str:
        return self._session.transcript

    @property
    def spent(self) -> int:
        return self._session.spent

    def check(self, assumptions: Sequence[str]) -> Answer:
        self.asked.append(tuple(assumptions))
        found = self._session.check(assumptions)
        self._left -= 1
        return self._answer if self._left == -1 and self._answer is not None else found

    def core(self) -> tuple[str, ...]:
        return self._session.core()

    def values(self, names: Sequence[str]) -> list[int]:
        found = self._session.values(names)
        return [value ^ 1 for value in found] if self._flip else found

    def add(self, commands: str) -> None:
        self._session.add(commands)

    def push(self) -> None:
        self._session.push()

    def pop(self) -> None:
        self._session.pop()


def install(monkeypatch: pytest.MonkeyPatch, solver: str, make: Callable[[Session], Session]) -> None:
    """Lets `make` stand between the prover and the solver of that name."""

    def opened(name: str, text: str, budget: int) -> Session:
        session = open_session(name, text, budget)
        return make(session) if name == solver else session

    monkeypatch.setattr(prove, "open_session", opened)
