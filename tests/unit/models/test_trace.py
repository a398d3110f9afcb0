"""The steps of an access."""

import pytest
from two_dimensions import HOST_TARGET, LINEAR, TARGET, Tables, four_levels, guest_entry, host, machine

from models.sdm import LinearAccess, PdpteLoad, PhysicalAccess, VmEntryFailure, access

TABLE_LEVELS = ("EPT PML4E", "EPT PDPTE", "EPT PDE", "EPT PTE")
GUEST_LEVELS = ("guest PML4E", "guest PDPTE", "guest PDE", "guest PTE")


def steps(tables: Tables, request=None, **options):
    trace = []
    request = request or LinearAccess(kind="read", linear_address=LINEAR)
    outcome = access(machine(tables, **options), request, trace)
    return outcome, trace


def test_a_complete_walk_shows_every_entry_with_its_address_and_value():
    tables = four_levels()
    _, trace = steps(tables)
    stages = [step.stage for step in trace]
    for level in TABLE_LEVELS:
        assert stages.count(level) == 5
    for number, level in zip((4, 3, 2, 1), GUEST_LEVELS, strict=True):
        step = next(step for step in trace if step.stage == level)
        assert step.address == guest_entry(number)
        assert step.entry == tables.memory[host(guest_entry(number))]
    for step in trace:
        if step.stage in TABLE_LEVELS:
            assert step.entry == tables.memory[step.address]


def test_tracing_never_changes_the_outcome():
    for tables in (four_levels(), four_levels({1: 0x05}), four_levels({2: 0})):
        for kind in ("read", "write", "fetch"):
            request = LinearAccess(kind=kind, linear_address=LINEAR)
            for options in ({}, {"eptp_bits": 0x40}):
                traced, trace = steps(tables, request, **options)
                assert trace
                assert traced == access(machine(tables, **options), request)


def tampered(level: int, entry: int) -> Tables:
    tables = four_levels()
    tables.memory[tables.ept(TARGET, level)] = entry
    return tables


DECISIONS = {
    "not present": (tampered(2, 0), {}, "Prioritization of EPT Misconfigurations and EPT Violations"),
    "misconfigured": (tampered(2, 2), {}, "EPT Misconfigurations"),
    "a guest entry that is not present": (four_levels({2: 0}), {}, "Page-Fault Exceptions"),
    "a guest entry with a reserved bit": (four_levels({2: 1 | 1 << 51}), {}, "4-Level Paging"),
    "a guest right": (four_levels(), {"cpl": 3, "cr4": 0x2020}, "EPT Violations"),
    "a control": (four_levels(), {"eptp_bits": 1 << 8}, "VM-Execution Control Fields"),
    "guest state": (four_levels(), {"cr3": 1 << 50}, "Checks on Guest Control Registers"),
}


@pytest.mark.parametrize(("tables", "options", "section"), DECISIONS.values(), ids=DECISIONS)
def test_the_deciding_step_cites_its_section(tables, options, section):
    _, trace = steps(tables, **options)
    deciding = [step for step in trace if step.stage != "memory type"][-1]
    assert f'SDM "{section}' in deciding.note


def test_the_step_on_rights_says_what_is_lacking():
    tables = four_levels()
    tables.map(TARGET, HOST_TARGET, 0x405)
    _, trace = steps(tables, LinearAccess(kind="write", linear_address=LINEAR))
    assert trace[-1].stage == "EPT rights"
    assert "needed: W; granted: R XS XU; lacking: W; denied" in trace[-1].note


def test_rights_so_far_shrink_from_entry_to_entry():
    tables = four_levels()
    tables.memory[tables.ept(TARGET, 3)] &= ~2
    tables.memory[tables.ept(TARGET, 2)] &= ~0x400
    _, trace = steps(tables)
    notes = [step.note.split("rights so far: ")[1] for step in trace if step.stage in TABLE_LEVELS][-4:]
    assert notes == ["R W XS XU", "R XS XU", "R XS", "R XS"]


def test_flags_updates_pdpte_loads_and_failures_leave_steps():
    _, trace = steps(four_levels({1: 0x07}), LinearAccess(kind="write", linear_address=LINEAR))
    assert any(step.stage == "guest flags" and "dirty" in step.note for step in trace)
    _, trace = steps(four_levels(), eptp_bits=0x40)
    assert any(step.stage == "EPT flags" for step in trace)
    tables = Tables()
    tables.map(0, HOST_TARGET)
    _, trace = steps(tables, PdpteLoad(), cr4=0x2020, efer=0, cr3=0)
    assert [step.stage for step in trace].count("guest PDPTE") == 4
    outcome, trace = steps(tables, cr4=0x2020, efer=0, pdptes=(3, 0, 0, 0))
    assert isinstance(outcome, VmEntryFailure)
    assert "PDPTE0" in trace[-1].note


def test_an_access_without_paging_says_so():
    tables = Tables()
    tables.map(0, HOST_TARGET, 0x8000_0000_0000_0007)
    options = {"cr0": 0x33, "efer": 0, "cr4": 0x2000, "secondary_controls": 0x4_0082}
    options |= {"eptp_bits": 0xC0, "tertiary_controls": 0xC}
    _, trace = steps(tables, LinearAccess(kind="write", linear_address=0), **options)
    assert "CR0.PG = 0" in trace[0].note
    assert any("SVE" in step.note for step in trace)


def test_a_wide_address_is_named():
    request = PhysicalAccess(kind="read", guest_physical_address=1 << 48)
    _, trace = steps(Tables(), request, raw_maxphyaddr=52)
    assert "GPA[51:48]" in trace[-1].note


def test_the_sub_page_walk_and_the_delivery_of_an_exception_leave_steps():
    tables = Tables()
    tables.map(TARGET, HOST_TARGET, 1 | 1 << 61)
    table = 0x4000_0000
    for level in (4, 3, 2):
        at = table | TARGET >> 9 * level & 0xFF8
        table += 0x1000
        tables.memory[at] = table | 1
    request = PhysicalAccess(kind="write", guest_physical_address=TARGET)
    options = {"secondary_controls": 0x84_0002, "sppt_pointer": 0x4000_0000}
    options["ve_information_address"] = 0x5000_0000
    _, trace = steps(tables, request, **options)
    stages = [step.stage for step in trace]
    assert stages[-6:] == ["SPP", "SPPT L4E", "SPPT L3E", "SPPT L2E", "SPPT L1E", "#VE"]
    assert trace[-5].note == "-> table 0x40001000"
    assert "sub-page 0 is not writable" in trace[-2].note
    assert "vector 20" in trace[-1].note
    tables.memory[0x5000_0000] = 1 << 32
    _, trace = steps(tables, request, **options)
    assert "byte 4 of the information area is not 0" in trace[-1].note


def test_with_ept_off_the_final_address_has_a_step_of_its_own():
    off = {"primary_controls": 0}
    for request, options in (
        (PhysicalAccess(kind="read", guest_physical_address=TARGET), {}),
        (LinearAccess(kind="read", linear_address=0x1000), {"cr3": 0}),
    ):
        tables = Tables()
        tables.memory = {0: 0x67, 8: 0x5067}
        outcome, trace = steps(tables, request, **off, **options)
        assert trace[-1].stage == "EPT off"
        assert trace[-1].address == outcome.host_physical_address
