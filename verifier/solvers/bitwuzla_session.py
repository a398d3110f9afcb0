"""bitwuzla, driven by SMT-LIB text.

In: a script. Out: a `Session`. bitwuzla lives here only.
Guarantee: the budget counts how often the solver asks whether to stop, so that it does not depend on the clock.
Trusted: no, see `session`.
"""
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false
# (bitwuzla has no type stubs.)

from __future__ import annotations

from collections.abc import Sequence

import bitwuzla

from verifier.solvers.session import Answer, SolverError


def version() -> str:
    """The name and version of the solver."""
    return f"bitwuzla {bitwuzla.version()}"


class BitwuzlaSession:
    """A script in bitwuzla; `budget` bounds the calls of the solver's terminator for each question."""

    def __init__(self, text: str, budget: int) -> None:
        options = bitwuzla.Options()
        options.set(bitwuzla.Option.PRODUCE_MODELS, True)
        options.set(bitwuzla.Option.PRODUCE_UNSAT_ASSUMPTIONS, True)
        self._budget = budget
        self._asked = [text]
        self._calls = 0
        self._start = 0
        self._assumed: dict[str, object] = {}
        try:
            self._parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
            self._parser.parse(text, True, False)
            self._solver = self._parser.bitwuzla()
        except bitwuzla.BitwuzlaException as error:
            raise SolverError(f"bitwuzla: {error}") from None
        self._solver.configure_terminator(self._is_over)

    def _is_over(self) -> bool:
        self._calls += 1
        return self._calls - self._start > self._budget

    @property
    def transcript(self) -> str:
        return "".join(self._asked)

    @property
    def spent(self) -> int:
        return self._calls

    def check(self, assumptions: Sequence[str]) -> Answer:
        command = f"(check-sat-assuming ({' '.join(assumptions)}))\n" if assumptions else "(check-sat)\n"
        self._asked.append(command)
        self._start = self._calls
        self._assumed = {name: self._parser.parse_term(name) for name in assumptions}
        result = self._solver.check_sat(*self._assumed.values())
        if result == bitwuzla.Result.SAT:
            return "sat"
        return "unsat" if result == bitwuzla.Result.UNSAT else "unknown"

    def core(self) -> tuple[str, ...]:
        failed = set(self._solver.get_unsat_assumptions())
        return tuple(name for name, term in self._assumed.items() if term in failed)

    def values(self, names: Sequence[str]) -> list[int]:
        found = (self._solver.get_value(self._parser.parse_term(name)) for name in names)
        return [int(v.value()) if v.sort().is_bool() else int(v.value(10)) for v in found]

    def add(self, commands: str) -> None:
        if not commands:
            return
        self._asked.append(commands)
        self._parser.parse(commands, True, False)

    def push(self) -> None:
        self._asked.append("(push 1)\n")
        self._solver.push(1)

    def pop(self) -> None:
        self._asked.append("(pop 1)\n")
        self._solver.pop(1)
