"""Counterexamples on the reference MMU.

In: the values of a claim's example. Out: the same walks run by `models`, which must agree with the specifications.
Guarantee: every difference is told: never a finding, always a mistake of either side. A walk that could only be
realised as one of which the claim says something else is not replayed, nor are specifications that lack a part.
Trusted: no, checked by tests/differential.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

from verifier.cli.contradiction import Contradiction
from verifier.cli.replay_case import ept_case, guest_case
from verifier.cli.replay_ept import ORDINARY, Incomplete, Verdict, compare, specification, usual_accesses
from verifier.cli.replay_guest import compare_guest, guest_specification
from verifier.cli.replay_guest_around import guest_around
from verifier.cli.replay_scenario import Fields, NeedsGuest, Unrealisable
from verifier.cli.replay_shadow import shadow
from verifier.core.interpret import evaluate
from verifier.core.values import Value
from verifier.names.project import GAPS
from verifier.obligations.access_case import AccessCase, Escalation
from verifier.obligations.prove import Replayed
from verifier.types import typed
from verifier.types.kinds import List, Record, Type

NAME = "reference MMU"
Env = dict[str, Value]
Other = Callable[[str, Value], Value]
"""What stands for a value, given its path too."""
Run = tuple[Fields, tuple[Verdict, Verdict]]
"""A scenario, and what either side says of it."""


class Referee:
    """Replays the examples of one program, whose version has this label.

    `saved` receives the scenarios that were run, by file name; `disagreements` where the two sides differ, and what
    keeps every walk of the program from being run.
    """

    def __init__(
        self, checked: typed.Checked, label: str | None, saved: dict[str, str], disagreements: list[str]
    ) -> None:
        self._ept = self._guest = self._shadow = None
        try:
            self._ept = specification(checked)
            self._guest = guest_specification(checked, self._ept)
            self._shadow = None if self._ept is None else shadow(checked, self._ept)
        except Incomplete as error:
            disagreements.append(str(error))
        self._label = label
        self.saved = saved
        self.disagreements = disagreements
        self._accesses: list[AccessCase] = []
        self._escalation: Escalation | None = None

    def __call__(self, claim: typed.Claim, env: Env) -> Replayed | None:
        """Whether the reference MMU confirmed every walk of the example; None if it could not run them."""
        confirmed: list[bool] = []
        self._accesses = []
        self._escalation = None
        try:
            confirmed.extend(self._replay_ept(claim, env))
            confirmed.extend(self._replay_guests(claim, env))
            confirmed.extend(self._replay_escalation(claim, env))
        except Unrealisable:
            if all(confirmed):
                return None
        return Replayed(NAME, all(confirmed), tuple(self._accesses), self._escalation) if confirmed else None

    def _replay_ept(self, claim: typed.Claim, env: Env) -> Iterator[bool]:
        spec = self._ept
        if spec is None:
            return
        found = [leaf for param in claim.params for leaf in _records(param.type, param.name, env[param.name])]
        walks = [(name, value) for kind, name, value in found if kind is spec.walk]
        accesses = [value for kind, _, value in found if kind is spec.access]
        around = [value for kind, _, value in found if kind is spec.around] or [ORDINARY]
        try:
            for name, walk in walks:
                yield self._replay_walk(claim, (name, walk), accesses or list(usual_accesses(spec)), around)
        except NeedsGuest:
            if len(walks) != 1 or len(accesses) != 1:
                raise
            yield self._replay_in_guest(claim, env, walks[0], accesses[0])

    def _replay_walk(
        self, claim: typed.Claim, named: tuple[str, Value], accesses: list[Value], around: list[Value]
    ) -> bool:
        name, walk = named
        cases = [self._walked(name, (walk, one, other)) for one in accesses for other in around]
        self._accesses.extend(case for case, _ in cases)
        return self._agree(claim, name, [run for _, run in cases])

    def _walked(self, name: str, walked: tuple[Value, Value, Value]) -> tuple[AccessCase, Run]:
        """An access to EPT alone on both sides: the walk, the access and its circumstances."""
        assert self._ept is not None
        document, said, seen = compare(self._ept, *walked)
        return ept_case(self._ept, name, walked, document, said), (document, (said, seen))

    def _replay_in_guest(self, claim: typed.Claim, env: Env, named: tuple[str, Value], access: Value) -> bool:
        """An access that EPT judges by how the guest's own entries are mapped, in a guest made for it."""
        ept, guest = self._ept, self._guest
        if ept is None or guest is None:
            raise NeedsGuest
        name, walk = named
        at, there, said, seen = compare_guest(guest, guest_around(guest, walk, access))
        ept_walk, ept_access = guest.at_the_final_address(there)
        for kind, value in ((ept.walk, ept_walk), (ept.access, ept_access), (ept.around, ORDINARY)):
            env = _replaced_all(claim, env, kind, partial(_constant, value))
        if not _is_example(claim, env):
            raise Unrealisable("the claim says something else of what a guest can do")
        self._accesses.append(guest_case(guest, name, there, at.document, said))
        return self._agree(claim, name, [(at.document, (said, seen))])

    def _replay_escalation(self, claim: typed.Claim, env: Env) -> Iterator[bool]:
        """The access that EPT12 denies and EPT02 lets pass; both walks are kept beside the others."""
        found = None if self._shadow is None else self._shadow.escalation(claim, env)
        if found is None:
            return
        ept12, denied = self._walked("ept12", (found.ept12, found.access, ORDINARY))
        ept02, allowed = self._walked("ept02", (found.ept02, found.access, ORDINARY))
        self._escalation = Escalation(ept12, ept02, found.role, found.cause)
        yield self._agree(claim, "escalation.ept12", [denied])
        yield self._agree(claim, "escalation.ept02", [allowed])

    def _replay_guests(self, claim: typed.Claim, env: Env) -> Iterator[bool]:
        """Raises `Unrealisable` too if the claim says something else of what is in memory."""
        spec = self._guest
        if spec is None:
            return
        reasons: list[Unrealisable] = []
        for variant in (spec.as_it_is, spec.with_final_page_among_the_tables):
            try:
                runs = self._realised(claim, env, variant)
            except Unrealisable as reason:
                reasons.append(reason)
                continue
            for case, run in runs:
                self._accesses.append(case)
                yield self._agree(claim, case.walk, [run])
            return
        raise reasons[0]

    def _realised(
        self, claim: typed.Claim, env: Env, variant: Callable[[Value], Value]
    ) -> list[tuple[AccessCase, Run]]:
        spec, runs = self._guest, list[tuple[AccessCase, Run]]()
        assert spec is not None

        def realised(name: str, walk: Value) -> Value:
            at, there, said, seen = compare_guest(spec, variant(walk))
            runs.append((guest_case(spec, name, there, at.document, said), (at.document, (said, seen))))
            return there

        there = _replaced_all(claim, env, spec.walk, realised)
        if runs and not _is_example(claim, there):
            raise Unrealisable("the claim says something else of what a machine can hold")
        return runs

    def _agree(self, claim: typed.Claim, name: str, runs: list[Run]) -> bool:
        """Whether both sides say the same of every access; the scenario of one is kept: one of which they do not."""
        differing = [(document, (said, seen)) for document, (said, seen) in runs if said != seen]
        document, verdicts = (differing or runs)[0]
        file = self._keep(claim, name, document)
        if differing:
            found = Contradiction(claim.name, self._again(claim), document, file, verdicts, len(differing) - 1)
            self.disagreements.append(str(found))
        return not differing

    def _again(self, claim: typed.Claim) -> tuple[str, ...]:
        """The command that makes this example."""
        folder, _, gap = claim.module.partition(".")
        if folder == GAPS:
            return ("slat", "vectors", "--gap", gap)
        return ("slat", "prove", claim.name, *(("--series", self._label) if self._label else ()))

    def _keep(self, claim: typed.Claim, name: str, document: Fields) -> str:
        file = ".".join(filter(None, (claim.name, self._label, name, "json")))
        if file in self.saved:
            file = f"{claim.module}.{file}"
        self.saved[file] = json.dumps(document, indent=2) + "\n"
        return file


def _is_example(claim: typed.Claim, env: Env) -> bool:
    """Whether the values are a counterexample, or an example of a witness."""
    assumed = all(evaluate(assumption, env) for assumption in claim.assumptions)
    return assumed and bool(evaluate(claim.show, env)) == (claim.kind == "witness")


def _records(kind: Type, name: str, value: Value) -> Iterator[tuple[Record, str, Value]]:
    """Every record inside a value, itself included."""
    if isinstance(kind, Record):
        yield kind, name, value
    for inner, path, part in _parts(kind, name, value):
        yield from _records(inner, path, part)


def _replaced_all(claim: typed.Claim, env: Env, wanted: Record, other: Other) -> Env:
    """The values with another one for every record of that type inside them."""

    def replaced(kind: Type, name: str, value: Value) -> Value:
        if kind is wanted:
            return other(name, value)
        parts = list(_parts(kind, name, value))
        return tuple(replaced(*part) for part in parts) if parts else value

    return {param.name: replaced(param.type, param.name, env[param.name]) for param in claim.params}


def _constant(value: Value, _name: str, _value: Value) -> Value:
    return value


def _parts(kind: Type, name: str, value: Value) -> Iterator[tuple[Type, str, Value]]:
    """The fields of a record, the elements of a list."""
    match kind:
        case Record():
            assert isinstance(value, tuple)
            for field, part in zip(kind.fields, value, strict=True):
                yield field.kind, f"{name}.{field.name}", part
        case List():
            assert isinstance(value, tuple)
            for position, part in enumerate(value):
                yield kind.element, f"{name}[{position}]", part
        case _:
            return
