"""What KVM builds, step by step: tables, SPTEs, flags, huge pages, and what it emulates instead."""

import pytest
from small_kvm import (
    ACCESSED,
    ALL,
    CAPS,
    DIRTY,
    GUEST,
    HALF,
    LARGE,
    PAGE,
    PD12,
    PDPT12,
    PT12,
    ROOT12,
    WB,
    XU,
    R,
    W,
    X,
    access,
    cpu,
    ept12,
    leaf_spte,
    nested,
    page,
    running,
    vmcs12,
)

from models.kvm import V1, V5, Emulated, ReflectedExit, Slot, Stuck
from models.sdm import LinearAccess, PageFault, PhysicalAccess, Step, Translated

PRESENT, HOST_WRITABLE, MMU_WRITABLE, AD_DISABLED, SVE = 1 << 11, 1 << 53, 1 << 55, 1 << 60, 1 << 63
IPAT = 1 << 6


def test_the_first_access_builds_a_table_a_level_and_one_spte():
    machine = running(ept12(page(0, R | X)))
    answer = access(machine, "read")
    assert isinstance(answer.final, Translated)
    assert answer.final.host_physical_address == PAGE | 0x123
    assert [write.level for write in answer.sptes] == [4, 3, 2, 1]
    assert [write.address for write in answer.sptes] == [HALF, HALF + 0x1000, HALF + 0x2000, HALF + 0x3000]
    tables = [write.after for write in answer.sptes[:3]]
    assert tables == [HALF + 0x1000 * n | ALL | PRESENT | AD_DISABLED | SVE for n in (1, 2, 3)]
    leaf = PAGE | R | X | WB | IPAT | ACCESSED | PRESENT | HOST_WRITABLE | AD_DISABLED | SVE
    assert answer.sptes[3].after == leaf
    assert answer.memory_written == {write.address: write.after for write in answer.sptes}
    (fix,) = answer.fixes
    assert (fix.exit_reason, fix.qualification, fix.result) == (48, 0x581, "fixed")


def test_the_second_access_meets_no_exit():
    machine = running(ept12(page(0)))
    access(machine, "read")
    answer = access(machine, "read")
    assert (answer.fixes, answer.sptes, dict(answer.memory_written)) == ((), (), {})


def test_the_neighbours_of_a_page_are_prefetched_access_tracked():
    machine = running(ept12(page(0), page(1, R | XU), 0, page(3)))
    answer = access(machine, "read")
    assert [write.level for write in answer.sptes] == [4, 3, 2, 1, 1], "the entry that is not present ends it"
    tracked = leaf_spte(machine, 1)
    assert tracked & ALL == 0
    assert tracked >> 52 & (R | X | XU) == R | XU
    answer = access(machine, "fetch", 1, user=True)
    assert isinstance(answer.final, Translated)
    assert [write.level for write in answer.sptes] == [1]
    assert leaf_spte(machine, 1) & ALL == R | XU


def test_what_ept12_denies_is_reflected_with_what_the_processor_would_have_shown():
    machine = running(ept12(page(0, R | X)))
    answer = access(machine, "fetch", user=True)
    assert answer.final == ReflectedExit(48, 0x7AC, 0x123)
    assert answer.sptes == ()
    assert access(machine, "write", 1).final == ReflectedExit(48, 0x582, 0x1123)


def test_an_ept12_that_is_misconfigured_is_reflected_as_such():
    machine = running(ept12(page(0, W)))
    assert access(machine, "read").final == ReflectedExit(49, 0, 0x123)


def test_accessed_and_dirty_flags_of_ept12_are_set_as_the_processor_sets_them():
    machine = running(ept12(page(0)), flags=True)
    answer = access(machine, "read")
    tables = {at: answer.memory_written[at] for at in (ROOT12, PDPT12, PD12, PT12)}
    assert all(word & ACCESSED for word in tables.values())
    assert not tables[PT12] & DIRTY
    assert not leaf_spte(machine) & W, "until it is written, so that the first write shows"
    answer = access(machine, "write")
    assert answer.memory_written[PT12] & DIRTY
    assert leaf_spte(machine) & W
    assert ROOT12 not in answer.memory_written


def test_an_spte_that_is_writable_stays_so_when_the_page_is_read_again():
    machine = running(ept12(page(0, flags=ACCESSED | DIRTY)), flags=True)
    access(machine, "read")
    assert leaf_spte(machine) & (W | HOST_WRITABLE | MMU_WRITABLE) == W | HOST_WRITABLE | MMU_WRITABLE


def test_flags_of_an_ept12_in_read_only_memory_are_left_alone():
    slots = (Slot(0, 0, PT12), Slot(PT12, PT12, 0x1000, writable=False), Slot(PAGE, PAGE, 0x1000))
    machine = running(ept12(page(0)), flags=True, slots=slots)
    answer = access(machine, "read")
    assert isinstance(answer.final, Translated)
    assert PT12 not in answer.memory_written
    assert PD12 in answer.memory_written


def test_an_ept12_outside_l1s_memory_is_reflected_with_the_rights_of_no_entry_at_all():
    machine = running(ept12(page(0)), slots=(Slot(PAGE, PAGE, 0x1000),))
    assert access(machine, "read").final == ReflectedExit(48, 0x5F9, 0x123)


def test_a_page_of_2_mbytes_stays_one_where_the_host_has_one():
    memory = ept12() | {PD12: 0x20_0000 | ALL | WB | LARGE}
    machine = running(memory)
    answer = access(machine, "write", 5)
    assert [write.level for write in answer.sptes] == [4, 3, 2]
    assert leaf_spte(machine) & LARGE
    small = running(memory, processor=cpu(ept_vpid_cap=CAPS & ~(3 << 16)))
    answer = access(small, "write", 5)
    assert [write.level for write in answer.sptes] == [4, 3, 2, 1] + [1] * 7
    assert isinstance(answer.final, Translated)


def test_nx_huge_pages_split_a_page_that_is_executed_and_only_then():
    memory = ept12() | {PD12: 0x20_0000 | ALL | WB | LARGE}
    machine = running(memory, parameters={"nx_huge_pages": True})
    access(machine, "read")
    assert leaf_spte(machine) & (LARGE | ALL) == LARGE | R | W
    answer = access(machine, "fetch", 5, user=True)
    assert isinstance(answer.final, Translated)
    assert leaf_spte(machine, 5) & (LARGE | ALL) == ALL
    machine.zap_all()
    access(machine, "read", 5)
    assert not leaf_spte(machine, 5) & LARGE, "the table that was split is not replaced by a huge page"


def test_a_table_below_a_huge_page_is_replaced_when_the_rights_change():
    memory = ept12() | {PD12: 0x20_0000 | ALL | WB | LARGE}
    machine = running(memory, processor=cpu(ept_vpid_cap=CAPS & ~(3 << 16)))
    access(machine, "write")
    machine.l1_writes(PD12, 0x20_0000 | R | WB | LARGE)
    access(machine, "read")
    assert leaf_spte(machine) & ALL == R
    assert access(machine, "write").final == ReflectedExit(48, 0x58A, 0x123)


def test_a_write_of_l1_to_a_table_drops_what_shadows_it():
    machine = running(ept12(page(0)))
    access(machine, "write")
    machine.l1_writes(PT12, page(1, R))
    answer = access(machine, "read")
    assert isinstance(answer.final, Translated)
    assert answer.final.host_physical_address == PAGE + 0x1123
    machine.l1_writes(1 << 39, 0)  # no memory: nothing happens


def test_a_page_that_holds_an_upper_table_is_never_writable_for_l2():
    machine = running(ept12(PD12 | ALL | WB))
    assert access(machine, "write").final == Emulated("write-protected table", 0x123)
    assert not leaf_spte(machine) & W
    assert access(machine, "write").final == Emulated("write-protected table", 0x123)


def test_a_page_that_becomes_a_table_loses_w_where_it_was_mapped_before():
    machine = running(ept12(page(0), page(1)) | {ROOT12 + 8: PAGE | ALL, PAGE: PD12 | ALL})
    access(machine, "write")
    assert leaf_spte(machine) & W
    machine.access(PhysicalAccess(kind="read", guest_physical_address=1 << 39))
    assert not leaf_spte(machine) & W


def test_a_last_level_table_goes_out_of_sync_and_follows_at_the_next_entry():
    memory = ept12(page(0), PT12 | ALL | WB, page(2), page(3))
    machine = running(memory)
    access(machine, "read")
    assert isinstance(access(machine, "write", 1).final, Translated)
    assert leaf_spte(machine, 1) & W
    machine.memory[PT12] = page(5, R)  # L2 writes it, which KVM does not see
    machine.memory[PT12 + 16] = 0
    machine.memory[PT12 + 24] = page(3, R)
    assert access(machine, "read").final.host_physical_address == PAGE | 0x123
    assert machine.enter(vmcs12(), machine.running.guest) is None
    assert leaf_spte(machine) & 7 == 0
    assert leaf_spte(machine, 2) & 7 == 0
    assert leaf_spte(machine, 3) & ALL == R
    assert access(machine, "read").final.host_physical_address == PAGE + 0x5123
    assert isinstance(access(machine, "write", 3).final, ReflectedExit)


def test_aging_without_flags_of_the_processor_hides_the_rights_until_the_next_access():
    machine = running(ept12(page(0)))
    access(machine, "write")
    machine.age()
    assert leaf_spte(machine) & ALL == 0
    assert isinstance(access(machine, "write").final, Translated)
    assert leaf_spte(machine) & ALL == ALL


def test_aging_with_flags_of_the_processor_clears_the_accessed_flag_alone():
    machine = running(ept12(page(0)), flags=True)
    access(machine, "write")
    machine.age()
    assert leaf_spte(machine) & (ALL | ACCESSED) == ALL


def test_dirty_logging_takes_w_until_the_next_write():
    machine = running(ept12(page(0)))
    access(machine, "write")
    machine.write_protect()
    assert not leaf_spte(machine) & W
    assert isinstance(access(machine, "write").final, Translated)
    assert leaf_spte(machine) & W


def test_splitting_a_huge_page_keeps_every_right():
    machine = running(ept12() | {PD12: 0x20_0000 | R | XU | WB | LARGE})
    access(machine, "read", 5)
    machine.split_huge_pages()
    spte = leaf_spte(machine, 5)
    assert spte & (LARGE | ALL) == R | XU
    assert spte >> 12 & 0xFFF == 0x205
    machine.split_huge_pages()


def test_with_pml_the_dirty_flags_of_l2_are_not_trusted():
    capable = cpu(procbased_ctls2=(EPT_AND_PML | 1 << 22) << 32)
    machine = running(ept12(page(0)), flags=True, processor=capable)
    access(machine, "read")
    assert leaf_spte(machine) >> 60 & 3 == 2


EPT_AND_PML = 1 << 1 | 1 << 17


def test_five_levels_of_ept12_are_shadowed_by_five():
    root = 0x5000
    machine = nested(ept12(page(0)) | {root: ROOT12 | ALL}, processor=cpu(ept_vpid_cap=CAPS | 1 << 7))
    assert machine.enter(vmcs12(eptp=root | 0x26), GUEST) is None
    answer = access(machine, "read")
    assert [write.level for write in answer.sptes] == [5, 4, 3, 2, 1]
    assert isinstance(answer.final, Translated)


def test_an_address_beyond_48_bits_under_four_levels_never_gets_on_because_kvm_does_not_look_at_those_bits():
    machine = nested(ept12(page(0)), processor=cpu(maxphyaddr=52))
    assert machine.enter(vmcs12(), GUEST) is None
    answer = machine.access(PhysicalAccess(kind="read", guest_physical_address=1 << 48))
    assert isinstance(answer.final, Stuck)
    assert answer.fixes[-1].result == "spurious"


def test_guest_paging_of_l2_goes_through_the_shadow_and_its_faults_stay_in_l2():
    tables = {PAGE + 0x1000 * n: 0x1000 * (n + 1) | 0x67 for n in range(3)} | {PAGE + 0x3000: 0x4000 | 0x67}
    machine = nested(ept12(*(page(number) for number in range(5))) | tables)
    assert machine.enter(vmcs12(), GUEST) is None
    answer = machine.access(LinearAccess(kind="fetch", linear_address=0x123))
    assert isinstance(answer.final, Translated)
    assert answer.final.host_physical_address == PAGE + 0x4123
    assert isinstance(machine.access(LinearAccess(kind="read", linear_address=0x5000)).final, PageFault)


def test_a_guest_without_ept12_runs_on_the_direct_tables_which_fast_faults_mend():
    machine = nested({PAGE: 1}, parameters={"eptad": False})
    plain = vmcs12(secondary_controls=0)
    assert machine.enter(plain, GUEST) is None
    answer = machine.access(PhysicalAccess(kind="write", guest_physical_address=PAGE))
    assert [write.level for write in answer.sptes] == [4, 3]
    machine.age()
    answer = machine.access(PhysicalAccess(kind="write", guest_physical_address=PAGE))
    assert answer.fixes[0].result == "fixed"
    assert len(answer.sptes) == 1
    machine.write_protect()
    answer = machine.access(PhysicalAccess(kind="write", guest_physical_address=PAGE))
    assert len(answer.sptes) == 1
    machine.split_huge_pages(1)
    assert isinstance(machine.access(PhysicalAccess(kind="fetch", guest_physical_address=PAGE)).final, Translated)


def test_a_direct_huge_page_is_split_whole_where_nx_huge_pages_forbid_its_execution():
    machine = nested({PAGE: 1}, parameters={"nx_huge_pages": True}, slots=(Slot(0, 0, 1 << 30, level=2),))
    assert machine.enter(vmcs12(secondary_controls=0), GUEST) is None
    machine.access(PhysicalAccess(kind="read", guest_physical_address=PAGE))
    answer = machine.access(PhysicalAccess(kind="fetch", guest_physical_address=PAGE))
    assert isinstance(answer.final, Translated)
    assert sum(write.level == 1 for write in answer.sptes) == 512
    assert all(write.after & (X | XU) == X | XU for write in answer.sptes if write.level == 1)


@pytest.mark.parametrize(("version", "value"), [(V5, 0), (V1, 0)])
def test_undefined_bits_of_the_hardware_are_what_the_host_says(version, value):
    for undefined in (0, 1 << 6):
        machine = nested({PAGE: 1}, version, undefined_bits=undefined)
        assert machine.enter(vmcs12(secondary_controls=0), GUEST) is None
        answer = machine.access(PhysicalAccess(kind="read", guest_physical_address=PAGE))
        present = answer.fixes[0].error_code & 1
        assert present == bool(undefined) or version is not V5
        assert value == 0


def test_a_trace_says_what_kvm_looked_at_and_did():
    machine = running(ept12(page(0, R)))
    trace: list[Step] = []
    machine.access(PhysicalAccess(kind="read", guest_physical_address=0), trace)
    stages = [step.stage for step in trace]
    assert stages.count("L0 exit") == 1
    assert [stage for stage in stages if stage.startswith("EPT12")] == [
        "EPT12 PML4E", "EPT12 PDPTE", "EPT12 PDE", "EPT12 PTE",
    ]  # fmt: skip
    assert [step.entry for step in trace if step.stage == "SPTE PTE"] == [leaf_spte(machine)]
    assert any("fixed: L2 tries again" in step.note for step in trace)
