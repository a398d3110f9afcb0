"""Guest paging beyond the tables: large pages, PAE registers, keys, shadow stacks, flags."""

import pytest
from two_dimensions import HOST_TARGET, Tables, machine

from models.sdm import (
    ALL_FEATURES,
    EptViolation,
    Guest,
    LinearAccess,
    Machine,
    PageFault,
    Processor,
    Translated,
    Vmcs,
    access,
)

OPEN = 0x67
MAPS_PAGE = 1 << 7
CR3 = 0x10_0000
PSE, PAE, LA57, PKE, PKS, CET = 1 << 4, 1 << 5, 1 << 12, 1 << 22, 1 << 24, 1 << 23
SMAP, AC = 1 << 21, 1 << 18
LONG_MODE = {"cr4": PAE, "efer": 0xD00}
WITHOUT_EPT = Vmcs(eptp=0, primary_controls=0, secondary_controls=0)


def bare(memory, features=ALL_FEATURES, width=40, **guest):
    """A guest without EPT: its tables are in host-physical memory."""
    fields = {"cr0": 0x8001_0031, "cr3": CR3, "cpl": 0, "rflags": 2, "cr4": 0, "efer": 0} | guest
    return Machine(
        processor=Processor(maxphyaddr=width, raw_maxphyaddr=width, ept_vpid_cap=0, features=features),
        vmcs=WITHOUT_EPT,
        guest=Guest(**fields),
        memory=memory,
    )


def run(built, address, kind="read", **flags):
    return access(built, LinearAccess(kind=kind, linear_address=address, **flags))


class TestThirtyTwoBitPaging:
    def test_entries_are_the_halves_of_words(self):
        # PDE 1 lies in the upper half of the first word, PTE 3 in that of the second.
        memory = {CR3: (0x20_0000 | OPEN) << 32, 0x20_0008: (0xABCD_E000 | OPEN) << 32}
        outcome = run(bare(memory), 0x0040_3123)
        assert isinstance(outcome, Translated)
        assert outcome.host_physical_address == 0xABCD_E123

    def test_a_flag_changes_its_own_half_alone(self):
        memory = {CR3: (0x20_0000 | 7) << 32 | 0x1234_5678, 0x20_0008: (0xABCD_E000 | 7) << 32 | 0x89}
        outcome = run(bare(memory), 0x0040_3123, "write")
        assert outcome.memory_written == {
            CR3: (0x20_0000 | 0x27) << 32 | 0x1234_5678,
            0x20_0008: (0xABCD_E000 | 0x67) << 32 | 0x89,
        }

    def test_pse_36_takes_bits_39_to_32_of_the_page_from_bits_20_to_13(self):
        memory = {CR3: 0x0040_0000 | 0xA5 << 13 | OPEN | MAPS_PAGE}
        outcome = run(bare(memory, cr4=PSE), 0x0012_3456)
        assert outcome.host_physical_address == 0xA5_0052_3456

    def test_without_pse_36_those_bits_are_reserved(self):
        memory = {CR3: 0x0040_0000 | 1 << 13 | OPEN | MAPS_PAGE}
        outcome = run(bare(memory, cr4=PSE, features=ALL_FEATURES - {"pse36"}), 0)
        assert isinstance(outcome, PageFault)
        assert outcome.error_code == 0x9

    def test_without_pse_bit_7_of_a_pde_is_ignored_and_nothing_is_reserved(self):
        memory = {CR3: 0x20_0000 | OPEN | MAPS_PAGE, 0x20_0000: 0x30_0000 | OPEN}
        assert run(bare(memory), 0x456).host_physical_address == 0x30_0456

    def test_a_fetch_is_reported_under_smep_alone(self):
        assert run(bare({}, efer=0x800), 0, "fetch").error_code == 0
        assert run(bare({}, cr4=1 << 20), 0, "fetch").error_code == 0x10


class TestPaePaging:
    def test_bits_31_and_30_select_a_register_that_has_no_rights(self):
        tables = Tables()
        tables.map(0x20_0000, 0x5000_0000)
        tables.map(0x30_0000, HOST_TARGET)
        tables.memory[0x5000_0000 + 8 * 3] = 0x30_0000 & ~0x1F_FFFF | OPEN | MAPS_PAGE
        tables.map(0x2A_B000, HOST_TARGET)
        pdptes = (0, 0, 0x20_0001, 0)
        built = machine(tables, cr4=PAE, efer=0x800, cr3=0x40, pdptes=pdptes, cpl=3)
        outcome = run(built, 2 << 30 | 3 << 21 | 0xA_B123, "write")
        assert isinstance(outcome, Translated)
        assert outcome.guest_physical_address == 0x2A_B123

    def test_an_absent_register_faults_without_any_memory_access(self):
        built = machine(Tables(), cr4=PAE, efer=0x800, cr3=0x40, pdptes=(0x20_0001, 0, 1, 1))
        outcome = run(built, 1 << 30)
        assert isinstance(outcome, PageFault)
        assert outcome.error_code == 0

    def test_a_present_register_is_used_through_ept(self):
        built = machine(Tables(), cr4=PAE, efer=0x800, cr3=0x40, pdptes=(0x20_0001, 0, 0, 0))
        outcome = run(built, 0)
        assert isinstance(outcome, EptViolation)
        assert outcome.guest_physical_address == 0x20_0000


class TestLongMode:
    def test_five_levels_translate_57_bits(self):
        address = 0xAB_CDEF_0123_4567
        memory, table = {}, CR3
        for level in (5, 4, 3, 2, 1):
            at = table | address >> 9 * level & 0xFF8
            table += 0x1000
            memory[at] = table | OPEN
        outcome = run(bare(memory, cr4=PAE | LA57, efer=0xD00), address)
        assert outcome.host_physical_address == table | 0x567

    def test_a_one_gigabyte_page_needs_its_feature(self):
        memory = {CR3: 0x20_0000 | OPEN, 0x20_0000: 0x4000_0000 | OPEN | MAPS_PAGE}
        assert run(bare(memory, **LONG_MODE), 0x123_4567).host_physical_address == 0x4123_4567
        outcome = run(bare(memory, features=ALL_FEATURES - {"page1gb"}, **LONG_MODE), 0)
        assert outcome.error_code == 0x9

    def test_the_memory_type_follows_the_pat_bit_of_the_page(self):
        # PAT is bit 12 of a large page and bit 7 of a page-table entry; index 4 is made WC here.
        pat = 0x0007_0401_0007_0406 & ~0xFF | 6
        for large in (False, True):
            tables = Tables()
            tables.map(CR3, 0x5000_0000)
            tables.map(0x20_0000, 0x5000_1000)
            tables.map(0x20_1000, 0x5000_2000)
            tables.map(0x20_2000, 0x5000_3000)
            tables.map(0x4000_0000, HOST_TARGET)
            tables.memory[0x5000_0000] = 0x20_0000 | OPEN
            tables.memory[0x5000_1000] = 0x20_1000 | OPEN
            pde = 0x4000_0000 | OPEN | MAPS_PAGE | 1 << 12 if large else 0x20_2000 | OPEN
            tables.memory[0x5000_2000] = pde
            tables.memory[0x5000_3000] = 0x4000_0000 | OPEN | 1 << 7
            outcome = run(machine(tables, ia32_pat=pat), 0)
            assert outcome.effective_memory_type == "WC", large


def long_mode_page(entry: int) -> dict[int, int]:
    """Linear address 0 through fully open tables and `entry`."""
    return {
        CR3: 0x20_0000 | OPEN,
        0x20_0000: 0x20_1000 | OPEN,
        0x20_1000: 0x20_2000 | OPEN,
        0x20_2000: 0x4000_0000 | entry,
    }


class TestProtectionKeys:
    KEY = 5 << 59

    @pytest.mark.parametrize("user_page", [False, True])
    @pytest.mark.parametrize(
        ("rights", "wp", "denied"),
        [
            (0b00, True, set()),
            (0b01, True, {"read", "write", "rmw"}),
            (0b10, True, {"write", "rmw"}),
            (0b10, False, set()),
            (0b11, False, {"read", "write", "rmw"}),
        ],
    )
    def test_supervisor_accesses_obey_the_keys_of_the_page(self, user_page, rights, wp, denied):
        register = {"pkru" if user_page else "pkrs": rights << 10}
        memory = long_mode_page(self.KEY | (0x67 if user_page else 0x63))
        cr0 = 0x8000_0031 | (1 << 16 if wp else 0)
        for kind in ("read", "write", "rmw", "fetch"):
            built = bare(memory, cr4=PAE | PKE | PKS, efer=0xD00, cr0=cr0, **register)
            outcome = run(built, 0, kind)
            assert isinstance(outcome, PageFault if kind in denied else Translated), kind
            if kind in denied:
                assert outcome.error_code & 0x21 == 0x21

    def test_user_writes_obey_wd_whatever_wp_is(self):
        memory = long_mode_page(self.KEY | 0x67)
        built = bare(memory, cr4=PAE | PKE, efer=0xD00, cr0=0x8000_0031, cpl=3, pkru=2 << 10)
        assert isinstance(run(built, 0, "write"), PageFault)
        assert isinstance(run(built, 0, "read"), Translated)

    @pytest.mark.parametrize(("enabled", "user_page"), [(PKE, False), (PKS, True), (0, True), (0, False)])
    def test_each_register_serves_its_own_pages_if_enabled(self, enabled, user_page):
        memory = long_mode_page(self.KEY | (0x67 if user_page else 0x63))
        built = bare(memory, cr4=PAE | enabled, efer=0xD00, pkru=0xFFFF_FFFF, pkrs=0xFFFF_FFFF)
        assert isinstance(run(built, 0), Translated)

    @pytest.mark.parametrize("user_page", [False, True])
    def test_outside_ia_32e_mode_there_are_no_keys(self, user_page):
        flags = 0x67 if user_page else 0x63
        tables = {0x20_0000: 0x20_1000 | flags, 0x20_1000: 0x4000_0000 | flags}
        every = {"pkru": 0xFFFF_FFFF, "pkrs": 0xFFFF_FFFF}
        thirty_two = bare(tables, cr4=PKE | PKS, cr3=0x20_0000, **every)
        assert isinstance(run(thirty_two, 0), Translated)
        pae = bare(tables | {CR3: 0x20_0001}, cr4=PAE | PKE | PKS, **every)
        assert isinstance(run(pae, 0), Translated)

    def test_the_key_is_reported_beside_another_cause(self):
        memory = long_mode_page(self.KEY | 0x65)
        built = bare(memory, cr4=PAE | PKE, efer=0xD00, cpl=3, pkru=2 << 10)
        assert run(built, 0, "write").error_code == 0x27


class TestShadowStacks:
    @staticmethod
    def guest(**options):
        return {"cr4": PAE | CET, "efer": 0xD00, "ia32_s_cet": 1, "ia32_u_cet": 1} | options

    @pytest.mark.parametrize(
        ("entry", "user_allowed", "supervisor_allowed"),
        [
            (0x65, True, False),  # user page, D, not R/W
            (0x61, False, True),  # supervisor page, D, not R/W
            (0x67, False, False),  # R/W: no shadow-stack page
            (0x25, False, False),  # not dirty: none either
            (0x63, False, False),
        ],
    )
    @pytest.mark.parametrize("kind", ["read", "write", "rmw"])
    def test_they_reach_shadow_stack_pages_of_their_own_mode_only(self, entry, user_allowed, supervisor_allowed, kind):
        memory = long_mode_page(entry)
        for cpl, allowed in ((3, user_allowed), (0, supervisor_allowed)):
            outcome = run(bare(memory, **self.guest(cpl=cpl)), 0, kind, shadow_stack=True)
            assert isinstance(outcome, Translated if allowed else PageFault), cpl
            if not allowed:
                assert outcome.error_code & 0x40

    def test_every_upper_entry_must_be_writable(self):
        memory = long_mode_page(0x61)
        memory[0x20_1000] &= ~2
        assert isinstance(run(bare(memory, **self.guest()), 0, shadow_stack=True), PageFault)

    def test_wruss_is_a_user_access_at_cpl_0(self):
        built = bare(long_mode_page(0x65), **self.guest())
        assert isinstance(run(built, 0, "write", user_shadow_stack=True), Translated)
        built = bare(long_mode_page(0x61), **self.guest())
        outcome = run(built, 0, "write", user_shadow_stack=True)
        assert outcome.error_code == 0x47

    def test_wruss_needs_no_enabled_user_shadow_stack_with_either_spelling(self):
        built = bare(long_mode_page(0x65), **self.guest(ia32_u_cet=0))
        for flags in ({"user_shadow_stack": True}, {"user_shadow_stack": True, "shadow_stack": True}):
            assert isinstance(run(built, 0, "write", **flags), Translated)

    def test_ordinary_accesses_read_such_a_page_and_never_write_it(self):
        built = bare(long_mode_page(0x65), **self.guest(cpl=3))
        assert isinstance(run(built, 0), Translated)
        assert isinstance(run(built, 0, "write"), PageFault)

    def test_they_obey_protection_keys(self):
        memory = long_mode_page(0x65 | 5 << 59)
        for rights, denied in ((0b01, {"read", "write"}), (0b10, {"write"}), (0b00, set())):
            built = bare(memory, **self.guest(cr4=PAE | CET | PKE, cpl=3, pkru=rights << 10))
            for kind in ("read", "write"):
                outcome = run(built, 0, kind, shadow_stack=True)
                assert isinstance(outcome, PageFault if kind in denied else Translated)
                if kind in denied:
                    assert outcome.error_code & 0x61 == 0x61

    def test_an_absent_page_is_reported_with_bit_6(self):
        assert run(bare({}, **self.guest()), 0, shadow_stack=True).error_code == 0x40


def test_an_implicit_supervisor_access_is_one_at_cpl_3_and_ac_does_not_help_it():
    supervisor_page = bare(long_mode_page(0x63), cpl=3, **LONG_MODE)
    assert isinstance(run(supervisor_page, 0), PageFault)
    assert isinstance(run(supervisor_page, 0, implicit_supervisor=True), Translated)
    smap = {"cr4": PAE | SMAP, "efer": 0xD00, "rflags": 2 | AC}
    user_page = bare(long_mode_page(0x67), cpl=0, **smap)
    assert isinstance(run(user_page, 0), Translated)
    outcome = run(user_page, 0, implicit_supervisor=True)
    assert outcome.error_code == 1


def test_present_is_tested_before_reserved_bits_and_upper_levels_before_lower():
    memory = long_mode_page(0x67)
    memory[0x20_2000] = 1 << 51
    assert run(bare(memory, **LONG_MODE), 0).error_code == 0
    memory[0x20_1000] |= 1 << 51
    assert run(bare(memory, **LONG_MODE), 0).error_code == 9


def test_with_paging_off_an_address_is_physical_and_control_bits_take_no_part():
    built = machine(Tables(), cr0=0x33, efer=0x100, cr4=0x30_2020)
    outcome = run(built, 0xFFFF_F000)
    assert isinstance(outcome, EptViolation)
    assert outcome.guest_physical_address == 0xFFFF_F000


def test_a_disabled_cache_makes_the_memory_type_uncacheable():
    tables = Tables()
    tables.map(0, HOST_TARGET)
    for cr0, expected in ((0x33, "WB"), (0x4000_0033, "UC")):
        outcome = run(machine(tables, cr0=cr0, efer=0, cr4=0x2000), 0)
        assert outcome.effective_memory_type == expected
