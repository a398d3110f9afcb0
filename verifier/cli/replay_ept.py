"""EPT walks on both sides: what the specifications say of an access, and what the reference MMU does.

In: the values of an `EptWalk`, an `EptAccess` and its `EptCircumstances`. Out: a `Verdict` of either side.
Guarantee: a verdict has outcome, exit qualification with its defined bits, physical address, flags and #VE. The
specifications are evaluated by the interpreter.
Trusted: no, checked by tests/differential.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

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
from verifier.cli.replay_scenario import LEVELS, Fields, Situation, scenario
from verifier.core.interpret import apply
from verifier.core.values import Value, zero
from verifier.types import typed
from verifier.types.kinds import Enum, Record, Type

EPT = "sdm.ept."
WALK, ACCESS, AROUND = f"{EPT}walk.EptWalk", f"{EPT}access.EptAccess", f"{EPT}qualification.EptCircumstances"
NEEDED = (
    "walk.used", "outcome.outcome", "qualification.qualification", "qualification.defined_bits",
    "exit.sub_page_qualification", "virtualization_exception.causes_virtualization_exception",
    "accessed_dirty.after", "address.final_address", "address.entry_address", "walk.address_too_wide",
    "walk.reaches_a_page",
)  # fmt: skip
ORDINARY: Value = tuple(
    {
        "nmi_exiting": False, "virtual_nmis": False, "unblocked_by_iret": False, "protected_mode": True,
        "prematurely_busy_shadow_stack": False, "in_use": 0, "exception_bitmap": 0,
    }.values()
)  # fmt: skip
"""The circumstances of an access about which nothing is said."""
TRIED = (
    ("DATA_READ", False), ("DATA_WRITE", False), ("INSTRUCTION_FETCH", False),
    ("DATA_READ", True), ("DATA_WRITE", True), ("INSTRUCTION_FETCH", True),
)  # fmt: skip
SPP_BITS = 1 << 11 | 1 << 12 | 1 << 16
"""The bits of an SPP event's qualification that can be defined; bit 12 is so where a violation's would be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What either side says of one access; parts that an outcome does not have are 0 or empty.

    `outcome` is a member of `EptOutcome`, or "#VE" or "#PF"; undefined bits of `qualification` are 0. Of a linear
    access, `stage` is where it ends, and `guest_physical_address` what EPT translates there.
    """

    outcome: str
    qualification: int = 0
    defined: int = 0
    host_physical_address: int = 0
    written: tuple[tuple[int, int], ...] = ()
    stage: str = ""
    guest_physical_address: int = 0


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
        fields, by_name = fields_of(self.walk, walk), fields_of(self.access, access)
        levels = {5 - i: name for i, name in enumerate(LEVELS)}
        return Situation(
            walk=fields,
            controls=fields_of(self.walk.fields[0].kind, fields["controls"]),
            access=by_name,
            linear=fields_of(kind_of(self.access, "linear"), by_name["linear"]),
            around=fields_of(self.around, around),
            used=tuple(levels[step[0]] for step in self.call("walk.used", walk)),
            kind=member_of(kind_of(self.access, "kind"), by_name["kind"]),
            cause=member_of(kind_of(self.access, "cause"), by_name["cause"]),
            sub_page=member_of(kind_of(self.access, "sub_page"), by_name["sub_page"]),
        )

    def verdict(self, walk: Value, access: Value, around: Value) -> Verdict:
        """What the specifications say."""
        outcome = member_of(self.functions[f"{EPT}outcome.outcome"].result, self.call("outcome.outcome", walk, access))
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
        before, after = (
            fields_of(self.walk, walk),
            fields_of(self.walk, self.call("accessed_dirty.after", walk, access)),
        )
        changed = [name for name in LEVELS if before[name] != after[name]]
        places = (self.call("address.entry_address", walk, 5 - LEVELS.index(name)) for name in changed)
        return tuple(sorted(zip(places, (after[name] for name in changed), strict=True)))


class Incomplete(Exception):  # noqa: N818
    """Specifications of walks without something that the replay has to ask them."""


def required(checked: typed.Checked, types: tuple[str, ...], functions: tuple[str, ...]) -> list[Record]:
    """The record types, none for a program without the first one. Raises `Incomplete`."""
    if types[0] not in checked.types:
        return []
    records = [checked.types.get(name) for name in types]
    missing = [name for name, kind in zip(types, records, strict=True) if not isinstance(kind, Record)]
    missing += [name for name in functions if name not in checked.functions]
    if missing:
        raise Incomplete(f"`{missing[0]}` is missing: no `{types[0]}` can be replayed on the reference MMU")
    return [kind for kind in records if isinstance(kind, Record)]


def specification(checked: typed.Checked) -> Specification | None:
    """The specifications of a program, or None if it has other ones. Raises `Incomplete`."""
    names = tuple(EPT + name for name in NEEDED)
    types = required(checked, (WALK, ACCESS, AROUND), names)
    return Specification({name: checked.functions[name] for name in names}, *types) if types else None


def fields_of(kind: Type, value: Any) -> Fields:
    """The parts of a record by name."""
    assert isinstance(kind, Record)
    return {field.name: part for field, part in zip(kind.fields, value, strict=True)}


def kind_of(record: Record, name: str) -> Type:
    """The type of a field."""
    return record.fields[record.position(name)].kind


def member_of(kind: Type, value: int) -> str:
    """The name of an enum's member."""
    assert isinstance(kind, Enum)
    return next(name for name, number in kind.members if number == value)


def number_of(kind: Type, name: str) -> int:
    """The number of an enum's member."""
    assert isinstance(kind, Enum)
    return dict(kind.members)[name]


def made_of(kind: Type, given: Any) -> Value:
    """A value of which the rest is 0; records may be given by the names of their fields."""
    if isinstance(kind, Record) and isinstance(given, dict):
        named = cast("Fields", given)
        assert named.keys() <= {field.name for field in kind.fields}
        return tuple(
            made_of(field.kind, named[field.name]) if field.name in named else zero(field.kind) for field in kind.fields
        )
    return given


def compare(spec: Specification, walk: Value, access: Value, around: Value) -> tuple[Fields, Verdict, Verdict]:
    """The scenario of an access, what the specifications say of it, and what the reference MMU says.

    Raises `Unrealisable`. The specifications judge the walk that is in the scenario's memory.
    """
    document = scenario(spec.situation(walk, access, around))
    realised = {
        **fields_of(spec.walk, walk),
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


def usual_accesses(spec: Specification) -> Iterator[Value]:
    """For claims without an access: read, write and fetch, in both modes."""
    kind = kind_of(spec.access, "kind")
    for name, user in TRIED:
        given: Fields = {"kind": number_of(kind, name), "linear": (user, True, False), "guest_paging_verified": True}
        yield tuple(given.get(field.name, 0 if isinstance(field.kind, Enum) else False) for field in spec.access.fields)
