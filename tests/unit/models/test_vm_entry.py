"""VM entry: controls, guest state, PDPTEs, and what is refused instead."""

import pytest
from two_dimensions import LINEAR, TARGET, Tables, four_levels, machine

from models.sdm import (
    ALL_FEATURES,
    InputError,
    LinearAccess,
    PageFault,
    PhysicalAccess,
    Translated,
    VmEntryFailure,
    access,
)
from models.sdm.vmx.controls import (
    PIN_CONTROLS,
    PRIMARY_CONTROLS,
    SECONDARY_CONTROLS,
    TERTIARY_CONTROLS,
)

EPT_ALONE = 0x2
ENABLED = {
    "pin_controls": 0,
    "primary_controls": 0x8002_0000,
    "secondary_controls": 0x2,
    "tertiary_controls": 0,
}
FIELDS = (PIN_CONTROLS, PRIMARY_CONTROLS, SECONDARY_CONTROLS, TERTIARY_CONTROLS)


def enter(**options):
    """The outcome of a read of guest-physical address 0 after VM entry."""
    return access(machine(four_levels(), **options), PhysicalAccess(kind="read", guest_physical_address=0))


def linear(address: int = LINEAR, **options):
    return access(machine(four_levels(), **options), LinearAccess(kind="read", linear_address=address))


def test_every_control_that_is_not_modelled_is_refused_by_its_name():
    for field in FIELDS:
        for number, name in field.unmodelled.items():
            with pytest.raises(InputError, match=r"not modelled") as caught:
                enter(**ENABLED | {field.name: ENABLED[field.name] | 1 << number})
            assert caught.value.code == "unmodelled_control"
            assert caught.value.path == f"vmcs.{field.name}"
            assert name in caught.value.message


def test_all_refused_controls_of_a_field_are_named_at_once():
    with pytest.raises(InputError) as caught:
        enter(secondary_controls=1 << 1 | 1 << 13 | 1 << 17)
    assert "VM functions" in caught.value.message
    assert "PML" in caught.value.message
    assert "VPID" not in caught.value.message


def test_controls_that_are_not_activated_are_not_in_force():
    assert isinstance(enter(primary_controls=0, secondary_controls=1 << 17), Translated)
    assert not isinstance(enter(primary_controls=1 << 31, tertiary_controls=1 << 1), VmEntryFailure)


def test_no_bit_of_a_control_field_is_two_things():
    for field in FIELDS:
        parts = (field.modelled, field.default1, field.refused)
        assert sum(parts) == parts[0] | parts[1] | parts[2]


@pytest.mark.parametrize(
    ("field", "capability", "control"),
    [
        ("primary_controls", "procbased_ctls", 31),
        ("secondary_controls", "procbased_ctls2", 22),
        ("tertiary_controls", "procbased_ctls3", 2),
    ],
)
def test_a_control_that_the_processor_does_not_allow_fails_vm_entry(field, capability, control):
    options = ENABLED | {field: ENABLED[field] | 1 << control}
    assert isinstance(enter(**options), type(enter(**ENABLED)))
    shift = 0 if field == "tertiary_controls" else 32
    allowed = ((1 << 32) - 1 & ~(1 << control)) << shift
    failure = enter(**options, **{capability: allowed})
    assert isinstance(failure, VmEntryFailure)
    assert failure.vm_instruction_error == 7


def test_a_control_that_must_be_1_and_is_0_fails_vm_entry():
    must_be_1 = 0xFFFF_FFFF_0000_0002
    failure = enter(procbased_ctls=must_be_1)
    assert isinstance(failure, VmEntryFailure)
    assert not isinstance(enter(procbased_ctls=must_be_1, primary_controls=0x8002_0002), VmEntryFailure)


def test_secondary_controls_that_must_be_1_count_only_while_they_are_activated():
    must_be_1 = {"procbased_ctls2": 0xFFFF_FFFF_2000_0000}
    assert isinstance(enter(**must_be_1), VmEntryFailure)
    assert not isinstance(enter(primary_controls=0, **must_be_1), VmEntryFailure)


def test_reserved_bits_of_the_default_1_class_may_be_1():
    options = {"pin_controls": 0x16, "primary_controls": 0x8002_0000 | 0x0400_6172}
    assert not isinstance(enter(**options), VmEntryFailure)


@pytest.mark.parametrize("pointer", ["ve_information_address", "sppt_pointer"])
@pytest.mark.parametrize(("value", "valid"), [(0x1000, True), (0x1008, False), (1 << 46, False)])
def test_pointers_to_pages_are_aligned_and_below_maxphyaddr_if_their_control_is_set(pointer, value, valid):
    control = {"ve_information_address": 1 << 18, "sppt_pointer": 1 << 23}[pointer]
    failed = isinstance(enter(secondary_controls=EPT_ALONE | control, **{pointer: value}), VmEntryFailure)
    assert failed != valid
    assert not isinstance(enter(secondary_controls=EPT_ALONE, **{pointer: value}), VmEntryFailure)


GUEST_FAILURES = {
    "paging without protection": {"cr0": 0x8000_0020},
    "paging off without unrestricted guest": {"cr0": 0x31, "efer": 0, "secondary_controls": EPT_ALONE},
    "LMA without LME": {"efer": 0x400},
    "LME and paging without LMA": {"efer": 0x100},
    "LMA without paging": {"cr0": 0x31, "efer": 0x500},
    "LMA without PAE": {"cr4": 0x2000},
    "PCIDE outside IA-32e mode": {"cr4": 0x2_2020, "efer": 0},
    "CET without WP": {"cr4": 0x80_2020, "cr0": 0x8000_0033},
    "NXE that is not supported": {"features": ALL_FEATURES - {"nx"}},
    "SMEP that is not supported": {"cr4": 0x10_2020, "features": ALL_FEATURES - {"smep"}},
    "SMAP that is not supported": {"cr4": 0x20_2020, "features": ALL_FEATURES - {"smap"}},
    "PKE that is not supported": {"cr4": 0x40_2020, "features": ALL_FEATURES - {"pku"}},
    "CET that is not supported": {"cr4": 0x80_2020, "features": ALL_FEATURES - {"cet"}},
    "LA57 that is not supported": {"cr4": 0x3020, "features": ALL_FEATURES - {"la57"}},
    "PSE that is not supported": {"cr4": 0x2030, "features": ALL_FEATURES - {"pse"}},
    "a CR3 beyond the guest-physical width": {"cr3": 1 << 46},
    "a PAT entry that is no memory type": {"ia32_pat": 0x02},
}


@pytest.mark.parametrize("options", GUEST_FAILURES.values(), ids=GUEST_FAILURES)
def test_paging_state_that_does_not_fit_together_fails_vm_entry(options):
    failure = enter(**options)
    assert isinstance(failure, VmEntryFailure)
    assert (failure.vm_instruction_error, failure.exit_reason, failure.qualification) == (None, 33, 0)


def test_a_processor_without_features_runs_a_guest_that_uses_none():
    assert not isinstance(enter(features=frozenset(), efer=0x500), VmEntryFailure)


def test_cr4_bits_that_do_not_concern_paging_are_accepted():
    for bit in (0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 14, 16, 18, 19, 25, 32):
        assert not isinstance(enter(cr4=0x20 | 1 << bit), VmEntryFailure), bit


def test_the_neighbours_of_those_states_are_accepted():
    accepted = (
        {"cr0": 0x31, "efer": 0},
        {"cr0": 0x31, "efer": 0x100},
        {"cr4": 0x2_2020},
        {"cr4": 0x80_2020},
        {"cr3": (1 << 46) - 1},
        {"cr0": 0x30, "efer": 0},
    )
    for options in accepted:
        assert not isinstance(enter(**options), VmEntryFailure), options


def test_guest_addresses_have_the_width_that_cpuid_reports_while_ept_is_on():
    assert not isinstance(enter(cr3=1 << 46, raw_maxphyaddr=47), VmEntryFailure)
    off = {"primary_controls": 0, "raw_maxphyaddr": 47}
    assert isinstance(enter(cr3=1 << 46, **off), VmEntryFailure)


def test_controls_are_checked_before_guest_state():
    failure = enter(cr3=1 << 63, secondary_controls=0x40_0000)
    assert isinstance(failure, VmEntryFailure)
    assert failure.vm_instruction_error == 7


PAE = {"cr4": 0x2020, "efer": 0x800, "cr3": 0x20}


@pytest.mark.parametrize("bit", [1, 2, 5, 6, 7, 8, 46, 52, 63])
@pytest.mark.parametrize("index", range(4))
def test_a_present_pdpte_field_with_a_reserved_bit_fails_vm_entry_with_qualification_2(bit, index):
    for present in (0, 1):
        pdptes = [0, 0, 0, 0]
        pdptes[index] = 1 << bit | present
        outcome = enter(pdptes=tuple(pdptes), **PAE)
        if present:
            assert isinstance(outcome, VmEntryFailure)
            assert (outcome.exit_reason, outcome.qualification) == (33, 2)
        else:
            assert not isinstance(outcome, VmEntryFailure)


def test_pdpte_fields_matter_under_pae_paging_alone():
    assert not isinstance(enter(pdptes=(3, 3, 3, 3)), VmEntryFailure)


def test_without_ept_the_pdptes_are_read_from_memory_at_cr3():
    tables = Tables()
    tables.memory[0x20] = 0x3
    off = {"primary_controls": 0}
    request = PhysicalAccess(kind="read", guest_physical_address=0)
    failure = access(machine(tables, **PAE, **off), request)
    assert isinstance(failure, VmEntryFailure)
    assert failure.qualification == 2
    assert not isinstance(access(machine(tables, **PAE), request), VmEntryFailure)


def test_with_ept_the_memory_at_cr3_takes_no_part_in_pae_paging():
    tables = four_levels()
    for word in (0, 0xFFFF_FFFF_FFFF_FFFF):
        tables.memory[0x20] = word
        outcome = access(machine(tables, pdptes=(0, 0, 0, 0), **PAE), LinearAccess(kind="read", linear_address=0))
        assert isinstance(outcome, PageFault)


INVALID = {
    "guest.cr0": {"cr0": 1 << 32 | 0x8000_0033},
    "guest.cr4": {"cr4": 1 << 15 | 0x2020},
    "guest.efer": {"efer": 0xD02},
    "guest.rflags": {"rflags": 0},
    "guest.cpl": {"cpl": 3, "cr0": 0x30, "efer": 0},
    "guest.ia32_s_cet": {"ia32_s_cet": 1 << 6},
    "guest.ia32_u_cet": {"ia32_u_cet": 1 << 9},
}


@pytest.mark.parametrize(("path", "options"), INVALID.items(), ids=INVALID)
def test_invalid_state_that_is_no_matter_of_paging_is_an_input_error(path, options):
    with pytest.raises(InputError) as caught:
        enter(**options)
    assert (caught.value.code, caught.value.path) == ("invalid_guest_state", path)


@pytest.mark.parametrize("rflags", [0x8, 0x20, 0x8000, 1 << 22, 1 << 63, 1 << 17])
def test_reserved_and_misplaced_flags_are_an_input_error(rflags):
    with pytest.raises(InputError, match="rflags"):
        enter(rflags=rflags | 2)


def test_virtual_8086_mode_has_cpl_3():
    with pytest.raises(InputError, match="cpl"):
        enter(rflags=1 << 17 | 2, efer=0, cpl=0)
    assert not isinstance(enter(rflags=1 << 17 | 2, efer=0, cpl=3), VmEntryFailure)


@pytest.mark.parametrize(("cr4", "name"), [(1 << 27, "LASS"), (1 << 28, "LAM_SUP")])
def test_features_of_cr4_that_are_not_modelled_are_refused_by_name(cr4, name):
    with pytest.raises(InputError, match=name):
        enter(cr4=cr4 | 0x2020)


@pytest.mark.parametrize("address", [1 << 47, (1 << 64) - 1 - (1 << 47), 1 << 63])
def test_a_non_canonical_address_is_an_input_error(address):
    with pytest.raises(InputError) as caught:
        linear(address)
    assert caught.value.code == "non_canonical"


@pytest.mark.parametrize("address", [0, (1 << 47) - 1, (1 << 64) - (1 << 47), (1 << 64) - 1])
def test_a_canonical_address_is_translated(address):
    assert isinstance(linear(address), PageFault)


def test_canonicality_follows_the_paging_mode():
    assert linear(1 << 47, cr4=0x3020)
    with pytest.raises(InputError):
        linear(1 << 56, cr4=0x3020)
    for options in ({"efer": 0}, {"efer": 0, "cr4": 0x2000}, {"efer": 0, "cr0": 0x31}):
        with pytest.raises(InputError, match="32 bits"):
            linear(1 << 32, **options)


IMPOSSIBLE = {
    "a shadow-stack fetch": ({"kind": "fetch", "shadow_stack": True}, {}),
    "an implicit fetch": ({"kind": "fetch", "implicit_supervisor": True}, {}),
    "a shadow-stack access without CET": ({"kind": "read", "shadow_stack": True}, {}),
    "a shadow-stack access that S_CET alone enables": (
        {"kind": "read", "shadow_stack": True},
        {"ia32_s_cet": 1},
    ),
    "a shadow-stack access that S_CET does not enable": (
        {"kind": "read", "shadow_stack": True},
        {"cr4": 0x80_2020, "ia32_u_cet": 1},
    ),
    "a shadow-stack access that U_CET does not enable": (
        {"kind": "read", "shadow_stack": True},
        {"cr4": 0x80_2020, "ia32_s_cet": 1, "cpl": 3},
    ),
    "a WRUSS that reads": ({"kind": "read", "user_shadow_stack": True}, {"cr4": 0x80_2020}),
    "a WRUSS at CPL 3": ({"kind": "write", "user_shadow_stack": True}, {"cr4": 0x80_2020, "cpl": 3}),
    "a WRUSS without CET": ({"kind": "write", "user_shadow_stack": True}, {}),
    "an implicit WRUSS": (
        {"kind": "write", "user_shadow_stack": True, "implicit_supervisor": True},
        {"cr4": 0x80_2020},
    ),
}


@pytest.mark.parametrize(("flags", "options"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_access_that_no_guest_can_make_is_an_input_error(flags, options):
    request = LinearAccess(linear_address=LINEAR, **flags)
    with pytest.raises(InputError) as caught:
        access(machine(four_levels(), **options), request)
    assert caught.value.code == "invalid_access"
    assert caught.value.path.startswith("access.")


def test_without_ept_a_guest_physical_address_must_lie_below_maxphyaddr():
    request = PhysicalAccess(kind="read", guest_physical_address=1 << 46)
    with pytest.raises(InputError, match="MAXPHYADDR"):
        access(machine(four_levels(), primary_controls=0), request)


@pytest.mark.parametrize("flag", ["paging_structure", "paging_write"])
def test_guest_paging_structures_are_never_fetched(flag):
    request = PhysicalAccess(kind="fetch", guest_physical_address=TARGET, **{flag: True})
    with pytest.raises(InputError, match="never fetched"):
        access(machine(four_levels()), request)
