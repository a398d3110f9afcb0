"""What a proof run says of one claim.

In: verdicts, models and reasons. Out: frozen values that reports render and the cache stores.
Guarantee: three verdicts (and `not_modelled`); a vacuous claim is never as expected.
Trusted: yes, small.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.core.show import Named
from verifier.obligations.access_case import AccessCase, Escalation
from verifier.obligations.explain import Reason


@dataclass(frozen=True, slots=True)
class Shown:
    """One input of a counterexample: `name` and what of it matters.

    `matters`: without it the claim need not fail; `assumed`: without it the assumptions need not hold. `named`: a
    bitfield by its fields.
    """

    name: str
    value: str
    raw: str
    matters: bool
    assumed: bool = False
    named: Named = Named()  # noqa: RUF009  (frozen)


@dataclass(frozen=True, slots=True)
class Example:
    """A counterexample of an invariant, or the example of a witness.

    `replayed` names the machines that confirm it, `contradicted_by` those of which its walks say something else.
    `accesses` are its walks as they were replayed; `escalation` is one that KVM lets L2 make there, if it does.
    """

    values: tuple[Shown, ...]
    unique: bool
    replayed: tuple[str, ...]
    because: tuple[Reason, ...]
    contradicted_by: tuple[str, ...] = ()
    accesses: tuple[AccessCase, ...] = ()
    escalation: Escalation | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the solvers said: `rlimit` is in units of the first solver, `milliseconds` of the whole."""

    verdict: str
    vacuous: str | None
    core: tuple[str, ...]
    example: Example | None
    solvers: tuple[str, ...]
    rlimit: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Citation:
    manual: str
    title: str


@dataclass(frozen=True, slots=True)
class Result:
    """A claim with its outcome. `file` is relative to the project, `line` counts from 1."""

    kind: str
    name: str
    ids: tuple[str, ...]
    module: str
    file: str
    line: int
    statement: str
    series: str | None
    expect: str
    reason: str
    citations: tuple[Citation, ...]
    outcome: Outcome

    @property
    def as_expected(self) -> bool:
        return self.outcome.verdict == self.expect and self.outcome.vacuous is None
