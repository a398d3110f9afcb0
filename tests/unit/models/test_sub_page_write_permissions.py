"""Sub-page write permissions."""

import pytest
from two_dimensions import HOST_TARGET, TARGET, Tables, four_levels, guest_entry, linear_access, machine

from models.sdm import EptViolation, PhysicalAccess, SppEvent, Translated, access

SPP_TABLE = 0x4000_0000
CONTROLS = 0x82 | 1 << 23
SPP = 1 << 61
READ, WRITE, EXECUTE = 1, 2, 4
SUB_PAGE = 0x980 >> 7  # of TARGET + 0x9A0


def tables_with(vector: int, rights: int = READ | SPP, **levels: int) -> Tables:
    """TARGET behind an SPP table whose L4E to L2E are valid unless `levels` says otherwise."""
    tables = Tables()
    tables.map(TARGET, HOST_TARGET, rights)
    add_spp_table(tables, vector, **levels)
    return tables


def add_spp_table(tables: Tables, vector: int, **levels: int) -> None:
    table = SPP_TABLE
    for level in (4, 3, 2):
        at = table | TARGET >> 9 * level & 0xFF8
        table += 0x1000
        tables.memory[at] = levels.get(f"l{level}", table | 1)
    tables.memory[table | TARGET >> 9 & 0xFF8] = vector


def write(tables: Tables, kind: str = "write", flags: dict | None = None, **options):
    options = {"secondary_controls": CONTROLS, "sppt_pointer": SPP_TABLE} | options
    request = PhysicalAccess(kind=kind, guest_physical_address=TARGET + 0x9A0, **(flags or {}))
    return access(machine(tables, **options), request)


@pytest.mark.parametrize("kind", ["write", "rmw"])
def test_bit_2s_of_the_vector_allows_writes_to_sub_page_s(kind):
    assert isinstance(write(tables_with(1 << 2 * SUB_PAGE), kind), Translated)


def test_a_clear_bit_leaves_an_ordinary_violation():
    outcome = write(tables_with(0x5555_5555_5555_5555 & ~(1 << 2 * SUB_PAGE)))
    assert isinstance(outcome, EptViolation)
    assert outcome.qualification & 0x3F == 0x0A


@pytest.mark.parametrize("level", [4, 3, 2])
def test_an_entry_that_is_not_valid_is_a_miss_whatever_else_it_holds(level):
    outcome = write(tables_with(0, **{f"l{level}": 0xFFFF_FFFF_FFFF_FFFE}))
    assert isinstance(outcome, SppEvent)
    assert outcome.qualification == 1 << 11
    assert outcome.guest_physical_address == TARGET + 0x9A0


@pytest.mark.parametrize("level", [4, 3, 2])
@pytest.mark.parametrize("bit", [1, 11, 46, 52, 63])
def test_a_reserved_bit_of_a_valid_entry_is_a_misconfiguration(level, bit):
    outcome = write(tables_with(0, **{f"l{level}": SPP_TABLE | 1 | 1 << bit}))
    assert isinstance(outcome, SppEvent)
    assert outcome.qualification == 0
    assert outcome.defined == 1 << 11 | 1 << 12 | 1 << 16


@pytest.mark.parametrize("bit", [1, 31, 63])
def test_an_odd_bit_of_the_vector_is_a_misconfiguration(bit):
    outcome = write(tables_with(0x5555_5555_5555_5555 | 1 << bit))
    assert isinstance(outcome, SppEvent)
    assert outcome.qualification == 0


def test_spp_never_concerns_accesses_that_ept_allows_or_denies_for_another_reason():
    full = 0x5555_5555_5555_5555
    assert isinstance(write(tables_with(0, READ | WRITE | SPP)), Translated)
    assert isinstance(write(tables_with(full, EXECUTE | SPP), "rmw"), EptViolation), "R is missing too"
    assert isinstance(write(tables_with(full, EXECUTE | SPP), "read"), EptViolation)
    assert isinstance(write(tables_with(full, READ)), EptViolation), "bit 61 is clear"
    assert isinstance(write(tables_with(full), secondary_controls=0x82), EptViolation), "control off"


def test_a_page_that_is_executable_only_is_eligible():
    assert isinstance(write(tables_with(0x5555_5555_5555_5555, EXECUTE | SPP)), Translated)


def test_w_may_be_missing_in_an_upper_entry():
    tables = tables_with(0x5555_5555_5555_5555, READ | WRITE | SPP)
    tables.memory[tables.ept(TARGET, 3)] &= ~WRITE
    assert isinstance(write(tables), Translated)


def test_large_pages_are_not_eligible():
    tables = Tables()
    tables.map(TARGET & ~0x1F_FFFF, 0x8000_0000, READ | SPP, level=2)
    add_spp_table(tables, 0x5555_5555_5555_5555)
    assert isinstance(write(tables), EptViolation)


def test_an_allowed_write_marks_the_page_dirty():
    tables = tables_with(0x5555_5555_5555_5555)
    outcome = write(tables, eptp_bits=1 << 6)
    assert outcome.memory_written[tables.ept(TARGET, 1)] >> 8 & 3 == 3


def test_accesses_to_guest_tables_are_not_eligible():
    tables = four_levels({1: 0x07})
    tables.memory[tables.ept(guest_entry(1), 1)] &= ~WRITE
    tables.memory[tables.ept(guest_entry(1), 1)] |= SPP
    for eptp_bits in (0, 1 << 6):
        outcome = linear_access(tables, eptp_bits=eptp_bits, secondary_controls=CONTROLS, sppt_pointer=SPP_TABLE)
        assert isinstance(outcome, EptViolation)
        assert outcome.guest_physical_address == guest_entry(1)


@pytest.mark.parametrize("flag", ["paging_structure", "paging_write"])
def test_neither_are_they_when_given_as_guest_physical_accesses(flag):
    tables = tables_with(0x5555_5555_5555_5555)
    assert isinstance(write(tables), Translated)
    assert isinstance(write(tables, flags={flag: True}), EptViolation)


def test_supervisor_shadow_stack_accesses_under_eptp_7_are_not_eligible():
    tables = tables_with(0x5555_5555_5555_5555)
    shadow = {"shadow_stack": True}
    assert isinstance(write(tables, flags=shadow), Translated)
    assert isinstance(write(tables, flags=shadow, eptp_bits=1 << 7), EptViolation)
    assert isinstance(write(tables, flags=shadow, eptp_bits=1 << 7, cpl=3), Translated)
