"""KVM's macros are those of the bits that they stand for, in the specifications' own layouts and constants."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.core.interpret import evaluate
from verifier.core.show import Named, named
from verifier.names.project import read_project
from verifier.reports.kvm_words import ADDRESSES, LAYOUTS, in_macros, qualification_in_macros
from verifier.types import typed
from verifier.types.kinds import Layout
from verifier.types.load import load

CHECKED = load(read_project(Path(__file__).parents[4])).checked
SPTE = "kvm.spte.Spte"
WITHOUT_A_MACRO = {
    "sdm.ept.entry.EptEntry": {"vgp", "pwa", "sss", "spp"},
    "sdm.ept.qualification.EptViolationQualification": {
        "shadow_stack_access", "supervisor_shadow_stack", "verification", "asynchronous", "not_defined",
    },
    "sdm.paging.entry.GuestEntry": {"key"},
    "sdm.paging.mode.Cr4": {"pks"},
}  # fmt: skip


def layout(name: str) -> Layout:
    kind = CHECKED.types[name]
    assert isinstance(kind, Layout)
    return kind


def constants() -> dict[str, int]:
    """The specifications' constants by their last name."""
    found: dict[str, int] = {}
    for name, function in CHECKED.functions.items():
        if function.kind == "const" and not isinstance(function.body, typed.RuleBody):
            value = evaluate(function.body, {})
            if isinstance(value, int):
                found[name.rsplit(".", 1)[1]] = value
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_field_of_a_bitfield_has_a_macro_or_is_known_to_have_none(name: str):
    special = {*ADDRESSES, "memtype", "ad_type"}
    fields = {field.name for field in layout(name).fields}
    assert fields - set(LAYOUTS[name]) - special == WITHOUT_A_MACRO.get(name, set())


def test_a_macro_that_is_a_constant_of_the_specifications_has_its_value():
    known = constants()
    compared = 0
    for name in LAYOUTS:
        for field in layout(name).fields:
            macro = LAYOUTS[name].get(field.name, "")
            if macro in known and name != "sdm.ept.walk.Rights":
                assert known[macro] == field.mask, (name, field.name)
                compared += 1
    assert compared >= 15


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("sdm.ept.entry.EptEntry", 0x401, "VMX_EPT_READABLE_MASK | VMX_EPT_USER_EXECUTABLE_MASK"),
        ("sdm.ept.entry.EptEntry", 0x30B0, "(MTRR_TYPE_WRBACK << VMX_EPT_MT_EPTE_SHIFT) | PT_PAGE_SIZE_MASK | 0x3000"),
        ("sdm.ept.entry.EptEntry", 0x10, "(2 << VMX_EPT_MT_EPTE_SHIFT)"),
        ("sdm.ept.entry.EptEntry", 1 << 58 | 1 << 11, "BIT_ULL(58) | 0x800"),
        ("sdm.ept.entry.EptEntry", 0, "0"),
        ("kvm.acc.Acc", 0xF, "ACC_READ_MASK | ACC_WRITE_MASK | ACC_USER_EXEC_MASK | ACC_EXEC_MASK"),
        ("kvm.asm_kvm_host.Pferr", 1 << 32 | 0x14, "PFERR_USER_MASK | PFERR_FETCH_MASK | PFERR_GUEST_FINAL_MASK"),
        ("kvm.asm_vmx.EptViolation", 0x204, "EPT_VIOLATION_ACC_INSTR | EPT_VIOLATION_GVA_USER"),
        (SPTE, 1 << 60 | 0x804, "VMX_EPT_EXECUTABLE_MASK | SPTE_MMU_PRESENT_MASK | SPTE_TDP_AD_DISABLED"),
        (SPTE, 1 << 62, "(VMX_EPT_USER_EXECUTABLE_MASK << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT)"),
        (SPTE, 3 << 60, "0x3000000000000000"),
        ("kvm.asm_kvm_host.KvmMmuPageRole", 0x100004, "{ .level = 4, .cr4_smep = 1 }"),
        ("kvm.asm_kvm_host.KvmMmuPageRole", 0, "{ 0 }"),
    ],
)
def test_a_value_is_told_in_macros(name: str, value: int, text: str):
    assert in_macros(named(value, layout(name))) == text


def test_the_layout_of_a_series_is_the_one_that_counts():
    old = Named(SPTE, (("x", 2, 1), ("saved_x", 56, 1), ("host_writable", 57, 1)))
    saved = "(VMX_EPT_EXECUTABLE_MASK << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT)"
    assert in_macros(old) == f"VMX_EPT_EXECUTABLE_MASK | {saved} | EPT_SPTE_HOST_WRITABLE"


def test_a_qualification_is_told_as_its_layout_is():
    kind = layout("sdm.ept.qualification.EptViolationQualification")
    for position in range(17):
        assert qualification_in_macros(1 << position) == in_macros(named(1 << position, kind))
    assert qualification_in_macros(0) == "0"
