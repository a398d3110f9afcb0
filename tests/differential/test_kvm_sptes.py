"""SPTEs that software alone reads: MMIO SPTEs there and back, spurious and fast faults, layouts without two meanings.

The other side is the same thing said in another way: a decoder, the processor's own rule, a set of bits.
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from comparison import say, seed

from models.kvm import NEWEST, OLD, RFC, V1, V5, VERSIONS, Host, Version
from models.kvm.capabilities import Kvm, NestedMsrs, hardware_setup
from models.kvm.gpte import gpte_access
from models.kvm.masks import MaskInputs, ShadowMasks, kvm_mmu_reset_all_pte_masks, kvm_mmu_set_ept_masks
from models.kvm.mmio_spte import (
    MMIO_SPTE_GEN_HIGH_MASK,
    check_mmio_spte,
    get_mmio_spte_access,
    get_mmio_spte_generation,
    get_mmio_spte_gfn,
    is_mmio_spte,
    make_mmio_spte,
    mmio_spte_gen_bits,
    mmio_spte_gen_low_mask,
)
from models.kvm.mmu import Mmu, init_direct_mmu, kvm_init_shadow_ept_mmu, mmu_has_mbec, nested_ept_init_mmu_context
from models.kvm.page_fault import (
    disallowed_hugepage_adjust,
    fast_page_fault,
    fault_of,
    is_spurious,
    kvm_mmu_hugepage_adjust,
    page_fault_can_be_fast,
)
from models.kvm.pferr import pferr_names
from models.kvm.role import DirectRoot, Registers, ShadowEpt, kvm_calc_cpu_role, kvm_calc_tdp_mmu_root_page_role
from models.kvm.spte import (
    is_executable_pte,
    is_frozen_spte,
    is_mmu_writable_spte,
    is_shadow_present_pte,
)
from models.kvm.tracking import check_spte_writable_invariants, mark_spte_for_access_track, mark_warns
from models.kvm.walk import GuestWalker, WalkFault, WalkSetting, accessed_dirty_updates, walk_entries
from models.sdm import Processor
from models.sdm.ept.entry import configure, misconfiguration

R, W, X, XU = 1, 2, 4, 1 << 10
RIGHTS = tuple(sum(bits) for bits in product((0, R), (0, W), (0, X), (0, XU)))
ROUND_TRIPS = 4_000
WRITE_FAULT, USER_FAULT, FETCH_FAULT, PRESENT_FAULT, RSVD_FAULT = 2, 4, 16, 1, 8


def masks_of(version: Version, **inputs: bool) -> ShadowMasks:
    return kvm_mmu_set_ept_masks(version, MaskInputs(**({"mbec": True} | inputs), maxphyaddr=46))


def kvm_of(version: Version) -> Kvm:
    return hardware_setup(version, Host(processor=Processor(maxphyaddr=46, raw_maxphyaddr=46, ept_vpid_cap=0x6734141)))


# ---- MMIO


@pytest.mark.parametrize("name", VERSIONS)
def test_page_and_generation_of_an_mmio_spte_can_be_read_back(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    start, failing = seed(), list[object]()
    rng, version = Random(start), VERSIONS[name]
    for _ in range(ROUND_TRIPS):
        masks = masks_of(version, l1tf=rng.random() < 0.5)
        gfn, generation = rng.getrandbits(34), rng.getrandbits(30)
        spte = make_mmio_spte(masks, gfn, rng.getrandbits(4), generation)
        kept = generation & (1 << mmio_spte_gen_bits(version)) - 1
        back = (
            get_mmio_spte_gfn(masks, spte),
            get_mmio_spte_generation(version, spte),
            get_mmio_spte_access(masks, spte),
        )
        if back != (gfn, kept, 0) or not is_mmio_spte(masks, spte) or is_shadow_present_pte(spte):
            failing.append((hex(spte), gfn, generation, back))
        assert check_mmio_spte(masks, spte, generation)
        assert not check_mmio_spte(masks, spte, generation ^ 1)
    say(capsys, f"MMIO SPTEs, {name}: made and read back (SLAT_SEED={start})", ROUND_TRIPS, len(failing))
    assert not failing, failing[0]


@pytest.mark.parametrize("name", VERSIONS)
def test_every_mmio_spte_is_a_misconfiguration_in_both_modes(name: str) -> None:
    masks = masks_of(VERSIONS[name])
    for mbec, generation in product((False, True), (0, (1 << 19) - 1, 0x2AAAA)):
        ept = configure(46, 1 << 6 | 1 << 14 | 3 << 16 | 1, 0x1E, 2 | (1 << 22 if mbec else 0), 0)
        spte = make_mmio_spte(masks, 0x12345, 15, generation)
        assert spte & ept.present_mask
        assert misconfiguration(ept, ept.levels[-1], spte) is not None


def test_without_mmio_caching_nothing_is_an_mmio_spte() -> None:
    masks = kvm_mmu_set_ept_masks(V5, MaskInputs(mmio_caching=False))
    assert not is_mmio_spte(masks, make_mmio_spte(masks, 1, 0, 0))
    legacy = kvm_mmu_reset_all_pte_masks(V5, MaskInputs(maxphyaddr=46, l1tf=True))
    spte = make_mmio_spte(legacy, 0x3_FFFF_FFFF, 15, 1)
    assert (get_mmio_spte_gfn(legacy, spte), get_mmio_spte_access(legacy, spte)) == (0x3_FFFF_FFFF, 6)


@pytest.mark.parametrize("name", ["v3", "v5", "newest"])
def test_no_bit_of_an_spte_has_two_live_meanings(name: str) -> None:
    version, layout = VERSIONS[name], VERSIONS[name].spte
    address, present, sve = (1 << 52) - (1 << 12), 1 << 11, 1 << 63
    uses = [R, W, X, XU, 0x38, 0x40, 0x80, 0x100, 0x200, present, address, sve]
    uses += [layout.ad_mask, layout.host_writable, layout.mmu_writable, layout.saved]
    assert all(not a & b for i, a in enumerate(uses) for b in uses[:i])
    generation = mmio_spte_gen_low_mask(version) | MMIO_SPTE_GEN_HIGH_MASK
    assert not generation & (R | W | X | XU | present | sve | address)
    assert not layout.mmio_allowed & (present | generation)
    assert layout.frozen & (present | R | W | X | XU) == 0
    assert is_frozen_spte(version, layout.frozen)
    assert not is_frozen_spte(version, layout.frozen | R)


@pytest.mark.parametrize("version", [OLD, RFC, V1], ids=lambda version: version.name)
def test_before_v3_a_frozen_spte_has_bit_10_which_mbec_takes_for_a_right(version: Version) -> None:
    assert version.spte.frozen & XU


# ---- faults that need no lock


def allowed_by_hardware(spte: int, fault: int, user: bool, mbec: bool) -> bool:
    """The processor's rule for one entry."""
    if fault == FETCH_FAULT:
        return bool(spte & (XU if mbec and user else X))
    return bool(spte & (W if fault == WRITE_FAULT else R))


@pytest.mark.parametrize("name", VERSIONS)
def test_a_fault_that_is_called_spurious_is_allowed_by_the_processor(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a direct MMU, where XS and XU are one; and, in newest, on every MMU."""
    version, kvm, cases, failing = VERSIONS[name], kvm_of(VERSIONS[name]), 0, list[object]()
    mmu = init_direct_mmu(kvm, 4, guest_mode=True)
    knows = version.spte_permissions
    for rights, fault, user in product(RIGHTS, (0, WRITE_FAULT, FETCH_FAULT), (False, True)):
        if bool(rights & X) != bool(rights & XU) and not knows:
            continue
        told = fault | (USER_FAULT if user else 0) | PRESENT_FAULT
        if not version.read_right:
            told = fault | (0 if fault else USER_FAULT) | PRESENT_FAULT
        cases += 1
        asked = fault_of(told, is_tdp=True, mbec=mmu_has_mbec(kvm, mmu, mmu))
        if is_spurious(kvm.masks, mmu, rights, asked) != allowed_by_hardware(rights, fault, user, kvm.enable_mbec):
            failing.append((rights, fault, user))
    say(capsys, f"spurious faults, {name} against processor", cases, len(failing))
    assert not failing, failing[0]


def test_v1_calls_no_fetch_of_a_direct_mmu_spurious_once_mbec_is_on() -> None:
    masks = masks_of(V1)
    for user in (False, True):
        fetch = fault_of(FETCH_FAULT | PRESENT_FAULT | (USER_FAULT if user else 0), is_tdp=True, mbec=True)
        assert not is_executable_pte(masks, R | X | XU, fetch)
        shadow = fault_of(FETCH_FAULT | (USER_FAULT if user else 0), is_tdp=False, mbec=True)
        assert is_executable_pte(masks, R | (XU if user else X), shadow)
        assert not is_executable_pte(masks, R | (X if user else XU), shadow)
    legacy = kvm_mmu_reset_all_pte_masks(V1, MaskInputs())
    for spte, user, expected in ((1 << 63, False, False), (4, False, False), (4, True, True), (0, False, True)):
        fetch = fault_of(FETCH_FAULT | (USER_FAULT if user else 0), is_tdp=False, mbec=True)
        assert is_executable_pte(legacy, spte, fetch) is expected


def test_rfc_asks_for_xs_whatever_the_mode_of_the_fetch_because_its_user_bit_is_a_read() -> None:
    masks = masks_of(RFC)
    assert is_executable_pte(masks, R | X, fault_of(FETCH_FAULT, True, True))
    assert not is_executable_pte(masks, R | XU, fault_of(FETCH_FAULT, True, True))
    assert is_executable_pte(masks, R | XU, fault_of(FETCH_FAULT | USER_FAULT, True, True))
    assert is_executable_pte(masks, R | X, fault_of(FETCH_FAULT, True, False))


def test_v5_takes_either_right_for_execution_and_newest_the_right_one() -> None:
    kvm = kvm_of(NEWEST)
    mmu = init_direct_mmu(kvm, 4, guest_mode=True)
    user_fetch = fault_of(FETCH_FAULT | USER_FAULT | PRESENT_FAULT, True, True)
    assert is_executable_pte(masks_of(V5), R | X, user_fetch)
    assert not is_spurious(kvm.masks, mmu, R | X, user_fetch)
    assert is_spurious(kvm.masks, mmu, R | XU, user_fetch)


@pytest.mark.parametrize("ad", [False, True])
def test_a_fast_fault_restores_what_was_tracked_or_write_protected(ad: bool) -> None:
    version = V5
    kvm, masks = kvm_of(version), masks_of(version, has_ad_bits=ad)
    mmu = init_direct_mmu(kvm, 4, guest_mode=True)
    kind = 0 if ad else version.spte.ad_disabled
    spte = R | W | X | XU | 1 << 11 | kind | version.spte.host_writable | version.spte.mmu_writable | 0x5000
    write = fault_of(WRITE_FAULT | PRESENT_FAULT, True, True)
    assert fast_page_fault(masks, mmu, spte, 1, write) == ("spurious", spte)
    assert fast_page_fault(masks, mmu, spte & ~W, 1, write) == ("fixed", spte | 1 << 9)
    assert fast_page_fault(masks, mmu, spte & ~(W | version.spte.mmu_writable), 1, write)[0] == "invalid"
    assert fast_page_fault(masks, mmu, 0, 1, write)[0] == "invalid"
    assert fast_page_fault(masks, mmu, spte & ~W, 2, write)[0] == "invalid", "a table"
    absent = fault_of(WRITE_FAULT, True, True)
    assert page_fault_can_be_fast(masks, absent) is not ad
    if not ad:
        tracked = mark_spte_for_access_track(masks, spte)
        assert fast_page_fault(masks, mmu, tracked, 1, absent) == ("fixed", spte | 1 << 8 | 1 << 9)
    assert not page_fault_can_be_fast(masks, fault_of(RSVD_FAULT, True, True))
    assert not page_fault_can_be_fast(masks, fault_of(FETCH_FAULT | PRESENT_FAULT, True, True))


def test_what_kvm_warns_of() -> None:
    masks, layout = masks_of(V5), V5.spte
    assert check_spte_writable_invariants(masks, layout.mmu_writable) == "MMU-writable and not host-writable"
    assert check_spte_writable_invariants(masks, layout.mmu_writable | layout.host_writable | W) is None
    assert check_spte_writable_invariants(masks, W) == "writable and not MMU-writable"
    assert check_spte_writable_invariants(masks, R) is None
    assert mark_warns(masks, R | layout.ad_disabled | 1 << 62)
    assert not mark_warns(masks, R | layout.ad_disabled)
    assert not mark_warns(masks, 1 << 62)
    assert is_mmu_writable_spte(masks, layout.mmu_writable)
    assert pferr_names(0) == "0"
    assert pferr_names(1 << 33 | 2) == "WRITE|GUEST_PAGE"


def test_nx_huge_pages_bound_the_size_of_what_is_executed() -> None:
    for max_level, mapping, fetch, nx in product((1, 2, 3), (1, 2, 3), (False, True), (False, True)):
        adjusted = kvm_mmu_hugepage_adjust(max_level, mapping, fetch, nx)
        assert adjusted.required == min(max_level, mapping)
        assert adjusted.goal == (1 if fetch and nx else adjusted.required)
        assert adjusted.disallowed is (fetch and nx)
    table, page = 1 << 11 | 0x5007, 1 << 11 | 0x87
    cases = ((table, 2, True, 1), (table, 2, False, 2), (page, 2, True, 2), (0, 2, True, 2), (table, 1, True, 2))
    for spte, level, split, expected in cases:
        assert disallowed_hugepage_adjust(spte, level, 2, split) == expected


# ---- roles and MMUs


def test_the_role_of_a_guest_follows_its_registers() -> None:
    paging_off = kvm_calc_cpu_role(V5, Registers(cr0_pg=False), smm=True, guest_mode=True)
    assert (paging_off.base.level, paging_off.base.direct, paging_off.base.access, paging_off.base.smm) == (0, 1, 15, 1)
    for registers, level in (
        (Registers(), 4),
        (Registers(cr4_la57=True), 5),
        (Registers(efer_lma=False), 3),
        (Registers(efer_lma=False, cr4_pae=False), 2),
    ):
        role = kvm_calc_cpu_role(V5, registers, smm=False, guest_mode=False)
        assert role.base.level == level
        assert role.base.has_4_byte_gpte == (level == 2)
    everything = Registers(True, False, True, True, True, True, True, True, True, True)
    for version in (OLD, V5):
        role = kvm_calc_cpu_role(version, everything, smm=False, guest_mode=False)
        new = version is V5
        assert (role.base.cr4_smep, role.ext.cr4_smep, role.base.smep_andnot_wp) == (new, not new, not new)
        assert role.ext.has_pferr_fetch == new
        assert (role.base.smap_andnot_wp, role.ext.cr4_pke, role.ext.cr4_la57) == (1, 1, 1)


def test_a_direct_root_loses_the_users_right_only_where_gmet_needs_it() -> None:
    root = DirectRoot(4, ad_enabled=True, tdp_has_smep=True)
    assert kvm_calc_tdp_mmu_root_page_role(V5, root).access == 15
    amd = DirectRoot(4, ad_enabled=True, tdp_has_smep=True, shadow_user_mask=4)
    assert kvm_calc_tdp_mmu_root_page_role(V5, amd).access == 11
    old = kvm_calc_tdp_mmu_root_page_role(OLD, amd)
    assert (old.access, old.cr4_smep) == (7, 0)


def test_v1_learns_of_mbec_late_and_never_forgets() -> None:
    msrs = NestedMsrs(0, 0)
    for name, version in VERSIONS.items():
        kvm, mmu = kvm_of(version), Mmu(version)
        chosen = {mbec: ShadowEpt(4, accessed_dirty=False, execonly=True, mbec=mbec) for mbec in (False, True)}
        seen = []
        for mbec in (False, True, False):
            nested_ept_init_mmu_context(kvm, mmu, chosen[mbec], msrs, 46)
            seen.append(mmu_has_mbec(kvm, mmu, mmu))
        expected = {"old": [False] * 3, "rfc": [True] * 3, "v1": [False, True, True]}
        assert seen == expected.get(name, [False, True, False]), name


def test_an_mmu_is_set_up_again_only_when_its_role_changes() -> None:
    kvm, mmu = kvm_of(V5), Mmu(V5)
    chosen = ShadowEpt(4, accessed_dirty=False, execonly=True, mbec=True)
    assert kvm_init_shadow_ept_mmu(kvm, mmu, chosen, NestedMsrs(0, 0), 46)
    assert not kvm_init_shadow_ept_mmu(kvm, mmu, chosen, NestedMsrs(0, 1), 46)
    for other in (ShadowEpt(5, False, True, True), ShadowEpt(4, True, True, True), ShadowEpt(4, False, True, False)):
        assert kvm_init_shadow_ept_mmu(kvm, mmu, other, NestedMsrs(0, 0), 46)


def test_a_walk_of_entries_finds_rights_flags_and_faults() -> None:
    kvm, mmu = kvm_of(V5), Mmu(V5)
    chosen = ShadowEpt(4, accessed_dirty=True, execonly=True, mbec=True)
    kvm_init_shadow_ept_mmu(kvm, mmu, chosen, NestedMsrs(0, 3 << 16), 46)
    table, setting = 0x5000 | R | W | X | XU, WalkSetting(mbec=True)
    page = 0x4000_0000 | R | XU | 6 << 3 | 1 << 7
    walked = walk_entries(mmu, (table, table, page), 0x12_3456, 0, setting)
    assert isinstance(walked, GuestWalker)
    assert (walked.level, walked.gfn) == (2, 0x4000_0000 >> 12 | 0x123)
    assert walked.pte_access == gpte_access(V5, R | XU)
    assert walked.pt_access[2] == V5.acc.all
    assert accessed_dirty_updates(walked, write=False) == {level: walked.ptes[level] | 1 << 8 for level in (4, 3, 2)}
    assert accessed_dirty_updates(walked, write=True)[2] == page | 3 << 8
    fault = walk_entries(mmu, (table, 0), 0, FETCH_FAULT, setting)
    assert isinstance(fault, WalkFault)
    assert (fault.level, fault.exit_qualification & 0x7F) == (3, 4)
