"""Corners of the shadow MMU that random worlds leave out, each in full: pages without memory, L2 without EPT12, flags
that KVM cannot set. The other side is the processor on L1's own tables; what a version gets wrong stands beside it.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from comparison import say

from models.kvm import (
    NEWEST,
    V1,
    V3,
    V5,
    Emulated,
    EntryFailure,
    Host,
    Nested,
    Parameters,
    ReflectedExit,
    Setting,
    Slot,
    attempt,
)
from models.kvm import Stuck as Gone
from models.kvm.notes import acc_names, describe_spte
from models.kvm.scenario import render_nested
from models.kvm.version import Version
from models.sdm import (
    EptViolation,
    Guest,
    LinearAccess,
    Machine,
    PageFault,
    PdpteLoad,
    PhysicalAccess,
    Processor,
    Translated,
    Vmcs,
    VmEntryFailure,
    access,
)

R, W, X, XU = 1, 2, 4, 1 << 10
ALL = R | W | X | XU
RIGHTS = tuple(sum(bits) for bits in product((0, R), (0, W), (0, X), (0, XU)))
LEGAL = [rights for rights in RIGHTS if rights & R or not rights & W]
KINDS = ("read", "write", "rmw", "fetch")
PAGE, WB, CAPS = 0x2_0000, 6 << 3, 0x6734141
GUEST = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
PAE = Guest(cr0=0x8005_0033, cr3=0x1000, cr4=0x2020, efer=0, cpl=0, rflags=2)
NO_MEMORY = (Slot(0, 0, PAGE),)
FROM_THE_EXIT, KEPT = 0xF80, {"v5": 0xF80, "newest": 0xE00}
CPU = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=CAPS)


def l1(*leaves: int) -> dict[int, int]:
    """L1's memory with an EPT12 of four tables, the last with these entries."""
    tables = {0x1000: 0x2000 | ALL, 0x2000: 0x3000 | ALL, 0x3000: 0x4000 | ALL}
    return tables | {0x4000 + 8 * number: leaf for number, leaf in enumerate(leaves)}


def vmcs12(**fields: int) -> Vmcs:
    return Vmcs(**({"eptp": 0x101E, "primary_controls": 1 << 31, "secondary_controls": 0x400002} | fields))


def entered(memory: dict[int, int], version: Version = V5, guest: Guest = GUEST, **options: Any) -> Nested:
    host = Host(
        processor=options.pop("cpu", CPU),
        parameters=options.pop("parameters", Parameters()),
        undefined_bits=options.pop("undefined_bits", 0),
    )
    entry = options.pop("vmcs12", vmcs12())
    machine = Nested(Setting(version=version, host=host, **options), memory)
    assert machine.enter(entry, guest) is None
    return machine


def on_the_processor(memory: dict[int, int], kind: Any, user: bool) -> Translated | EptViolation:
    machine = Machine(processor=CPU, vmcs=vmcs12(), guest=GUEST, memory=memory)
    request = PhysicalAccess(kind=kind, guest_physical_address=0x123, user_linear_address=user)
    outcome = access(machine, request)
    assert isinstance(outcome, Translated | EptViolation)
    return outcome


@pytest.mark.parametrize("name", KEPT)
def test_a_page_without_memory_is_emulated_where_ept12_allows_it_and_reflected_where_not(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With and without an MMIO SPTE. Where there is one, bits of the exit are lost (v5: 11:7, newest: 11:9)."""
    version, cases, failing = {"v5": V5, "newest": NEWEST}[name], 0, list[object]()
    for rights, kind, user, cached in product(LEGAL, KINDS, (False, True), (False, True)):
        if not rights:
            continue
        memory = l1(PAGE | rights | WB)
        machine, cases = entered(memory, version, slots=NO_MEMORY), cases + 1
        if cached:
            first = "read" if rights & R else "fetch"
            machine.access(PhysicalAccess(kind=first, guest_physical_address=0, user_linear_address=not rights & X))
        request = PhysicalAccess(kind=kind, guest_physical_address=0x123, user_linear_address=user)
        final, expected = machine.access(request).final, on_the_processor(memory, kind, user)
        if isinstance(expected, Translated):
            agrees = final == Emulated("mmio", 0x123)
        else:
            compared = expected.defined & ~(KEPT[name] if cached else 0)
            agrees = isinstance(final, ReflectedExit) and not (
                (final.exit_qualification ^ expected.qualification) & compared
            )
            if cached and isinstance(final, ReflectedExit):
                assert not final.exit_qualification & KEPT[name]
        if not agrees:
            failing.append((rights, kind, user, cached, final, expected))
    say(capsys, f"pages without memory, {name} against processor", cases, len(failing))
    assert not failing, failing[0]


@pytest.mark.parametrize("version", [V5, NEWEST], ids=lambda version: version.name)
def test_after_new_memory_slots_kvm_walks_for_a_read_whatever_the_access_was(version: Version) -> None:
    for rights in (R | X, X | XU):
        machine = entered(l1(PAGE | rights | WB), version, slots=NO_MEMORY)
        fetch = PhysicalAccess(kind="fetch", guest_physical_address=0x123)
        assert isinstance(machine.access(fetch).final, Emulated)
        machine.new_memslots()
        assert isinstance(machine.access(fetch).final, Emulated if rights & R else ReflectedExit)


@pytest.mark.parametrize("version", [V5, NEWEST], ids=lambda version: version.name)
def test_after_new_memory_slots_l1_is_told_bits_of_an_exit_that_has_none(version: Version) -> None:
    """FNAME(page_fault) says of every fault that it is the hardware's, also after an EPT misconfiguration."""
    machine = entered(l1(PAGE | X | XU | WB), version, slots=NO_MEMORY, undefined_bits=0xA80)
    fetch = PhysicalAccess(kind="fetch", guest_physical_address=0x123)
    assert isinstance(machine.access(fetch).final, Emulated)
    machine.new_memslots()
    final = machine.access(fetch).final
    assert isinstance(final, ReflectedExit)
    assert final.exit_qualification & FROM_THE_EXIT == 0xA80


@pytest.mark.parametrize(("mode", "user"), [(0x67, True), (0x63, False)], ids=["user page", "supervisor page"])
def test_the_emulator_takes_the_mode_from_l2s_own_tables(mode: int, user: bool) -> None:
    tables = {PAGE + 0x1000 * n: 0x1000 * (n + 1) | 0x67 for n in range(3)} | {PAGE + 0x3000: 0x4000 | mode}
    leaves = [PAGE + 0x1000 * n | ALL | WB for n in range(4)]
    for rights in (R | X, R | XU):
        memory = l1(*leaves, PAGE + 0x4000 | rights | WB) | tables
        machine = entered(memory, slots=(Slot(0, 0, PAGE + 0x4000),))
        assert isinstance(machine.access(LinearAccess(kind="read", linear_address=0x123)).final, Emulated)
        final = machine.access(LinearAccess(kind="fetch", linear_address=0x123)).final
        allowed = rights & (XU if user else X)
        assert isinstance(final, Emulated if allowed else ReflectedExit)


def test_in_tables_of_l2_without_memory_the_emulator_asks_for_w() -> None:
    for guest, request in (
        (GUEST, LinearAccess(kind="read", linear_address=0x123)),
        (PAE, PdpteLoad()),
        (GUEST, PhysicalAccess(kind="read", guest_physical_address=0, paging_structure=True)),
    ):
        machine = entered(l1(PAGE | R | WB, PAGE | R | WB), guest=guest, slots=NO_MEMORY)
        assert isinstance(machine.access(request).final, Emulated)
        final = machine.access(request).final
        assert isinstance(final, ReflectedExit)
        assert final.exit_qualification & 7 == 3


def test_without_mmio_caching_every_access_is_a_violation_that_is_emulated() -> None:
    machine = entered(l1(PAGE | ALL | WB), slots=NO_MEMORY, parameters=Parameters(mmio_caching=False))
    for _ in range(2):
        answer = machine.access(PhysicalAccess(kind="write", guest_physical_address=0))
        assert (answer.final, answer.sptes) == (Emulated("mmio", 0), ())


def test_flags_of_ept12_are_set_but_in_read_only_memory() -> None:
    slots = (Slot(0, 0, 0x4000), Slot(0x4000, 0x4000, 0x1000, writable=False), Slot(PAGE, PAGE, 0x1000))
    machine = entered(l1(PAGE | ALL | WB), vmcs12=vmcs12(eptp=0x105E), slots=slots)
    answer = machine.access(PhysicalAccess(kind="write", guest_physical_address=0))
    assert {at for at in answer.memory_written if at < PAGE} == {0x1000, 0x2000, 0x3000}
    machine.l1_writes(1 << 39, 1)
    assert 1 << 39 not in machine.memory or machine.memory[1 << 39] != 1


def test_v1_takes_a_misconfigured_entry_of_ept12_for_a_page_that_may_even_be_read() -> None:
    """Bit 10 alone without execute-only support; shadow_present_mask then adds R."""
    cpu = Processor(maxphyaddr=40, raw_maxphyaddr=40, ept_vpid_cap=CAPS & ~1)
    for version, expected in ((V1, Translated), (V5, ReflectedExit)):
        machine = entered(l1(PAGE | XU | WB), version, guest=Guest(**{**fields(GUEST), "cpl": 3}), cpu=cpu)
        fetch = PhysicalAccess(kind="fetch", guest_physical_address=0, user_linear_address=True)
        assert isinstance(machine.access(fetch).final, expected)
    assert isinstance(machine.access(fetch).final, ReflectedExit)


def test_an_spte_that_is_misconfigured_and_no_mmio_spte_makes_kvm_give_up() -> None:
    machine = entered(l1(PAGE | ALL | WB))
    read = PhysicalAccess(kind="read", guest_physical_address=0)
    machine.access(read)
    machine.memory[(1 << 39) + 0x3000] = 1 << 11 | W
    final = machine.access(read).final
    assert isinstance(final, Gone)
    assert "gives up" in final.because


def fields(guest: Guest) -> dict[str, Any]:
    return {name: getattr(guest, name) for name in Guest.__dataclass_fields__}


@pytest.mark.parametrize("pdpte", [0x5001, 0x5003, 0])
def test_pae_tables_of_an_l2_without_ept12_are_loaded_as_the_processor_loads_them(pdpte: int) -> None:
    memory = {0x1000: pdpte, 0x5000: 0x6067, 0x6000: PAGE | 0x67}
    plain = Machine(processor=CPU, vmcs=vmcs12(secondary_controls=0), guest=PAE, memory=memory)
    expected = access(plain, LinearAccess(kind="read", linear_address=0x123))
    machine = Nested(Setting(version=V5, host=Host(processor=CPU)), memory)
    failure = machine.enter(vmcs12(secondary_controls=0), PAE)
    if isinstance(expected, VmEntryFailure):
        assert isinstance(failure, EntryFailure)
        assert (failure.exit_reason, failure.qualification) == (33, 2)
        return
    assert failure is None
    final = machine.access(LinearAccess(kind="read", linear_address=0x123)).final
    assert type(final) is type(expected)
    if isinstance(final, Translated) and isinstance(expected, Translated):
        assert final.host_physical_address == expected.host_physical_address
    else:
        assert isinstance(final, PageFault)


def test_guest_state_that_fails_vm_entry_is_reflected_to_l1() -> None:
    machine = entered(l1(PAGE | ALL | WB), guest=Guest(cr0=0x8005_0033, cr3=0, cr4=0, efer=0xD00, cpl=0, rflags=2))
    final = machine.access(PhysicalAccess(kind="read", guest_physical_address=0)).final
    assert isinstance(final, EntryFailure)
    assert (final.exit_reason, final.qualification) == (33, 0)


@pytest.mark.parametrize("version", [V3, V5], ids=lambda version: version.name)
def test_nx_huge_pages_split_the_direct_tables_too(version: Version) -> None:
    machine = entered(
        {}, version, vmcs12=vmcs12(secondary_controls=0), parameters=Parameters(nx_huge_pages=True),
        slots=(Slot(0, 0, 1 << 30, level=2),),
    )  # fmt: skip
    for kind in ("read", "fetch", "write"):
        assert isinstance(machine.access(PhysicalAccess(kind=kind, guest_physical_address=PAGE)).final, Translated)
    executable = [spte for _, _, spte in machine.pages.leaves() if spte & X]
    assert len(executable) == 512
    assert all(not spte & 1 << 7 for spte in executable)


def test_tables_out_of_sync_follow_at_the_next_entry() -> None:
    """L2 writes the last table, which KVM does not see: other pages, other rights, nothing, a page without memory."""
    table = 0x4000 | ALL | WB
    leaves = [PAGE + 0x1000 * n | ALL | WB for n in range(8)]
    machine = entered(l1(*leaves[:6], 1 << 38 | ALL | WB, table), slots=(Slot(0, 0, 1 << 38),))
    for number in (*range(7), 7):
        machine.access(PhysicalAccess(kind="write", guest_physical_address=number << 12))
    changed = {0: leaves[1], 1: leaves[1] & ~W, 2: 0, 3: leaves[3], 6: 1 << 38 | 0x1000 | ALL | WB}
    machine.memory |= {0x4000 + 8 * number: leaf for number, leaf in changed.items()}
    assert machine.enter(vmcs12(), GUEST) is None
    assert machine.running is not None
    sptes = [machine.running.fetcher.leaf_spte(number << 12) or 0 for number in range(8)]
    assert [spte & (R | W) for spte in sptes] == [0, R, 0, R | W, R | W, R | W, 0, R | W]
    plain = Machine(processor=CPU, vmcs=vmcs12(), guest=GUEST, memory=machine.memory)
    for number, kind in product(range(6), ("read", "write")):
        request = PhysicalAccess(kind=kind, guest_physical_address=number << 12)
        final, expected = machine.access(request).final, access(plain, request)
        assert isinstance(final, Translated) == isinstance(expected, Translated)
        if isinstance(final, Translated) and isinstance(expected, Translated):
            assert final.host_physical_address == expected.host_physical_address


def test_an_upper_entry_that_changes_behind_kvms_back_is_noticed_by_newest_alone() -> None:
    """Nothing traps what a device writes; newest compares the role of a child page before it keeps it."""
    for version, rights in ((V5, ALL), (NEWEST, R)):
        machine = entered(l1(PAGE | ALL | WB, PAGE | ALL | WB), version)
        machine.prefetch_count = 0
        assert machine.enter(vmcs12(), GUEST) is None
        machine.access(PhysicalAccess(kind="read", guest_physical_address=0))
        machine.memory[0x3000] = 0x4000 | R
        machine.access(PhysicalAccess(kind="read", guest_physical_address=0x1000))
        assert machine.running is not None
        page = machine.pages.child_of(machine.memory[(1 << 39) + 0x2000])
        assert page.role.access == {ALL: 15, R: 1}[rights], version.name


def test_kvms_own_pages_leave_words_alone_that_are_there() -> None:
    memory = l1(PAGE | ALL | WB) | {1 << 39: 7, (1 << 39) + 0x1000: 7}
    machine = entered(memory)
    machine.access(PhysicalAccess(kind="read", guest_physical_address=0))
    assert machine.running is not None
    assert machine.running.vmcs02.eptp & ~0xFFF == (1 << 39) + 0x2000
    assert machine.memory[1 << 39] == 7


def test_memory_slots_may_change_before_l2_runs() -> None:
    machine = Nested(Setting(version=V5, host=Host(processor=CPU), slots=NO_MEMORY), l1(PAGE | ALL | WB))
    machine.new_memslots()
    assert machine.enter(vmcs12(), GUEST) is None
    machine.access(PhysicalAccess(kind="read", guest_physical_address=0))
    machine.new_memslots()
    answer = machine.access(PhysicalAccess(kind="read", guest_physical_address=0))
    assert [(fix.exit_reason, fix.qualification) for fix in answer.fixes] == [(49, None)]
    document = render_nested(machine, answer)
    assert (document["outcome"], document["emulated_by_l0"]) == ("ok", "mmio")


def test_a_neighbour_without_any_right_is_what_kvm_warns_of() -> None:
    """Execute-only under a table that may only be read: an entry that is present and grants nothing."""
    memory = l1(PAGE | R | WB, PAGE | X | WB) | {0x3000: 0x4000 | R}
    machine = entered(memory)
    answer = machine.access(PhysicalAccess(kind="read", guest_physical_address=0))
    assert answer.warnings == ("an SPTE without any access",)
    assert render_nested(machine, answer)["warnings"] == ["an SPTE without any access"]


def test_an_access_is_given_up_after_very_many_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "TRIES", 1)
    machine = entered(l1(PAGE | ALL | WB))
    final = machine.access(PhysicalAccess(kind="read", guest_physical_address=0)).final
    assert final == Gone("1 exits without an end", 0)


def test_words_of_a_trace_name_rights_and_sptes() -> None:
    machine = entered(l1(PAGE | ALL | WB, 0))
    masks = machine.kvm.masks
    assert [acc_names(V5, access) for access in (0, 15, 1, 9)] == ["0", "ALL", "READ", "READ|EXEC"]
    assert describe_spte(masks, 0, 1) == "not present"
    assert describe_spte(masks, 6, 1) == "MMIO"
    assert describe_spte(masks, 1 << 11 | 1 << 60, 1) == "access-tracked -> page 0x0"
    assert describe_spte(masks, 1 << 11, 2) == "no rights -> table 0x0"
    trace: list[Any] = []
    machine = entered(l1(PAGE | ALL | WB), slots=(Slot(PAGE, PAGE, 0x1000),))
    machine.access(PhysicalAccess(kind="read", guest_physical_address=0), trace)
    assert any("L1 has no memory there" in step.note for step in trace)
