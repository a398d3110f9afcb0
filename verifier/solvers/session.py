"""What a solver offers: one text loaded, many questions.

In: SMT-LIB text and the names of selectors. Out: answers, cores and values.
Guarantee: an answer is `sat`, `unsat` or `unknown`; whatever else a solver does is an exception, never a verdict.
Trusted: no: models are replayed, and two solvers can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

Answer = Literal["sat", "unsat", "unknown"]


class SolverError(Exception):
    """A solver answered something that is no answer."""


class Session(Protocol):
    """One script in one solver. Names are SMT-LIB symbols, terms are SMT-LIB text."""

    @property
    def transcript(self) -> str:
        """Everything that was asked, as one SMT-LIB script."""
        ...

    @property
    def spent(self) -> int:
        """Units of the solver's own resource count used so far."""
        ...

    def check(self, assumptions: Sequence[str]) -> Answer:
        """Whether everything asserted and assumed can hold together."""
        ...

    def core(self) -> tuple[str, ...]:
        """The assumptions that the last `unsat` rests on."""
        ...

    def values(self, names: Sequence[str]) -> list[int]:
        """The numbers that the last `sat` gives to names (truth values as 0 and 1)."""
        ...

    def add(self, commands: str) -> None:
        """Declares and asserts."""
        ...

    def push(self) -> None: ...

    def pop(self) -> None: ...
