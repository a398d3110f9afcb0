"""Guest paging with EPT off against the same guest under an EPT that maps every address to itself.

Both must end alike, up to the memory type, which without EPT is the MTRRs' affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any

import pytest
from comparison import say, seed, shrink
from scenario_writer import shown
from spec_guests import LEVELS, MODES, TABLE, WIDTH, Builder, Layout, random_guest_case
from spec_side import make, record

from models.sdm import (
    Guest,
    InputError,
    LinearAccess,
    Machine,
    Outcome,
    PdpteLoad,
    PhysicalAccess,
    Translated,
    Vmcs,
    VmEntryFailure,
    access,
)

CASES = 2_500
ROOT = (1 << WIDTH) - (1 << 21)
GIGABYTE_PAGE, TABLE_ENTRY = 0x4B7 | 1 << 6, 0x407
OFF = Vmcs(eptp=0, primary_controls=1 << 31, secondary_controls=0)
IDENTITY = Vmcs(eptp=ROOT | 0x1E, primary_controls=1 << 31, secondary_controls=0x2)


class IdentityMapped(dict[int, int]):
    """Memory whose last pages are EPT tables, made where they are read: a PML4 table and its 512 successors."""

    def get(self, address: int, default: int = 0) -> int:  # type: ignore[override]
        """The word at a host-physical address."""
        offset = address - ROOT
        if offset < 0:
            return super().get(address, default)
        table, index = offset >> 12, offset >> 3 & 0x1FF
        if table == 0:
            return ROOT + (index + 1) * 0x1000 | TABLE_ENTRY
        return (table - 1 << 39 | index << 30) | GIGABYTE_PAGE


@dataclass(slots=True)
class Physical(Builder):
    """A builder for guests whose physical addresses are host-physical."""

    def ept_walk(self, address: int) -> tuple[Any, int | None]:
        """No entries; the address itself, unless it lies among the EPT tables."""
        reads = make(record("sdm.paging.walk.EptReads"), guest_physical=address, **dict.fromkeys(LEVELS, 0))
        return reads, address if address < ROOT else None


@dataclass(frozen=True, slots=True)
class Pair:
    """One guest and its access, for both settings of "enable EPT"."""

    machine: Machine
    request: LinearAccess | PhysicalAccess | PdpteLoad
    pdptes: tuple[int, int, int, int]

    def end(self, vmcs: Vmcs) -> Outcome:
        """What becomes of the access."""
        guest = self.machine.guest
        if vmcs is IDENTITY:
            guest = replace(guest, pdptes=self.pdptes)
        return access(replace(self.machine, vmcs=vmcs, guest=guest), self.request)


def pair(rng: Random) -> Pair:
    """A random guest with paging: PDPTEs both in registers and in memory, where EPT off finds them."""
    case = random_guest_case(rng)
    while not case.machine.guest.cr0 >> 31:
        case = random_guest_case(rng)
    guest = case.machine.guest
    mode = mode_of(guest)
    features = case.machine.processor.features
    builder = Physical(rng, {})
    layout = Layout(builder, guest, mode, "page1gb" in features, "pse36" in features)
    layout.walk(case.request.linear_address)
    pdptes, cr3 = layout.pdptes, layout.cr3
    if mode == "PAE":
        cr3 = rng.randrange(0, 1 << 32, 32)
        if rng.random() < 0.05:
            pdptes = (pdptes[0] ^ 1 << rng.choice((1, 2, 5, 9, 63)), *pdptes[1:])
        builder.memory |= {cr3 + 8 * number: pdpte for number, pdpte in enumerate(pdptes)}
    request: LinearAccess | PhysicalAccess | PdpteLoad = case.request
    if rng.random() < 0.1:
        request = PhysicalAccess(kind="write", guest_physical_address=rng.randrange(ROOT))
    elif mode == "PAE" and rng.random() < 0.3:
        request = PdpteLoad()
    memory = IdentityMapped(builder.memory)
    machine = replace(case.machine, guest=replace(guest, cr3=cr3, pdptes=(0, 0, 0, 0)), memory=memory)
    return Pair(machine, request, pdptes)


def mode_of(guest: Guest) -> str:
    """One of `MODES`."""
    if not guest.cr4 >> 5 & 1:
        return "32-bit"
    if not guest.efer >> 8 & 1:
        return "PAE"
    mode = "5-level" if guest.cr4 >> 12 & 1 else "4-level"
    assert mode in MODES
    return mode


def without_type(outcome: Outcome) -> Outcome:
    """The outcome but for its memory type, which EPT alone tells."""
    return replace(outcome, effective_memory_type=None) if isinstance(outcome, Translated) else outcome


def cases(rng: Random) -> Iterator[Pair]:
    """Random guests."""
    while True:
        yield pair(rng)


def fails(one: Pair) -> bool:
    """Whether the two settings end differently."""
    try:
        return without_type(one.end(OFF)) != without_type(one.end(IDENTITY))
    except InputError:
        return False


def explain(one: Pair) -> str:
    """A failing guest made small, with both ends and the scenario without EPT."""
    processor = one.machine.processor

    def again(case: Any) -> Pair:
        guest, memory, request, pdptes = case
        return Pair(Machine(processor=processor, vmcs=OFF, guest=guest, memory=memory), request, pdptes)

    case = one.machine.guest, one.machine.memory, one.request, one.pdptes
    small = again(shrink(case, lambda case: fails(again(case))))
    ends = f"EPT off      {small.end(OFF)}\nidentity map {small.end(IDENTITY)}"
    return f"{ends}\n{shown(small.machine, small.request)}"


def test_ept_off_is_ept_that_maps_everything_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    rng, seen, failing = Random(start), Counter[str](), list[Pair]()
    for one in islice(cases(rng), CASES):
        seen[type(one.end(OFF)).__name__] += 1
        if fails(one):
            failing.append(one)
    say(capsys, f"EPT off against an identity map (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, explain(failing[0])
    assert set(seen) == {"Translated", "PageFault", "VmEntryFailure"}, seen
    assert VmEntryFailure.__name__ in seen
    assert TABLE > ROOT
