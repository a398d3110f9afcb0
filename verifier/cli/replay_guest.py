"""Guests under EPT on both sides: what the specifications say of a linear access, and what the reference MMU does.

In: the value of a `GuestWalk`. Out: its scenario, the walk that is in it, and a `Verdict` of either side.
Guarantee: compared are the outcome, the stage at which it is decided, the guest-physical address and exit qualification
of an EPT exit, and of an access that is done the host-physical address and every word that changes. The specifications
leave out error codes (but for P and RSVD, which tell the stage), and which flags an access that stops has set.
Trusted: no, checked by tests/differential.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from models.scenario import read_scenario
from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    PageFault,
    SppEvent,
    Translated,
    VirtualizationException,
    access,
)
from verifier.cli.replay_ept import (
    ORDINARY,
    Specification,
    Verdict,
    fields_of,
    kind_of,
    member_of,
    number_of,
    observed,
    required,
)
from verifier.cli.replay_guest_scenario import EptReading, GuestReading, GuestSituation, Realised, realise
from verifier.cli.replay_scenario import LEVELS, Fields, Unrealisable
from verifier.core.interpret import apply
from verifier.core.values import Value
from verifier.types import typed
from verifier.types.kinds import Record

PAGING = "sdm.paging."
TYPES = (f"{PAGING}walk.GuestWalk", f"{PAGING}walk.EptReads", f"{PAGING}walk.GuestStep")
NEEDED = (
    "translation.guest_outcome", "translation.final_access", "translation.pdpte_register_missing", "walk.guest_used",
    "walk.ept_walk", "walk.entry_access", "flags.needs_a_flag", "entry.maps_a_guest_page", "rights.write_kind",
    "mode.paging_mode",
)  # fmt: skip
GUEST_ENTRIES, GUEST_RIGHTS, GUEST_FLAGS, FINAL_ADDRESS = (
    "GUEST_ENTRIES",
    "GUEST_RIGHTS",
    "GUEST_FLAGS",
    "FINAL_ADDRESS",
)
ACCESSED, DIRTY = 1 << 5, 1 << 6
PRESENT, RESERVED = 1 << 0, 1 << 3  # of an error code
READ, TRANSLATION = 1 << 0, 1 << 8  # of a qualification


@dataclass(frozen=True, slots=True)
class GuestSpecification:
    """The functions of `specs/sdm/paging` that say what becomes of a linear access; `ept` those below them."""

    ept: Specification
    functions: dict[str, typed.Function]
    walk: Record
    reads: Record
    step: Record

    def call(self, name: str, *arguments: Value) -> Any:
        """The interpreter's value of the function `name` of `sdm.paging`."""
        return apply(self.functions[PAGING + name], arguments)

    def _mode(self, paging: Value) -> str:
        kind = self.functions[f"{PAGING}mode.paging_mode"].result
        return member_of(kind, self.call("mode.paging_mode", paging))

    def ending(self, walk: Value) -> tuple[str, bool, str]:
        """Stage, whether it is a page fault, and the outcome of EPT."""
        kind = self.functions[f"{PAGING}translation.guest_outcome"].result
        assert isinstance(kind, Record)
        ending = fields_of(kind, self.call("translation.guest_outcome", walk))
        stage = member_of(kind_of(kind, "stage"), ending["stage"])
        return stage, ending["page_fault"], member_of(kind_of(kind, "ept"), ending["ept"])

    def steps(self, walk: Value) -> list[Fields]:
        """The guest entries that are read, by field name; `level` names the field of the walk."""
        no_paging = self._mode(fields_of(self.walk, walk)["paging"]) == "NO_PAGING"
        if no_paging or self.call("translation.pdpte_register_missing", walk):
            return []
        return [
            {**fields_of(self.step, step), "level": LEVELS[5 - step[0]], "value": step}
            for step in self.call("walk.guest_used", walk)
        ]

    def situation(self, walk: Value, final: bool) -> GuestSituation:
        """The values with the names of their fields; with `final`, the final address is translated."""
        fields = fields_of(self.walk, walk)
        access_kind = kind_of(self.walk, "access")
        assert isinstance(access_kind, Record)
        one = fields_of(access_kind, fields["access"])
        return GuestSituation(
            walk=fields,
            paging=fields_of(kind_of(self.walk, "paging"), fields["paging"]),
            controls=fields_of(kind_of(self.walk, "controls"), fields["controls"]),
            access=one,
            kind=member_of(kind_of(access_kind, "kind"), one["kind"]),
            mode=self._mode(fields["paging"]),
            sub_page=member_of(kind_of(self.walk, "sub_page"), fields["sub_page"]),
            steps=tuple(
                GuestReading(step["level"], step["entry"], self._reading(fields[step["level"]][1], walk))
                for step in self.steps(walk)
            ),
            final=self._reading(fields["final"], walk) if final else None,
        )

    def _reading(self, reads: Value, walk: Value) -> EptReading:
        ept = self.call("walk.ept_walk", reads, walk)
        address = fields_of(self.reads, reads)["guest_physical"]
        if self.ept.call("walk.address_too_wide", ept):
            return EptReading(address, (), False)
        steps: tuple[tuple[int, int], ...] = self.ept.call("walk.used", ept)
        used = tuple((LEVELS[5 - at], entry) for at, entry in steps)
        return EptReading(address, used, self.ept.call("walk.reaches_a_page", ept))

    def realised(self, walk: Value, at: Realised) -> Value:
        """The walk that is in the memory of a scenario."""
        fields = fields_of(self.walk, walk)
        for level in LEVELS:
            entry, reads = fields[level]
            address = at.addresses.get(level, reads[0])
            fields[level] = (at.entries.get(level, entry), (address, *reads[1:]))
        fields["final"] = (at.addresses.get("final", fields["final"][0]), *fields["final"][1:])
        fields |= {
            "paging": tuple(at.paging.values()),
            "access": tuple(at.access.values()),
            "root": at.root,
            "pdpte_register": at.pdpte_register,
        }
        return tuple(fields.values())

    def at_the_final_address(self, walk: Value) -> tuple[Value, Value]:
        """The EPT walk there, and the access as EPT sees it."""
        final = fields_of(self.walk, walk)["final"]
        return self.call("walk.ept_walk", final, walk), self.call("translation.final_access", walk)

    def as_it_is(self, walk: Value) -> Value:
        """The walk."""
        return walk

    def with_final_page_among_the_tables(self, walk: Value) -> Value:
        """The walk, its final address being translated through the EPT entries of the last guest entry's page.

        For claims that what EPT holds for the final address is nothing to: it may be what no machine can hold.
        """
        fields, steps = fields_of(self.walk, walk), self.steps(walk)
        if steps:
            fields["final"] = fields[steps[-1]["level"]][1]
        return tuple(fields.values())

    def verdict(self, walk: Value) -> Verdict:
        """What the specifications say."""
        stage, page_fault, outcome = self.ending(walk)
        if page_fault:
            return Verdict("#PF", stage=stage)
        reads, one = self._deciding(walk, stage)
        ept = self.call("walk.ept_walk", reads, walk)
        address = fields_of(self.reads, reads)["guest_physical"] & (1 << 52) - 1
        said = self.ept.verdict(ept, one, ORDINARY)
        assert said.outcome in (outcome, "#VE")
        written = self._written(walk) if outcome == "TRANSLATED" else ()
        return replace(said, stage=stage, guest_physical_address=address, written=written)

    def _deciding(self, walk: Value, stage: str) -> tuple[Value, Value]:
        """The address that EPT translates last, with its entries, and the access to it."""
        fields, steps = fields_of(self.walk, walk), self.steps(walk)
        match stage:
            case "GUEST_ENTRIES":
                return fields[steps[-1]["level"]][1], self._entry_access("PAGING_ENTRY_READ")
            case "GUEST_FLAGS":  # the first from the root, where several cannot be set
                done = number_of(kind_of(self.step, "update"), "TRANSLATED")
                needing = (step for step in steps if self.call("flags.needs_a_flag", step["value"], walk))
                step = next(step for step in needing if step["update"] != done)
                return fields[step["level"]][1], self._entry_access("PAGING_FLAG_UPDATE")
            case _:
                return fields["final"], self.call("translation.final_access", walk)

    def _entry_access(self, kind: str) -> Value:
        return self.call("walk.entry_access", number_of(kind_of(self.ept.access, "kind"), kind))

    def _written(self, walk: Value) -> tuple[tuple[int, int], ...]:
        """Every word that an access which is done changes: flags of EPT, then those of the guest."""
        words: dict[int, int] = {}
        fields = fields_of(self.walk, walk)
        write = self.call("rights.write_kind", fields["access"][0])
        accesses = [(fields["final"], self.call("translation.final_access", walk))]
        for step in self.steps(walk):
            reads = fields[step["level"]][1]
            accesses.append((reads, self._entry_access("PAGING_ENTRY_READ")))
            if self.call("flags.needs_a_flag", step["value"], walk):
                accesses.append((reads, self._entry_access("PAGING_FLAG_UPDATE")))
                place = self.ept.call("address.final_address", self.call("walk.ept_walk", reads, walk))
                page = self.call("entry.maps_a_guest_page", step["entry"], step["at"], fields["paging"])
                flags = ACCESSED | (DIRTY if page and write else 0)
                words[place & -8] = (step["entry"] | flags) << 8 * (place & 7)
        for reads, one in accesses:
            ept = self.call("walk.ept_walk", reads, walk)
            for place, word in self.ept.verdict(ept, one, ORDINARY).written:
                words[place] = words.get(place, 0) | word
        return tuple(sorted(words.items()))


def guest_specification(checked: typed.Checked, ept: Specification | None) -> GuestSpecification | None:
    """The specifications of a program, or None if it has other ones. Raises `Incomplete`."""
    names = tuple(PAGING + name for name in NEEDED)
    types = required(checked, TYPES, names)
    if ept is None or not types:
        return None
    return GuestSpecification(ept, {name: checked.functions[name] for name in names}, *types)


def compare_guest(spec: GuestSpecification, walk: Value) -> tuple[Realised, Value, Verdict, Verdict]:
    """The scenario of a translation, the walk in it, what the specifications say of it, and the reference MMU.

    Raises `Unrealisable`, also where what VM entry and memory ask for would change how the translation ends.
    """
    at = realise_guest(spec, walk)
    there = spec.realised(walk, at)
    if spec.ending(there) != spec.ending(walk):
        raise Unrealisable("what a machine can hold ends in another way")
    return at, there, spec.verdict(there), run_guest(at)


def realise_guest(spec: GuestSpecification, walk: Value) -> Realised:
    """With the entries of the final address if there is room for them, and if they are read in any case."""
    stage, _, _ = spec.ending(walk)
    if stage == GUEST_ENTRIES:
        return realise(spec.situation(walk, final=False))
    try:
        return realise(spec.situation(walk, final=True))
    except Unrealisable:
        if stage == FINAL_ADDRESS:
            raise
        return realise(spec.situation(walk, final=False))


def run_guest(at: Realised) -> Verdict:
    """What the reference MMU says of a scenario with a linear access."""
    one = read_scenario(at.document)
    outcome = access(one.machine, one.request)
    match outcome:
        case PageFault():
            rights = outcome.error_code & (PRESENT | RESERVED) == PRESENT
            return Verdict("#PF", stage=GUEST_RIGHTS if rights else GUEST_ENTRIES)
        case Translated() | SppEvent():
            stage = FINAL_ADDRESS
        case EptMisconfiguration():
            stage = FINAL_ADDRESS if outcome.guest_physical_address == at.addresses.get("final") else GUEST_ENTRIES
        case EptViolation() | VirtualizationException():
            stage = _stage(outcome.qualification, outcome.defined)
        case _:
            return observed(outcome)
    return replace(observed(outcome), stage=stage, guest_physical_address=outcome.guest_physical_address)


def _stage(qualification: int, defined: int) -> str:
    """Of a violation: an access to a guest entry leaves bit 8 clear, and only setting a flag leaves bit 0 open."""
    if qualification & TRANSLATION:
        return FINAL_ADDRESS
    return GUEST_ENTRIES if defined & READ else GUEST_FLAGS
