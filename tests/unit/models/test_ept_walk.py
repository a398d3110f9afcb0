"""The EPT walk: translation, levels, rights, flags."""

from typing import ClassVar

import pytest
from two_dimensions import (
    ALL,
    CAPABILITIES,
    HOST_TARGET,
    LINEAR,
    TARGET,
    Tables,
    four_levels,
    guest_entry,
    host,
    linear_access,
    machine,
)

from models.sdm import (
    EptMisconfiguration,
    EptViolation,
    GeneralProtection,
    LinearAccess,
    PageFault,
    PdpteLoad,
    PhysicalAccess,
    Translated,
    access,
)

READ, WRITE, EXECUTE, USER_EXECUTE = 1, 2, 4, 1 << 10
ACCESSED, DIRTY = 1 << 8, 1 << 9
FLAGS_ON = 1 << 6  # EPTP[6]
SSS_ON = 1 << 7  # EPTP[7]
SMEP = 1 << 20


def physical(tables: Tables, address: int, kind: str = "read", flags: dict | None = None, **options):
    request = PhysicalAccess(kind=kind, guest_physical_address=address, **(flags or {}))
    return access(machine(tables, **options), request)


@pytest.mark.parametrize(("level", "size"), [(1, 0x1000), (2, 0x20_0000), (3, 0x4000_0000)])
@pytest.mark.parametrize("levels", [4, 5])
def test_a_page_of_each_size_keeps_the_low_bits_of_the_address(level, size, levels):
    tables = Tables(levels)
    page = 0x1_4000_0000
    tables.map(page, 0x8000_0000, level=level)
    outcome = physical(tables, page + size - 1)
    assert isinstance(outcome, Translated)
    assert outcome.host_physical_address == 0x8000_0000 + size - 1


def test_an_address_that_sets_bits_above_47_violates_four_level_ept_whatever_the_tables_say():
    tables = Tables()
    tables.map(0, HOST_TARGET)
    for bit in range(48, 52):
        outcome = physical(tables, 1 << bit, raw_maxphyaddr=52)
        assert isinstance(outcome, EptViolation)
        assert outcome.qualification & 0x78 == 0


def test_five_level_ept_translates_addresses_above_bit_47():
    tables = Tables(5)
    tables.map(1 << 51, HOST_TARGET)
    outcome = physical(tables, 1 << 51, raw_maxphyaddr=52)
    assert isinstance(outcome, Translated)
    assert outcome.host_physical_address == HOST_TARGET


@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("user", [False, True])
def test_with_mbe_a_fetch_needs_xs_or_xu_in_every_entry_by_the_address(level, user):
    needed, other = (USER_EXECUTE, EXECUTE) if user else (EXECUTE, USER_EXECUTE)
    for missing, expected in ((needed, EptViolation), (other, Translated)):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET)
        tables.memory[tables.ept(TARGET, level)] &= ~missing
        outcome = physical(tables, TARGET, "fetch", {"user_linear_address": user})
        assert isinstance(outcome, expected)


def test_data_accesses_do_not_depend_on_xs_and_xu():
    for rights in (READ | WRITE, READ | WRITE | EXECUTE, READ | WRITE | USER_EXECUTE):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, rights)
        assert isinstance(physical(tables, TARGET, "write"), Translated)


def test_the_page_and_not_the_privilege_level_selects_xs_or_xu():
    tables = four_levels()  # U/S = 1 throughout: a user-mode address
    tables.memory[tables.ept(TARGET, 1)] &= ~USER_EXECUTE
    assert isinstance(linear_access(tables, "fetch", cpl=0), EptViolation)
    supervisor = four_levels({2: 0x63})  # U/S = 0 in one entry: a supervisor-mode address
    supervisor.memory[supervisor.ept(TARGET, 1)] &= ~USER_EXECUTE
    assert isinstance(linear_access(supervisor, "fetch", cpl=0), Translated)


def test_with_paging_off_a_fetch_is_governed_by_xu_and_bits_9_and_10_are_set():
    tables = Tables()
    tables.map(0x7000, HOST_TARGET, ALL & ~USER_EXECUTE)
    paging_off = machine(tables, cr0=0x33, efer=0, cr4=0x2000)
    outcome = access(paging_off, LinearAccess(kind="fetch", linear_address=0x7ABC))
    assert isinstance(outcome, EptViolation)
    assert outcome.qualification >> 9 & 7 == 0b011
    tables.map(0x7000, HOST_TARGET, ALL & ~EXECUTE)
    assert isinstance(access(paging_off, LinearAccess(kind="fetch", linear_address=0x7ABC)), Translated)


def test_guest_table_accesses_need_neither_xs_nor_xu():
    tables = four_levels()
    for level in (4, 3, 2, 1):
        tables.memory[tables.ept(guest_entry(level), 1)] &= ~(EXECUTE | USER_EXECUTE)
    assert isinstance(linear_access(tables, "fetch"), Translated)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_guest_fault_beats_a_violation_on_the_final_address_but_not_one_on_a_table(level):
    tables = four_levels({1: 0})  # the guest PTE is not present
    tables.memory[tables.ept(TARGET, 1)] = 0
    assert isinstance(linear_access(tables), PageFault)
    tables.memory[tables.ept(guest_entry(level), 1)] = 0
    assert isinstance(linear_access(tables), EptViolation)


def test_a_violation_reports_the_guest_physical_address_of_the_entry_and_the_linear_address():
    tables = four_levels()
    tables.memory[tables.ept(guest_entry(2), 1)] = 0
    outcome = linear_access(tables)
    assert isinstance(outcome, EptViolation)
    assert outcome.guest_physical_address == guest_entry(2)
    assert outcome.guest_linear_address == LINEAR
    assert outcome.qualification & 0x180 == 0x80


def test_a_supervisor_fetch_of_a_user_page_faults_under_smep_before_ept():
    tables = four_levels()
    tables.memory[tables.ept(TARGET, 1)] = 0
    assert isinstance(linear_access(tables, "fetch", cr4=0x2020 | SMEP), PageFault)
    assert isinstance(linear_access(tables, "fetch"), EptViolation)


class TestAccessedAndDirtyFlags:
    def test_without_eptp_6_no_flag_is_set(self):
        assert linear_access(four_levels(), "write").memory_written == {}

    def test_a_read_sets_accessed_in_every_entry_used_and_dirty_in_none(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET)
        outcome = physical(tables, TARGET, eptp_bits=FLAGS_ON)
        used = [tables.ept(TARGET, level) for level in (4, 3, 2, 1)]
        assert outcome.memory_written == {at: tables.memory[at] | ACCESSED for at in used}

    @pytest.mark.parametrize("kind", ["write", "rmw"])
    def test_a_write_sets_dirty_in_the_entry_that_maps_the_page_alone(self, kind):
        tables = Tables()
        at = tables.map(0x4000_0000, 0x8000_0000, level=3)
        outcome = physical(tables, 0x4000_0000, kind, eptp_bits=FLAGS_ON)
        root = tables.ept(0x4000_0000, 4)
        assert outcome.memory_written == {
            at: tables.memory[at] | ACCESSED | DIRTY,
            root: tables.memory[root] | ACCESSED,
        }

    def test_a_denied_access_sets_none(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, READ)
        assert physical(tables, TARGET, "write", eptp_bits=FLAGS_ON).memory_written == {}

    def test_flags_that_are_set_already_change_nothing(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET)
        for level in (4, 3, 2, 1):
            tables.memory[tables.ept(TARGET, level)] |= ACCESSED
        assert physical(tables, TARGET, eptp_bits=FLAGS_ON).memory_written == {}

    def test_reading_a_guest_entry_marks_its_page_dirty(self):
        tables = four_levels()
        written = linear_access(tables, eptp_bits=FLAGS_ON).memory_written
        for level in (4, 3, 2, 1):
            at = tables.ept(guest_entry(level), 1)
            assert written[at] == tables.memory[at] | ACCESSED | DIRTY
        assert written[tables.ept(TARGET, 1)] & DIRTY == 0

    def test_a_page_fault_keeps_the_flags_that_the_table_accesses_have_set(self):
        tables = four_levels({1: 0})
        outcome = linear_access(tables, eptp_bits=FLAGS_ON)
        assert isinstance(outcome, PageFault)
        assert tables.ept(guest_entry(1), 1) in outcome.memory_written


class TestGuestTableWrites:
    """The write that guest accessed and dirty flags, or EPTP[6], make of an access to a guest entry."""

    @pytest.mark.parametrize("level", [1, 2, 3, 4])
    def test_with_eptp_6_every_guest_entry_needs_w_even_if_its_flags_are_set(self, level):
        tables = four_levels()
        tables.memory[tables.ept(guest_entry(level), 1)] &= ~WRITE
        outcome = linear_access(tables, eptp_bits=FLAGS_ON)
        assert isinstance(outcome, EptViolation)
        assert outcome.qualification & 0x187 == 0x83
        assert outcome.defined & 3 == 3
        assert isinstance(linear_access(tables), Translated)

    @pytest.mark.parametrize("level", [1, 2, 3, 4])
    def test_without_eptp_6_a_guest_entry_needs_w_iff_a_flag_must_be_set(self, level):
        tables = four_levels({level: OPEN_WITHOUT_FLAGS})
        tables.memory[tables.ept(guest_entry(level), 1)] &= ~WRITE
        outcome = linear_access(tables)
        assert isinstance(outcome, EptViolation)
        assert outcome.guest_physical_address == guest_entry(level)
        assert outcome.qualification & 0x187 == 0x82
        assert outcome.defined & 3 == 2, "bit 0 of a locked update is implementation-specific"

    def test_a_write_needs_w_for_the_dirty_flag_of_the_last_entry(self):
        tables = four_levels({1: 0x27})  # accessed and not dirty
        tables.memory[tables.ept(guest_entry(1), 1)] &= ~WRITE
        assert isinstance(linear_access(tables, "read"), Translated)
        assert isinstance(linear_access(tables, "write"), EptViolation)

    def test_updates_set_accessed_everywhere_and_dirty_in_the_last_entry_on_a_write(self):
        tables = four_levels(dict.fromkeys((4, 3, 2, 1), OPEN_WITHOUT_FLAGS))
        for kind, last in (("read", 0x20), ("fetch", 0x20), ("write", 0x60), ("rmw", 0x60)):
            written = linear_access(tables, kind).memory_written
            assert written == {
                host(guest_entry(level)): tables.memory[host(guest_entry(level))] | (last if level == 1 else 0x20)
                for level in (4, 3, 2, 1)
            }

    def test_the_flags_are_written_before_a_violation_on_the_final_address(self):
        tables = four_levels(dict.fromkeys((4, 3, 2, 1), OPEN_WITHOUT_FLAGS))
        tables.memory[tables.ept(TARGET, 1)] = 0
        outcome = linear_access(tables, "write")
        assert isinstance(outcome, EptViolation)
        assert len(outcome.memory_written) == 4

    def test_a_page_fault_sets_no_guest_flag(self):
        tables = four_levels(dict.fromkeys((4, 3, 2, 1), OPEN_WITHOUT_FLAGS & ~2))
        outcome = linear_access(tables, "write")
        assert isinstance(outcome, PageFault)
        assert outcome.memory_written == {}


OPEN_WITHOUT_FLAGS = 0x07
PWC = 1 << 2
GPV = 1 << 3
PAGING_WRITE = 1 << 58
VERIFY = 1 << 57


class TestPagingWriteControl:
    def test_a_paging_write_needs_no_w_in_the_entry_that_maps_the_page_if_bit_58_is_set(self):
        tables = four_levels()
        at = tables.ept(guest_entry(1), 1)
        tables.memory[at] = tables.memory[at] & ~WRITE | PAGING_WRITE
        assert isinstance(linear_access(tables, eptp_bits=FLAGS_ON), EptViolation)
        assert isinstance(linear_access(tables, eptp_bits=FLAGS_ON, tertiary_controls=PWC), Translated)

    def test_it_serves_the_update_of_a_flag_too(self):
        tables = four_levels({1: OPEN_WITHOUT_FLAGS})
        at = tables.ept(guest_entry(1), 1)
        tables.memory[at] = tables.memory[at] & ~WRITE | PAGING_WRITE
        assert isinstance(linear_access(tables), EptViolation)
        assert isinstance(linear_access(tables, tertiary_controls=PWC), Translated)

    def test_an_access_to_a_guest_physical_address_is_a_paging_write_if_it_says_so(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, READ | PAGING_WRITE)
        for flags, expected in (
            ({}, EptViolation),
            ({"paging_structure": True}, EptViolation),
            ({"paging_write": True}, Translated),
            ({"paging_structure": True, "paging_write": True}, Translated),
        ):
            outcome = physical(tables, TARGET, "write", flags, tertiary_controls=PWC)
            assert isinstance(outcome, expected), flags

    def test_bit_58_must_be_set(self):
        tables = four_levels()
        tables.memory[tables.ept(guest_entry(1), 1)] &= ~WRITE
        outcome = linear_access(tables, eptp_bits=FLAGS_ON, tertiary_controls=PWC)
        assert isinstance(outcome, EptViolation)

    @pytest.mark.parametrize("level", [2, 3, 4])
    def test_the_upper_entries_still_need_w(self, level):
        tables = four_levels()
        for table in (4, 3, 2, 1):
            at = tables.ept(guest_entry(table), 1)
            tables.memory[at] = tables.memory[at] & ~WRITE | PAGING_WRITE
        options = {"eptp_bits": FLAGS_ON, "tertiary_controls": PWC}
        assert isinstance(linear_access(tables, **options), Translated)
        tables.memory[tables.ept(guest_entry(1), level)] &= ~WRITE
        assert isinstance(linear_access(tables, **options), EptViolation)

    def test_ordinary_writes_gain_nothing(self):
        tables = four_levels()
        tables.map(TARGET, HOST_TARGET, READ | PAGING_WRITE)
        assert isinstance(linear_access(tables, "write", tertiary_controls=PWC), EptViolation)

    def test_bit_58_without_r_is_a_misconfiguration_of_a_present_entry_that_maps_a_page(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, EXECUTE | PAGING_WRITE)
        assert isinstance(physical(tables, TARGET, tertiary_controls=PWC), EptMisconfiguration)
        assert isinstance(physical(tables, TARGET), EptViolation)
        tables.map(TARGET, HOST_TARGET, PAGING_WRITE)
        outcome = physical(tables, TARGET, tertiary_controls=PWC)
        assert isinstance(outcome, EptViolation), "an entry that is not present is a violation first"

    def test_bit_58_means_nothing_in_an_entry_that_references_a_table(self):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, EXECUTE)
        at = tables.ept(TARGET, 2)
        tables.memory[at] = tables.memory[at] & ~(READ | WRITE) | PAGING_WRITE
        assert isinstance(physical(tables, TARGET, "fetch", tertiary_controls=PWC), Translated)


class TestGuestPagingVerification:
    @staticmethod
    def verified_tables():
        tables = four_levels()
        for level in (4, 3, 2, 1):
            tables.memory[tables.ept(guest_entry(level), 1)] |= PAGING_WRITE
        tables.map(TARGET, HOST_TARGET, ALL | VERIFY)
        return tables

    def test_a_page_to_be_verified_is_reached_through_verified_tables_only(self):
        tables = self.verified_tables()
        assert isinstance(linear_access(tables, tertiary_controls=PWC | GPV), Translated)
        for level in (4, 3, 2, 1):
            tables = self.verified_tables()
            tables.memory[tables.ept(guest_entry(level), 1)] &= ~PAGING_WRITE
            outcome = linear_access(tables, tertiary_controls=PWC | GPV)
            assert isinstance(outcome, EptViolation)
            assert outcome.qualification >> 15 & 1
            assert outcome.qualification & 0x180 == 0x180

    @pytest.mark.parametrize("tertiary", [0, PWC, GPV])
    def test_it_takes_both_controls(self, tertiary):
        tables = self.verified_tables()
        tables.memory[tables.ept(guest_entry(3), 1)] &= ~PAGING_WRITE
        assert isinstance(linear_access(tables, tertiary_controls=tertiary), Translated)

    def test_a_page_without_bit_57_is_not_verified(self):
        tables = four_levels()
        assert isinstance(linear_access(tables, tertiary_controls=PWC | GPV), Translated)

    def test_a_guest_page_fault_comes_first(self):
        tables = self.verified_tables()
        tables.memory[tables.ept(guest_entry(3), 1)] &= ~PAGING_WRITE
        tables.memory[host(guest_entry(1))] &= ~2
        assert isinstance(linear_access(tables, "write", tertiary_controls=PWC | GPV), PageFault)

    def test_missing_rights_come_first_and_leave_bit_15_clear(self):
        tables = four_levels()
        tables.map(TARGET, HOST_TARGET, READ | VERIFY)
        outcome = linear_access(tables, "write", tertiary_controls=PWC | GPV)
        assert isinstance(outcome, EptViolation)
        assert not outcome.qualification >> 15 & 1


class TestSupervisorShadowStack:
    """EPTP[7] = 1: what supervisor shadow-stack accesses need; CET is on throughout."""

    CET: ClassVar = {"cr4": 0x80_2020, "ia32_s_cet": 1, "ia32_u_cet": 1}
    BIT_60 = 1 << 60

    @staticmethod
    def shadow_stack_tables(user: bool):
        return four_levels({1: 0x65 if user else 0x61})  # D and not R/W, below R/W throughout

    def test_it_needs_bit_60_and_not_w_in_the_entry_that_maps_the_page(self):
        tables = self.shadow_stack_tables(user=False)
        shadow = {"shadow_stack": True}
        tables.map(TARGET, HOST_TARGET, READ | self.BIT_60)
        for kind in ("read", "write", "rmw"):
            assert isinstance(linear_access(tables, kind, shadow, eptp_bits=SSS_ON, **self.CET), Translated)
        tables.map(TARGET, HOST_TARGET, READ | WRITE)
        outcome = linear_access(tables, "read", shadow, eptp_bits=SSS_ON, **self.CET)
        assert isinstance(outcome, EptViolation)
        assert isinstance(linear_access(tables, "read", shadow, **self.CET), Translated), "EPTP[7] = 0"
        tables.map(TARGET, HOST_TARGET, EXECUTE | self.BIT_60)
        outcome = linear_access(tables, "read", shadow, eptp_bits=SSS_ON, **self.CET)
        assert isinstance(outcome, EptViolation), "R is needed"

    @pytest.mark.parametrize("level", [2, 3, 4])
    @pytest.mark.parametrize("missing", [READ | WRITE, WRITE])
    def test_it_needs_r_and_w_in_the_entries_that_reference_a_table(self, level, missing):
        tables = self.shadow_stack_tables(user=False)
        tables.map(TARGET, HOST_TARGET, READ | self.BIT_60)
        tables.memory[tables.ept(TARGET, level)] &= ~missing
        outcome = linear_access(tables, "read", {"shadow_stack": True}, eptp_bits=SSS_ON, **self.CET)
        assert isinstance(outcome, EptViolation)

    def test_user_shadow_stack_accesses_follow_the_ordinary_rules(self):
        tables = self.shadow_stack_tables(user=True)
        tables.map(TARGET, HOST_TARGET, READ | WRITE)
        shadow = {"shadow_stack": True}
        outcome = linear_access(tables, "write", shadow, eptp_bits=SSS_ON, cpl=3, **self.CET)
        assert isinstance(outcome, Translated)
        wruss = {"user_shadow_stack": True}
        assert isinstance(linear_access(tables, "write", wruss, eptp_bits=SSS_ON, **self.CET), Translated)
        tables.map(TARGET, HOST_TARGET, READ | self.BIT_60)
        outcome = linear_access(tables, "write", shadow, eptp_bits=SSS_ON, cpl=3, **self.CET)
        assert isinstance(outcome, EptViolation)


def test_a_wruss_is_reported_as_a_shadow_stack_access():
    outcome = physical(Tables(), TARGET, "write", {"user_shadow_stack": True})
    assert outcome.qualification >> 13 & 1


class TestPdpteLoads:
    """MOV to CR3 under PAE paging."""

    PAE: ClassVar = {"cr4": 0x2020, "efer": 0x800}

    @staticmethod
    def tables(rights: int = ALL, pdpte: int = 0x20_0001):
        tables = Tables()
        tables.map(GUEST_TABLE, HOST_TARGET, rights)
        tables.memory[HOST_TARGET + 0x20] = pdpte
        return tables

    def load(self, tables, **options):
        return access(machine(tables, cr3=GUEST_TABLE | 0x20, **self.PAE, **options), PdpteLoad())

    def test_it_reads_the_table_at_cr3(self):
        outcome = self.load(self.tables())
        assert isinstance(outcome, Translated)
        assert outcome.host_physical_address == HOST_TARGET + 0x20
        assert outcome.guest_linear_address is None

    @pytest.mark.parametrize(("cr0", "expected"), [(0x8005_0033, "WT"), (0xC005_0033, "UC")])
    def test_its_memory_type_is_that_of_ept_and_write_back(self, cr0, expected):
        tables = self.tables()
        tables.memory[tables.ept(GUEST_TABLE, 1)] ^= (6 ^ 4) << 3
        assert self.load(tables, cr0=cr0).effective_memory_type == expected

    def test_it_is_a_plain_read_even_with_eptp_6(self):
        tables = self.tables(READ)
        outcome = self.load(tables, eptp_bits=FLAGS_ON)
        assert isinstance(outcome, Translated)
        at = tables.ept(GUEST_TABLE, 1)
        assert outcome.memory_written[at] == tables.memory[at] | ACCESSED

    def test_its_violation_has_no_linear_address(self):
        outcome = self.load(self.tables(EXECUTE), eptp_bits=FLAGS_ON)
        assert isinstance(outcome, EptViolation)
        assert outcome.guest_linear_address is None
        assert outcome.qualification & 0x187 == 1

    @pytest.mark.parametrize("bit", [1, 2, 5, 6, 7, 8, 46, 52, 63])
    def test_a_reserved_bit_of_a_present_pdpte_is_a_general_protection_fault(self, bit):
        outcome = self.load(self.tables(pdpte=0x20_0001 | 1 << bit))
        assert isinstance(outcome, GeneralProtection)
        assert outcome.host_physical_address == HOST_TARGET + 0x20
        assert isinstance(self.load(self.tables(pdpte=0x20_0000 | 1 << bit)), Translated)

    def test_ept_comes_before_the_values(self):
        tables = self.tables(pdpte=0x20_0003)
        tables.memory[tables.ept(GUEST_TABLE, 1)] = 0
        assert isinstance(self.load(tables), EptViolation)


GUEST_TABLE = 0x30_0000


def test_execute_only_needs_the_capability_for_xu_as_for_xs():
    for rights in (EXECUTE, USER_EXECUTE, EXECUTE | USER_EXECUTE):
        tables = Tables()
        tables.map(TARGET, HOST_TARGET, rights)
        without = CAPABILITIES & ~1
        assert isinstance(physical(tables, TARGET), EptViolation)
        assert isinstance(physical(tables, TARGET, ept_vpid_cap=without), EptMisconfiguration)
