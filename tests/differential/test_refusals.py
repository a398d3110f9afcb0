"""What the reference MMU refuses to run, against the rules of the scenario format written a second time.

An access that no guest can make, invalid guest state that is no matter of paging, and a control that is set and not
modelled are errors; architecturally bad state is a VM entry that fails.
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
from spec_guests import random_guest_case

from models.sdm import (
    ALL_FEATURES,
    Feature,
    Guest,
    InputError,
    LinearAccess,
    Machine,
    PdpteLoad,
    PhysicalAccess,
    Processor,
    Request,
    Vmcs,
    VmEntryFailure,
    access,
)

CASES = 6_000
PG, PE, WP, LME, LMA, NXE = 1 << 31, 1, 1 << 16, 1 << 8, 1 << 10, 1 << 11
PAE, LA57, PCIDE, CET = 1 << 5, 1 << 12, 1 << 17, 1 << 23
LASS, LAM_SUP = 1 << 27, 1 << 28
NEEDS = {4: "pse", 12: "la57", 20: "smep", 21: "smap", 22: "pku", 23: "cet"}
"""Bits of CR4 and the feature that each needs."""
MODELLED_PRIMARY, DEFAULT_1 = 1 << 31 | 1 << 17, 0x04006172
MODELLED_SECONDARY = 1 << 1 | 1 << 7 | 1 << 18 | 1 << 22 | 1 << 23
RESERVED_SECONDARY = 1 << 29


def linear_width(guest: Guest) -> int:
    """Bits of a linear address: 32 outside IA-32e mode."""
    if not guest.cr0 & PG or not guest.efer & LME:
        return 32
    return 57 if guest.cr4 & LA57 else 48


def impossible(guest: Guest, request: LinearAccess | PhysicalAccess) -> bool:
    """Whether no instruction of the guest makes the access."""
    shadow_stack = request.shadow_stack or request.user_shadow_stack
    if request.kind == "fetch" and (shadow_stack or request.implicit_supervisor):
        return True
    if request.user_shadow_stack and (request.kind != "write" or guest.cpl != 0 or request.implicit_supervisor):
        return True
    if isinstance(request, PhysicalAccess):
        return request.kind == "fetch" and (request.paging_structure or request.paging_write)
    user = guest.cpl == 3 and not request.implicit_supervisor
    enabled = (guest.ia32_u_cet if user else guest.ia32_s_cet) & 1
    if (shadow_stack and not guest.cr4 & CET) or (
        request.shadow_stack and not request.user_shadow_stack and not enabled
    ):
        return True
    width = linear_width(guest)
    top = request.linear_address >> (32 if width == 32 else width - 1)
    return top not in ((0,) if width == 32 else (0, (1 << 65 - width) - 1))


def invalid_state(guest: Guest) -> bool:
    """Whether the guest's state is invalid in a way that is no matter of paging."""
    real, virtual_8086 = not guest.cr0 & PE, guest.rflags >> 17 & 1
    reserved_flags = guest.rflags & (1 << 3 | 1 << 5 | 1 << 15) or guest.rflags >> 22 or not guest.rflags & 2
    return bool(
        guest.cr0 >> 32
        or guest.cr4 >> 33
        or guest.efer & ~(1 | LME | LMA | NXE)
        or reserved_flags
        or (virtual_8086 and (guest.cpl != 3 or guest.efer & LMA or real))
        or (real and guest.cpl)
        or (guest.ia32_s_cet | guest.ia32_u_cet) >> 6 & 15
    )


def entry_fails(guest: Guest, features: frozenset[str], width: int) -> bool:
    """Whether VM entry (of an unrestricted guest) fails because of paging's control registers."""
    paging, long_mode = bool(guest.cr0 & PG), bool(guest.efer & LMA)
    return bool(
        (paging and not guest.cr0 & PE)
        or long_mode != (paging and bool(guest.efer & LME))
        or (long_mode and not guest.cr4 & PAE)
        or (guest.cr4 & PCIDE and not long_mode)
        or (guest.cr4 & CET and not guest.cr0 & WP)
        or (guest.efer & NXE and "nx" not in features)
        or any(guest.cr4 >> bit & 1 and feature not in features for bit, feature in NEEDS.items())
        or guest.cr3 >> width
        or any(guest.ia32_pat >> shift & 0xFF not in (0, 1, 4, 5, 6, 7) for shift in range(0, 64, 8))
    )


def damaged_guest(rng: Random, guest: Guest) -> Guest:
    """The guest with, sometimes, one bit inverted in one register."""

    def flip(value: int, *bits: int) -> int:
        return value ^ 1 << rng.choice(bits)

    match rng.randrange(9):
        case 0:
            return replace(guest, cr0=flip(guest.cr0, 0, 16, 31, 32))
        case 1:
            return replace(guest, cr4=flip(guest.cr4, 4, 5, 12, 17, 20, 23, 27, 28, 33, 63))
        case 2:
            return replace(guest, efer=flip(guest.efer, 0, 8, 10, 11, 12, 63))
        case 3:
            return replace(guest, rflags=flip(guest.rflags, 1, 3, 5, 15, 17, 18, 22, 63), cpl=rng.choice((0, 3)))
        case 4:
            return replace(guest, cr3=flip(guest.cr3, 12, 43, 44, 51, 52, 63), cpl=rng.randrange(4))
        case 5:
            return replace(guest, ia32_pat=flip(guest.ia32_pat, *range(0, 64, 7)))
        case 6:
            return replace(guest, ia32_s_cet=flip(0, 0, 6, 9, 10), ia32_u_cet=flip(0, 0, 6, 9, 10))
        case _:
            return guest


def request_of(rng: Random, address: int) -> LinearAccess | PhysicalAccess:
    """An access with flags that often exclude each other."""
    flags = {name: rng.random() < 0.2 for name in ("shadow_stack", "user_shadow_stack", "implicit_supervisor")}
    kind = rng.choice(("read", "write", "rmw", "fetch"))
    if rng.random() < 0.3:
        paging = {name: rng.random() < 0.2 for name in ("paging_structure", "paging_write")}
        return PhysicalAccess(kind=kind, guest_physical_address=rng.getrandbits(52), **paging, **flags)
    flipped = address ^ (1 << rng.choice((31, 32, 46, 47, 48, 56, 57, 63)) if rng.random() < 0.3 else 0)
    return LinearAccess(kind=kind, linear_address=flipped, **flags)


@dataclass(frozen=True, slots=True)
class Asked:
    """A guest on a processor with these features, and its access."""

    guest: Guest
    request: LinearAccess | PhysicalAccess
    features: frozenset[Feature]
    plain: Machine

    @property
    def machine(self) -> Machine:
        """Without a word of memory."""
        processor = replace(self.plain.processor, features=self.features)
        return replace(self.plain, guest=self.guest, processor=processor, memory={})


def cases(rng: Random) -> Iterator[Asked]:
    """Random guests, often damaged, and accesses that they often cannot make."""
    while True:
        case = random_guest_case(rng)
        guest = damaged_guest(rng, case.machine.guest)
        features = frozenset(f for f in ALL_FEATURES if rng.random() < 0.98)
        yield Asked(guest, request_of(rng, case.request.linear_address), features, case.machine)


def expected(asked: Asked) -> str:
    """What is to become of it."""
    guest = asked.guest
    if guest.cr4 & (LASS | LAM_SUP):
        return "refused"
    if invalid_state(guest):
        return "invalid_guest_state"
    if entry_fails(guest, asked.features, asked.plain.processor.raw_maxphyaddr):
        return "VM entry fails"
    return "refused" if impossible(guest, asked.request) else "run"


def fails(asked: Asked) -> bool:
    """Whether the reference MMU takes it otherwise."""
    return verdict(asked.machine, asked.request) != expected(asked)


def explain(asked: Asked) -> str:
    """A failing case made small, with both answers and the scenario."""

    def again(case: Any) -> Asked:
        return replace(asked, guest=case[0], request=case[1])

    small = again(shrink((asked.guest, asked.request), lambda case: fails(again(case))))
    answers = f"the rules        {expected(small)}\nreference MMU    {verdict(small.machine, small.request)}"
    return f"{answers}\n{shown(small.machine, small.request)}"


def test_the_same_guests_and_accesses_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    seen, failing = Counter[str](), list[Asked]()
    for asked in islice(cases(Random(start)), CASES):
        seen[expected(asked)] += 1
        if fails(asked):
            failing.append(asked)
    say(capsys, f"refused guests and accesses (SLAT_SEED={start})", CASES, len(failing))
    assert not failing, explain(failing[0])
    assert min(seen.values()) > 100, seen
    assert len(seen) == 4


def verdict(machine: Machine, request: Request) -> str:
    """How the reference MMU takes it."""
    try:
        outcome = access(machine, request)
    except InputError as error:
        return "invalid_guest_state" if error.code == "invalid_guest_state" else "refused"
    if isinstance(outcome, VmEntryFailure):
        return "controls fail" if outcome.vm_instruction_error == 7 else "VM entry fails"
    return "run"


@pytest.mark.parametrize("field", ["pin_controls", "primary_controls", "secondary_controls", "tertiary_controls"])
def test_each_control_is_modelled_or_refused_or_reserved(field: str) -> None:
    guest = Guest(cr0=0x80050033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
    cpu = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=0xE341C1)
    modelled = {
        "pin_controls": 0x16 | 1 << 3 | 1 << 5,  # virtual NMIs need NMI exiting, which `plain` sets
        "primary_controls": MODELLED_PRIMARY | DEFAULT_1,
        "secondary_controls": MODELLED_SECONDARY,
        "tertiary_controls": 1 << 2 | 1 << 3,
    }[field]
    plain = Vmcs(eptp=0x101E, primary_controls=1 << 31 | 1 << 17, secondary_controls=2, pin_controls=1 << 3)
    for bit in range(64 if field == "tertiary_controls" else 32):
        vmcs = replace(plain, **{field: getattr(plain, field) | 1 << bit})
        machine = Machine(processor=cpu, vmcs=vmcs, guest=guest, memory={})
        said = verdict(machine, PhysicalAccess(kind="read", guest_physical_address=0))
        if modelled >> bit & 1:
            assert said == "run", bit
        else:
            assert said in ("refused", "controls fail"), bit


@pytest.mark.parametrize(
    ("controls", "activate"),
    [({"secondary_controls": 2, "tertiary_controls": 1 << 1}, 1 << 17), ({"secondary_controls": 2 | 1 << 13}, 1 << 31)],
    ids=["enable HLAT", "enable VM functions"],
)
def test_a_control_that_is_set_and_not_modelled_is_accepted_while_it_is_not_in_force(
    controls: dict[str, int], activate: int
) -> None:
    guest = Guest(cr0=0x80050033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
    cpu = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=0xE341C1)
    request = PhysicalAccess(kind="read", guest_physical_address=0)
    both = 1 << 31 | 1 << 17
    for primary, expected in ((both, "refused"), (both & ~activate, "run")):
        vmcs = Vmcs(eptp=0x101E, primary_controls=primary, **controls)
        assert verdict(Machine(processor=cpu, vmcs=vmcs, guest=guest, memory={}), request) == expected


def test_without_ept_a_physical_address_lies_below_maxphyaddr() -> None:
    guest = Guest(cr0=0x80050033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
    cpu = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=0xE341C1)
    machine = Machine(
        processor=cpu, vmcs=Vmcs(eptp=0, primary_controls=0, secondary_controls=0), guest=guest, memory={}
    )
    said = [verdict(machine, PhysicalAccess(kind="read", guest_physical_address=at)) for at in ((1 << 40) - 1, 1 << 40)]
    assert said == ["run", "refused"]


@pytest.mark.parametrize("cr4", [0x20, 0])
def test_pdptes_are_loaded_under_pae_paging_alone(cr4: int) -> None:
    guest = Guest(cr0=0x80010031, cr3=0, cr4=cr4, efer=0, cpl=0, rflags=2)
    cpu = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=0xE341C1)
    vmcs = Vmcs(eptp=0x101E, primary_controls=1 << 31, secondary_controls=2)
    assert verdict(Machine(processor=cpu, vmcs=vmcs, guest=guest, memory={}), PdpteLoad()) == (
        "run" if cr4 else "refused"
    )
