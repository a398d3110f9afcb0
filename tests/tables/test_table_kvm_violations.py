"""Error codes of EPT violations, and the qualifications that KVM shows L1, version by version."""

import pytest
from ept_cases import table

from models.kvm import VERSIONS
from models.kvm.violation import (
    Injected,
    LastExit,
    nested_ept_inject_page_fault,
    vmx_handle_ept_violation,
    vmx_translate_nested_gpa,
)
from models.kvm.walk import WalkFault, synthesise_exit_qualification

TABLE = table("kvm_violations")
ADVANCED = 1 << 22
FINAL, PAGE, RSVD = 1 << 32, 1 << 33, 1 << 3


def bits(positions: list[int]) -> int:
    return sum(1 << position for position in positions)


@pytest.mark.parametrize("case", TABLE["error_code"], ids=lambda case: case["name"])
@pytest.mark.parametrize("name", VERSIONS)
def test_the_error_code_of_a_violation_has_the_bits_of_the_table(name, case):
    observed = vmx_handle_ept_violation(VERSIONS[name], bits(case["qualification"]), case.get("mbec", False))
    assert observed == bits(case.get(name, case["default"]))
    private = vmx_handle_ept_violation(VERSIONS[name], 0, False, private=True)
    assert private == 1 << 49


@pytest.mark.parametrize("case", TABLE["synthesised"], ids=lambda case: case["name"])
@pytest.mark.parametrize("name", VERSIONS)
def test_the_low_bits_of_a_synthesised_qualification_are_those_of_the_access(name, case):
    version = VERSIONS[name]
    expected = bits(case["bits" if version.read_right else "old"])
    assert synthesise_exit_qualification(version, bits(case["access"]), 0, True) & 0x7F == expected


@pytest.mark.parametrize("name", VERSIONS)
def test_bits_6_to_3_of_a_synthesised_qualification_are_the_and_of_the_entries(name):
    version = VERSIONS[name]
    for raw, expected in ((0x7, 0x38), (0x401, 0x48), (0x400, 0x40), (0x2, 0x10), (0, 0)):
        shown = synthesise_exit_qualification(version, 1 << 1, raw, True)
        assert shown & 0x78 == expected
        assert synthesise_exit_qualification(version, 1 << 1, raw, False) & 0x78 == expected & 0x38


@pytest.mark.parametrize("name", VERSIONS)
def test_l1_gets_bits_7_to_11_of_the_last_exit_and_9_to_11_only_if_it_was_offered_them(name):
    version, hardware = VERSIONS[name], 0x1FFFF
    fault = WalkFault(0x1000, 0, synthesise_exit_qualification(version, 0, 0, False), 1, "")
    for ept_caps, advanced in ((ADVANCED, True), (0, False)):
        told = nested_ept_inject_page_fault(version, fault, LastExit(hardware, True), ept_caps)
        shown = 0xF80 if advanced and version.advanced_information else 0x180
        assert (told.exit_reason, told.exit_qualification & ~0x7F) == (48, shown)


def test_only_newest_leaves_out_the_bits_of_an_exit_that_was_not_the_faults_own():
    for name, version in VERSIONS.items():
        fault = WalkFault(0x1000, 0, synthesise_exit_qualification(version, PAGE, 0, False), 1, "")
        stale = nested_ept_inject_page_fault(version, fault, LastExit(0xF80, False), ADVANCED)
        own = 0x80 if name == "newest" else 0xF80 if version.advanced_information else 0x180
        assert stale.exit_qualification & 0xF80 == own, name
        final = WalkFault(0x1000, 0, synthesise_exit_qualification(version, FINAL, 0, False), 1, "")
        quiet = nested_ept_inject_page_fault(version, final, LastExit(0, False), ADVANCED)
        assert quiet.exit_qualification & 0xF80 == (0x180 if name == "newest" else 0), name


def test_a_misconfiguration_and_a_full_log_have_no_qualification_but_bit_12():
    version = VERSIONS["v5"]
    fault = WalkFault(0x1000, RSVD | 1, 0, 1, "")
    last = LastExit(0x1FFFF, True)
    assert nested_ept_inject_page_fault(version, fault, last, ADVANCED) == Injected(49, 0, 0x1000)
    full = nested_ept_inject_page_fault(version, fault, last, ADVANCED, pml_full=True)
    assert full == Injected(62, 1 << 12, 0x1000)


def test_only_the_final_access_of_a_nested_walk_carries_the_mode_of_the_page():
    user, supervisor = 0xF, 0xB
    for name in ("v3", "v5", "newest"):
        version = VERSIONS[name]
        assert vmx_translate_nested_gpa(version, FINAL, user) == FINAL | 4
        assert vmx_translate_nested_gpa(version, FINAL | 4, supervisor) == FINAL
        assert vmx_translate_nested_gpa(version, PAGE | 4 | 2, user) == PAGE | 2
    for name in ("old", "rfc", "v1"):
        assert vmx_translate_nested_gpa(VERSIONS[name], 2, supervisor) == 6
