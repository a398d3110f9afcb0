"""permissions[] and pkru_mask of every version against the words that the compiled kernel functions printed."""

import pytest
from ept_cases import table

from models.kvm import VERSIONS
from models.kvm.permissions import (
    PagingModes,
    PermissionTables,
    Viewer,
    mbec_permission_fault,
    permission_fault,
    table_fault,
    update_permission_bitmask,
    update_pkru_bitmask,
)

TABLE = table("kvm_permissions")
CASES = [(version, case) for case in TABLE["case"] for version in case["versions"]]
USER = 1 << 2


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{version}: {case['name']}" for version, case in CASES])
def test_every_word_is_the_one_that_the_kernel_computes(name, case):
    version = VERSIONS[name]
    words = tuple(int(word, 16) for word in case["words"].split())
    assert version.permission_bits == case["bits"]
    assert update_permission_bitmask(version, PagingModes(**case["modes"])) == words


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{version}: {case['name']}" for version, case in CASES])
def test_a_look_up_finds_the_bit_of_its_rights_in_the_word_of_its_error_code(name, case):
    version = VERSIONS[name]
    words = [int(word, 16) for word in case["words"].split()]
    tables = PermissionTables(version, update_permission_bitmask(version, PagingModes(**case["modes"])))
    for pfec in range(32):
        if pfec & 8:
            continue
        for access in range(case["bits"]):
            for ac in (False, True):
                expected = words[(pfec | 8 * ac) >> 1] >> access & 1
                assert permission_fault(tables, access, 0, pfec | 1 << 32, Viewer(rflags_ac=ac)) == expected
        implicit = permission_fault(tables, USER, 0, pfec | 1 << 48, Viewer(rflags_ac=True))
        assert implicit == words[pfec >> 1] >> USER & 1, "AC does not count for implicit accesses"


def test_rights_beyond_the_width_of_a_word_never_fault_which_is_what_rfc_and_v1_rely_on_by_mistake():
    for name in ("rfc", "v1"):
        permissions = update_permission_bitmask(VERSIONS[name], PagingModes(ept=True, tdp=True))
        assert not any(table_fault(permissions, access, pfec) for access in range(8, 16) for pfec in (0, 2, 4, 16))


def test_an_error_code_that_the_table_does_not_cover_is_no_look_up():
    permissions = update_permission_bitmask(VERSIONS["v5"], PagingModes(ept=True))
    with pytest.raises(ValueError, match="no element"):
        table_fault(permissions, 0, 1 << 5)


def test_v1_decides_by_the_privilege_level_because_its_own_bit_is_lost():
    version, user_fetch = VERSIONS["v1"], 1 << 50
    for access, cpl, expected in ((8, 3, False), (8, 0, True), (1, 0, False), (1, 3, True)):
        assert mbec_permission_fault(version, access, 16 | user_fetch, cpl) is expected
    tables = PermissionTables(version, update_permission_bitmask(version, PagingModes(ept=True)))
    assert permission_fault(tables, 8, 0, 16, Viewer(cpl=0, mbec=True)) == 1
    assert mbec_permission_fault(version, 4, 2, 0)
    assert mbec_permission_fault(version, 2, 4, 0)
    assert not mbec_permission_fault(version, 6, 6, 0)


@pytest.mark.parametrize("case", TABLE["pkru"], ids=lambda case: f"wp={case['cr0_wp']}")
def test_the_mask_of_protection_keys_is_the_one_that_the_kernel_computes(case):
    assert update_pkru_bitmask(True, case["cr0_wp"]) == case["mask"]
    assert update_pkru_bitmask(False, case["cr0_wp"]) == 0


def test_a_protection_key_denies_data_of_user_pages_alone():
    version = VERSIONS["v5"]
    modes = PagingModes(cr0_wp=True, efer_nx=True)
    tables = PermissionTables(version, update_permission_bitmask(version, modes), update_pkru_bitmask(True, True))
    everything, deny_access, deny_write = 15, Viewer(pkru=1 << 2), Viewer(pkru=2 << 2)
    assert permission_fault(tables, everything, 1, 4, deny_access) == 0x21
    assert permission_fault(tables, everything, 0, 4, deny_access) == 0
    assert permission_fault(tables, everything, 1, 4, deny_write) == 0
    assert permission_fault(tables, everything, 1, 6, deny_write) == 0x21
    assert permission_fault(tables, everything, 1, 20, deny_access) == 0
    assert permission_fault(tables, everything & ~USER, 1, 0, deny_access) == 0
