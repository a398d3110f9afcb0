"""Counterexamples on the reference MMU.

In: the values of a claim's example. Out: the same walks run by `models`, which must agree with the specifications.
Guarantee: outcome, exit qualification with its defined bits, physical address, flags and #VE are compared, and every
difference is told: never a finding, always a bug of either side. The specifications are evaluated by the interpreter.
Trusted: no, checked by tests/differential.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.scenario import read_scenario
from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    Outcome,
    SppEvent,
    Translated,
    VirtualizationException,
    access,
)
from verifier.cli.replay_scenario import LEVELS, Fields, Situation, Unrealisable, scenario
from verifier.core.interpret import apply
from verifier.core.values import Value
from verifier.types import typed
from verifier.types.kinds import Enum, List, Record, Type

NAME = "reference MMU"
EPT = "sdm.ept."
WALK, ACCESS, AROUND = f"{EPT}walk.EptWalk", f"{EPT}access.EptAccess", f"{EPT}qualification.EptCircumstances"
NEEDED = (
    "walk.used", "outcome.outcome", "qualification.qualification", "qualification.defined_bits",
    "exit.sub_page_qualification", "virtualization_exception.causes_virtualization_exception",
    "accessed_dirty.after", "address.final_address", "address.entry_address",
)  # fmt: skip
ORDINARY: Fields = {
    "nmi_exiting": False, "virtual_nmis": False, "unblocked_by_iret": False, "protected_mode": True,
    "prematurely_busy_shadow_stack": False, "in_use": 0, "exception_bitmap": 0,
}  # fmt: skip
TRIED = (
    ("DATA_READ", False), ("DATA_WRITE", False), ("INSTRUCTION_FETCH", False),
    ("DATA_READ", True), ("DATA_WRITE", True), ("INSTRUCTION_FETCH", True),
)  # fmt: skip
SPP_BITS = 1 << 11 | 1 << 12 | 1 << 16
"""The bits of an SPP event's qualification that can be defined; bit 12 is so where a violation's would be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What either side says of one access; parts that an outcome does not have are 0 or empty.

    `outcome` is a member of `EptOutcome`, or "#VE"; undefined bits of `qualification` are 0.
    """

    outcome: str
    qualification: int = 0
    defined: int = 0
    host_physical_address: int = 0
    written: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        said = f"{self.outcome} qualification {self.qualification:#x} of {self.defined:#x}"
        words = ", ".join(f"{address:#x}: {word:#x}" for address, word in self.written)
        return f"{said} at {self.host_physical_address:#x}, writes {{{words}}}"


@dataclass(frozen=True, slots=True)
class Specification:
    """The functions of `specs/sdm/ept` that say what becomes of an access, and the types of what they take."""

    functions: dict[str, typed.Function]
    walk: Record
    access: Record
    around: Record

    def call(self, name: str, *arguments: Value) -> Any:
        """The interpreter's value of the function `name` of `sdm.ept`; each undefined value is 0."""
        return apply(self.functions[EPT + name], arguments)

    def situation(self, walk: Value, access: Value, around: Value) -> Situation:
        """The values with the names of their fields."""
        fields, by_name = _fields(self.walk, walk), _fields(self.access, access)
        levels = {5 - i: name for i, name in enumerate(LEVELS)}
        return Situation(
            walk=fields,
            controls=_fields(self.walk.fields[0].kind, fields["controls"]),
            access=by_name,
            linear=_fields(_kind(self.access, "linear"), by_name["linear"]),
            around=_fields(self.around, around),
            used=tuple(levels[step[0]] for step in self.call("walk.used", walk)),
            kind=_member(_kind(self.access, "kind"), by_name["kind"]),
            cause=_member(_kind(self.access, "cause"), by_name["cause"]),
            sub_page=_member(_kind(self.access, "sub_page"), by_name["sub_page"]),
        )

    def verdict(self, walk: Value, access: Value, around: Value) -> Verdict:
        """What the specifications say."""
        outcome = _member(self.functions[f"{EPT}outcome.outcome"].result, self.call("outcome.outcome", walk, access))
        match outcome:
            case "TRANSLATED":
                address = self.call("address.final_address", walk)
                return Verdict(outcome, host_physical_address=address, written=self._written(walk, access))
            case "EPT_VIOLATION":
                defined = self.call("qualification.defined_bits", walk, access, around)
                bits = self.call("qualification.qualification", walk, access, around)
                name = "virtualization_exception.causes_virtualization_exception"
                return Verdict("#VE" if self.call(name, walk, access, around) else outcome, bits & defined, defined)
            case "SUB_PAGE_EVENT":
                defined = self.call("qualification.defined_bits", walk, access, around) & SPP_BITS | 1 << 11
                return Verdict(outcome, self.call("exit.sub_page_qualification", access, around) & defined, defined)
            case _:
                return Verdict(outcome)

    def _written(self, walk: Value, access: Value) -> tuple[tuple[int, int], ...]:
        before, after = _fields(self.walk, walk), _fields(self.walk, self.call("accessed_dirty.after", walk, access))
        changed = [name for name in LEVELS if before[name] != after[name]]
        places = (self.call("address.entry_address", walk, 5 - LEVELS.index(name)) for name in changed)
        return tuple(sorted(zip(places, (after[name] for name in changed), strict=True)))


def specification(checked: typed.Checked) -> Specification | None:
    """The specifications of a program, or None if it has other ones."""
    types = [checked.types.get(name) for name in (WALK, ACCESS, AROUND)]
    functions = {EPT + name: checked.functions.get(EPT + name) for name in NEEDED}
    walk, access, around = types
    found = {name: function for name, function in functions.items() if function is not None}
    if not (isinstance(walk, Record) and isinstance(access, Record) and isinstance(around, Record)):
        return None
    return Specification(found, walk, access, around) if len(found) == len(NEEDED) else None


def _fields(kind: Type, value: Any) -> Fields:
    assert isinstance(kind, Record)
    return {field.name: part for field, part in zip(kind.fields, value, strict=True)}


def _kind(record: Record, name: str) -> Type:
    return record.fields[record.position(name)].kind


def _member(kind: Type, value: int) -> str:
    assert isinstance(kind, Enum)
    return next(name for name, number in kind.members if number == value)


def compare(spec: Specification, walk: Value, access: Value, around: Value) -> tuple[Fields, Verdict, Verdict]:
    """The scenario of an access, what the specifications say of it, and what the reference MMU says.

    Raises `Unrealisable`. The specifications judge the walk that is in the scenario's memory.
    """
    document = scenario(spec.situation(walk, access, around))
    realised = {
        **_fields(spec.walk, walk),
        "root": int(document["vmcs"]["eptp"], 16) & (1 << 52) - (1 << 12),
        "guest_physical": int(document["access"]["guest_physical_address"], 16),
    }
    return document, spec.verdict(tuple(realised.values()), access, around), run(document)


def run(document: Fields) -> Verdict:
    """What the reference MMU says of a scenario."""
    one = read_scenario(document)
    return observed(access(one.machine, one.request))


def observed(outcome: Outcome) -> Verdict:
    """An outcome of the reference MMU as a verdict."""
    match outcome:
        case Translated():
            written = tuple(sorted(outcome.memory_written.items()))
            return Verdict("TRANSLATED", host_physical_address=outcome.host_physical_address, written=written)
        case EptViolation():
            return Verdict("EPT_VIOLATION", outcome.qualification, outcome.defined)
        case VirtualizationException():
            return Verdict("#VE", outcome.qualification, outcome.defined)
        case SppEvent():
            return Verdict("SUB_PAGE_EVENT", outcome.qualification, outcome.defined)
        case EptMisconfiguration():
            return Verdict("EPT_MISCONFIGURATION")
        case _:
            return Verdict(type(outcome).__name__)


class Referee:
    """Replays the examples of one program, whose version has this label.

    `saved` receives the scenarios that were run, by file name; `disagreements` where the two sides differ.
    """

    def __init__(
        self, checked: typed.Checked, label: str | None, saved: dict[str, str], disagreements: list[str]
    ) -> None:
        self._spec = specification(checked)
        self._label = label
        self.saved = saved
        self.disagreements = disagreements

    def __call__(self, claim: typed.Claim, env: dict[str, Value]) -> str | None:
        """The name of the machine that confirmed every walk of the example, or None if it did not."""
        spec = self._spec
        if spec is None:
            return None
        found = [leaf for param in claim.params for leaf in _records(param.type, param.name, env[param.name])]
        walks = [(name, value) for kind, name, value in found if kind is spec.walk]
        accesses = [value for kind, _, value in found if kind is spec.access]
        around = [value for kind, _, value in found if kind is spec.around] or [tuple(ORDINARY.values())]
        tries = [(a, b) for a in accesses or _usual_accesses(spec) for b in around]
        try:
            confirmed = [self._replay(claim, name, walk, tries) for name, walk in walks]
        except Unrealisable:
            return None
        return NAME if confirmed and all(confirmed) else None

    def _replay(self, claim: typed.Claim, name: str, walk: Value, tries: list[tuple[Value, Value]]) -> bool:
        assert self._spec is not None
        agreed = True
        for position, (one, around) in enumerate(tries):
            document, expected, found = compare(self._spec, walk, one, around)
            if expected != found:
                said = f"the interpreter says {expected}, the reference MMU {found}"
                self.disagreements.append(f"{claim.name}: {name}: {said}: {json.dumps(document)}")
                agreed = False
            if position == 0:
                self._keep(claim, name, document)
        return agreed

    def _keep(self, claim: typed.Claim, name: str, document: Fields) -> None:
        file = ".".join(filter(None, (claim.name, self._label, name, "json")))
        if file in self.saved:
            file = f"{claim.module}.{file}"
        self.saved[file] = json.dumps(document, indent=2) + "\n"


def _records(kind: Type, name: str, value: Any) -> Iterator[tuple[Record, str, Value]]:
    """Every record inside a value, itself included."""
    match kind:
        case Record():
            yield kind, name, value
            for field, part in zip(kind.fields, value, strict=True):
                yield from _records(field.kind, f"{name}.{field.name}", part)
        case List():
            for position, part in enumerate(value):
                yield from _records(kind.element, f"{name}[{position}]", part)
        case _:
            return


def _usual_accesses(spec: Specification) -> Iterator[Value]:
    """For claims without an access: read, write and fetch, in both modes."""
    kind = _kind(spec.access, "kind")
    assert isinstance(kind, Enum)
    numbers = dict(kind.members)
    for name, user in TRIED:
        given: Fields = {"kind": numbers[name], "linear": (user, True, False), "guest_paging_verified": True}
        yield tuple(given.get(field.name, 0 if isinstance(field.kind, Enum) else False) for field in spec.access.fields)
