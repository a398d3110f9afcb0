"""KVM's shadow page tables against direct composition of the tables that they stand for.

L2 runs twice. Once on the shadow EPT02 that models/kvm builds page by page, with KVM handling the exits. Once directly:
under vmcs12, on EPT12 in L1's own memory, with the processor that L1 believes to have; what that allows must then pass
EPT01. The two must agree on outcome, address, error code, exit reason, every defined bit of the qualification that L1
sees, and every word of L1's memory, flags in EPT12 included; kvm_worlds.py says which worlds are missing, and why.

Not compared: the memory type, which KVM takes from neither table; and, where EPT12 denies an access to what is no
memory of L1, bits 11:7 of the qualification. There an MMIO SPTE makes the processor exit without a qualification, and
KVM's emulator, which finds the fault, ORs in whatever that exit left (newest: leaves 11:9 clear).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import pytest
from comparison import say, seed
from kvm_worlds import HUGE, L0_FREE, LARGE, PAGE, SMALL, World

from models.kvm import NEWEST, OLD, RFC, V1, V3, V5, Answer, Emulated, ReflectedExit, Stuck, Version
from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    LinearAccess,
    Machine,
    PageFault,
    PhysicalAccess,
    Request,
    Translated,
    access,
)

WORLDS, ACCESSES, EVENTS = 1_050, 100, 0.05
FEW = 40
FLAGS_OF_EPT12 = 0x40
FROM_THE_EXIT = 0xF80


@dataclass(frozen=True)
class Verdict:
    """What both sides say of an access, in the same words. `defined` masks the qualification."""

    outcome: str
    number: int = 0
    address: int = 0
    defined: int = 0

    def agrees(self, other: Verdict) -> bool:
        same = (self.outcome, self.address) == (other.outcome, other.address)
        return same and not (self.number ^ other.number) & self.defined


EVERY_BIT = (1 << 64) - 1


def composed(world: World, request: Request) -> tuple[Verdict, Mapping[int, int]]:
    """EPT12 under vmcs12, then EPT01; and the words of L1 that change, by L1's addresses."""
    machine = Machine(processor=world.virtual_cpu(), vmcs=world.vmcs12, guest=world.guest, memory=world.words)
    outcome = access(machine, request)
    match outcome:
        case EptViolation():
            defined = outcome.defined & ~unknown(world, outcome.guest_physical_address)
            verdict = Verdict("exit 48", outcome.qualification, outcome.guest_physical_address, defined)
        case EptMisconfiguration():
            verdict = Verdict("exit 49", 0, outcome.guest_physical_address, EVERY_BIT)
        case PageFault():
            verdict = Verdict("page fault", outcome.error_code, outcome.guest_linear_address, EVERY_BIT)
        case Translated():
            verdict = through_ept01(world, request, outcome)
        case _:
            raise AssertionError(outcome)
    return verdict, outcome.memory_written


def unknown(world: World, address: int) -> int:
    """The bits of a qualification that KVM does not know where an MMIO SPTE may be the reason for the exit."""
    target = world.target_of(address)
    return FROM_THE_EXIT if target is not None and world.page_of(target) is None else 0


def through_ept01(world: World, request: Request, outcome: Translated) -> Verdict:
    """What EPT01 makes of an access that EPT12 allows: allowed, or L0 emulates it."""
    address = outcome.host_physical_address
    found = world.page_of(address)
    if found is None:
        return Verdict("mmio", address=outcome.guest_physical_address)
    host, writable = found
    if world.with_ept01 and not world.is_tracked(address):
        outer = access(world.l1_machine(), PhysicalAccess(kind="read", guest_physical_address=address))
        assert isinstance(outer, Translated)
        assert outer.host_physical_address == host
        outer = access(world.l1_machine(), PhysicalAccess(kind="write", guest_physical_address=address))
        assert isinstance(outer, Translated) == writable
    if writes(world, request) and not writable:
        return Verdict("read-only memory", address=outcome.guest_physical_address)
    return Verdict("ok", host, outcome.guest_physical_address, EVERY_BIT)


def writes(world: World, request: Request) -> bool:
    """Whether the access to the final page counts as a write."""
    if isinstance(request, PhysicalAccess) and request.paging_structure and world.vmcs12.eptp & FLAGS_OF_EPT12:
        return True
    return isinstance(request, PhysicalAccess | LinearAccess) and request.kind in ("write", "rmw")


def shadowed(answer: Answer) -> Verdict:
    """What L2, L1 or L0 got from the shadow."""
    match answer.final:
        case ReflectedExit(reason, qualification, address):
            return Verdict(f"exit {reason}", qualification, address)
        case PageFault() as fault:
            return Verdict("page fault", fault.error_code, fault.guest_linear_address)
        case Translated() as page:
            return Verdict("ok", page.host_physical_address, page.guest_physical_address)
        case Emulated(why, address):
            return Verdict(why, address=address)
        case _:
            return Verdict("stuck" if isinstance(answer.final, Stuck) else "?")


def differs(world: World, request: Request) -> tuple[str, str | None]:
    """The outcome of an access by composition, and what differs, or None; L1's memory moves on."""
    expected, written = composed(world, request)
    answer = world.nested.access(request)
    hosts = {world.host(at): word for at, word in written.items()}
    observed = {at: word for at, word in answer.memory_written.items() if L0_FREE <= at < world.shadow_pages}
    world.words.update(written)
    if not expected.agrees(shadowed(answer)) and not kept_read_only(world, request, expected, answer):
        return expected.outcome, f"{request}: composition {expected}, shadow {shadowed(answer)}"
    if hosts != observed:
        return expected.outcome, f"{request}: composition writes {hosts}, shadow {observed}"
    return expected.outcome, None


def kept_read_only(world: World, request: Request, expected: Verdict, answer: Answer) -> bool:
    """Whether L0 emulated a write to an upper table of EPT12, which KVM keeps read-only as long as it shadows it."""
    if not isinstance(answer.final, Emulated) or answer.final.why != "write-protected table":
        return False
    address = answer.final.guest_physical_address
    target = world.target_of(address)
    upper = target is not None and target & -PAGE in world.upper
    return upper and writes(world, request) and expected.outcome == "ok" and expected.address == address


def run(version: Version, start: int, worlds: int, memory_alone: bool = False) -> tuple[Counter[str], list[str]]:
    """Many worlds; the outcomes, and the differences, after the first of which a world ends.

    `memory_alone`: a world also ends before an access to what is no memory of L1.
    """
    outcomes, failing = Counter[str](), list[str]()
    for number in range(worlds):
        world = World(Random(f"{start}/{number}"), version)
        for _ in range(ACCESSES):
            if world.rng.random() < EVENTS:
                world.event()
            request = world.request()
            if memory_alone and unknown(world, composed(world, request)[0].address):
                break
            outcome, why = differs(world, request)
            outcomes[outcome] += 1
            if why is not None:
                failing.append(f"world {start}/{number}: {why}")
                break
        else:
            wrong = [hex(at) for at, word in world.words.items() if world.nested.memory.get(world.host(at), 0) != word]
            failing += [f"world {start}/{number}: words of L1 {wrong}"] if wrong else []
    return outcomes, failing


def test_the_shadow_and_the_two_tables_agree_on_every_access(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    outcomes, failing = run(V5, start, WORLDS)
    say(capsys, f"KVM's shadow EPT against EPT12 and EPT01, v5 (SLAT_SEED={start})", outcomes.total(), len(failing))
    assert not failing, min(failing, key=len)
    assert outcomes.total() >= 100_000
    wanted = ("ok", "exit 48", "exit 49", "page fault", "mmio", "read-only memory")
    assert all(outcomes[outcome] > 1_000 for outcome in wanted), outcomes


def test_newest_agrees_with_the_two_tables_as_v5_does(capsys: pytest.CaptureFixture[str]) -> None:
    start = seed()
    outcomes, failing = run(NEWEST, start, FEW)
    say(capsys, f"KVM's shadow EPT against EPT12 and EPT01, newest (SLAT_SEED={start})", outcomes.total(), len(failing))
    assert not failing, min(failing, key=len)


KNOWN_BAD = {
    "rfc": RFC,
    "v1": V1,
    "v3": V3,
    "bit 10 is no sign of presence": replace(V5, present_by_bit_10=False),
    "bit 10 counts for the mode that vmcs01 has": replace(V5, mode_in_vmcs12_alone=False),
    "bit 10 is no right of EPT12": replace(V5, gpte_user_exec=False),
    "bit 10 stands for no execution": replace(V5, folds_bit_10=False),
}


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_a_version_that_is_known_to_be_wrong_is_found_out(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    worlds = 0
    for worlds in range(1, 20):
        _, failing = run(KNOWN_BAD[name], worlds, FEW)
        if failing:
            break
    with capsys.disabled():
        print(f"\nshadow EPT, planted or known: {name}: caught within {worlds * FEW} worlds")
    assert failing


def test_old_agrees_with_the_two_tables_where_l1_has_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """Its emulator takes every access for a read, so a world ends with what is no memory."""
    start = seed()
    outcomes, failing = run(OLD, start, 4 * FEW, memory_alone=True)
    say(capsys, f"KVM's shadow EPT against EPT12 and EPT01, old (SLAT_SEED={start})", outcomes.total(), len(failing))
    assert not failing, min(failing, key=len)
    assert outcomes["ok"] > 300


def test_a_guest_without_ept12_sees_l1s_memory_as_ept01_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    start, cases, failing = seed(), 0, list[str]()
    for number in range(FEW):
        world = World(Random(f"{start}/{number}"), (V5, V3, NEWEST, OLD)[number % 4])
        world.enter_without_ept12()
        for _ in range(ACCESSES):
            kind = world.rng.choice(("read", "write", "rmw", "fetch"))
            address = world.rng.choice((SMALL, LARGE, HUGE)) + world.rng.getrandbits(15)
            request = PhysicalAccess(kind=kind, guest_physical_address=address)
            plain = Translated(address, address, None, None, {})
            expected = through_ept01(world, request, plain)
            observed = shadowed(world.nested.access(request))
            cases += 1
            if not expected.agrees(observed):
                failing.append(f"world {start}/{number}: {request}: composition {expected}, KVM {observed}")
            if world.rng.random() < EVENTS:
                world.event_of_l0()
    say(capsys, f"KVM's direct EPT against EPT01 (SLAT_SEED={start})", cases, len(failing))
    assert not failing, failing[0]
