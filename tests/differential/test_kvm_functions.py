"""KVM's own functions against the architecture that they imitate, on every input where there are few.

The other side is models/sdm: what an EPT entry means to the processor. What a version gets wrong stands beside the
comparison, so that a version which no longer differs fails, too.
"""

from __future__ import annotations

from itertools import product

import pytest
from comparison import say

from models.kvm import NEWEST, OLD, RFC, V1, V3, V5, VERSIONS, Version
from models.kvm.gpte import gpte_access, gpte_access_64, is_present_gpte, prefetch_invalid_gpte, sync_spte
from models.kvm.make_spte import HugePages, SpteRequest, make_huge_spte, make_nonleaf_spte, make_small_spte, make_spte
from models.kvm.masks import MaskInputs, ShadowMasks, kvm_mmu_reset_all_pte_masks, kvm_mmu_set_ept_masks
from models.kvm.permissions import PagingModes, PermissionTables, Viewer, permission_fault, update_permission_bitmask
from models.kvm.role import PageRole
from models.kvm.rsvd_bits import is_bad_mt_xwr, is_rsvd_bits_set, reset_rsvds_bits_mask_ept
from models.kvm.spte import is_access_track_spte
from models.kvm.tracking import make_spte_executable, mark_spte_for_access_track, restore_acc_track_spte
from models.sdm import ALL_FEATURES, AccessKind, Guest
from models.sdm.ept.entry import EptConfiguration, configure, misconfiguration
from models.sdm.paging.mode import paging_configuration
from models.sdm.paging.rights import GuestPage, Intent, denied

R, W, X, XU = 1, 2, 4, 1 << 10
RIGHTS = tuple(sum(bits) for bits in product((0, R), (0, W), (0, X), (0, XU)))
NEW = (V3, V5, NEWEST)
ALL_NAMES = tuple(VERSIONS)
CAPS, MBEC_CONTROL, EPT = 1 << 6 | 1 << 14 | 1 << 16 | 1 << 17, 1 << 22, 1 << 1
READ_FAULT, WRITE_FAULT, USER_FAULT, FETCH_FAULT = 0, 2, 4, 16


KINDS: dict[AccessKind, int] = {"read": READ_FAULT, "write": WRITE_FAULT, "fetch": FETCH_FAULT}
LONG_MODE = Guest(cr0=0x8000_0001, cr3=0, cr4=0x20, efer=0x500, cpl=0, rflags=2)


def hardware(mbec: bool, execute_only: bool, caps: int = CAPS, maxphyaddr: int = 46) -> EptConfiguration:
    """EPT of a processor, four levels."""
    return configure(maxphyaddr, caps | execute_only, 0x1E, EPT | (MBEC_CONTROL if mbec else 0), 0)


def say_and_assert(capsys: pytest.CaptureFixture[str], name: str, cases: int, failing: list[object]) -> None:
    say(capsys, name, cases, len(failing))
    assert not failing, failing[0]


# ---- entries of EPT12


@pytest.mark.parametrize("name", ["v1", "v3", "v5", "newest"])
def test_kvm_and_the_processor_agree_on_every_low_entry(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Present, and misconfigured if present, for every value of bits 5:0 and 10 in an entry that maps a page."""
    version, cases, failing = VERSIONS[name], 0, list[object]()
    for mbec, execute_only in product((False, True), repeat=2):
        ept = hardware(mbec, execute_only)
        rsvd = reset_rsvds_bits_mask_ept(46, execute_only, 3)
        for low, bit_10 in product(range(64), (0, XU)):
            entry, cases = low | bit_10, cases + 1
            present = bool(entry & ept.present_mask)
            if is_present_gpte(version, entry, mbec) != present:
                failing.append((entry, mbec, "present"))
            wrong = misconfiguration(ept, ept.levels[-1], entry) is not None
            # v1 does not take bit 10 for X: without execute-only support, it accepts what only user mode may execute.
            mistaken = name == "v1" and not execute_only and entry & 0x407 == XU and entry >> 3 & 7 not in (2, 3, 7)
            if present and (is_bad_mt_xwr(version, rsvd, entry) != wrong) != mistaken:
                failing.append((entry, mbec, execute_only, "misconfigured"))
    say_and_assert(capsys, f"low EPT12 entries, {name} against processor", cases, failing)


@pytest.mark.parametrize("name", ["old", "rfc"])
def test_versions_that_do_not_know_bit_10_agree_while_mbec_is_off(name: str) -> None:
    version, ept = VERSIONS[name], hardware(False, True)
    for low, bit_10 in product(range(64), (0, XU)):
        assert is_present_gpte(version, low | bit_10, False) == bool(low & ept.present_mask)
    assert not is_present_gpte(version, XU, True)


def test_every_reserved_bit_of_every_level_is_one_to_kvm(capsys: pytest.CaptureFixture[str]) -> None:
    cases, failing = 0, list[object]()
    for maxphyaddr, (largest, caps) in product((36, 46, 52), ((1, 0), (2, 1 << 16), (3, 3 << 16))):
        ept = hardware(True, True, 1 << 6 | 1 << 14 | caps, maxphyaddr)
        rsvd = reset_rsvds_bits_mask_ept(maxphyaddr, True, largest)
        for level, bit, page in product(ept.levels, range(3, 63), (0, 1 << 7)):
            entry = R | W | X | XU | page | 1 << bit
            cases += 1
            wrong = misconfiguration(ept, level, entry) is not None
            if is_rsvd_bits_set(V5, rsvd, entry, level.number) != wrong:
                failing.append((hex(entry), level.name, maxphyaddr, largest))
    say_and_assert(capsys, "reserved bits of EPT12, KVM against processor", cases, failing)


def test_gpte_access_is_one_to_one_and_commutes_with_and(capsys: pytest.CaptureFixture[str]) -> None:
    for version in (RFC, V1, *NEW):
        assert len({gpte_access(version, rights) for rights in RIGHTS}) == 16
    assert {gpte_access(OLD, rights) for rights in RIGHTS} == set(range(8))
    cases = [(version, a, b) for version in VERSIONS.values() for a, b in product(RIGHTS, repeat=2)]
    failing: list[object] = [
        (version.name, a, b)
        for version, a, b in cases
        if gpte_access(version, a & b) != gpte_access(version, a) & gpte_access(version, b)
    ]
    say_and_assert(capsys, "gpte_access, AND of entries against AND of rights", len(cases), failing)


def test_gpte_access_of_a_64_bit_entry_keeps_its_rights() -> None:
    for version in (V5, OLD):
        acc = version.acc
        for w, u, nx in product((0, 2), (0, 4), (0, 1 << 63)):
            expected = w | (acc.user if u else 0) | (0 if nx else acc.exec) | (acc.read if version.read_right else 0)
            assert gpte_access_64(version, 1 | w | u | nx) == expected


def test_a_prefetch_needs_a_valid_entry_that_was_used() -> None:
    rsvd = reset_rsvds_bits_mask_ept(46, True, 3)
    assert prefetch_invalid_gpte(V5, 0, rsvd, False, True)
    assert prefetch_invalid_gpte(V5, XU, rsvd, False, False)
    assert not prefetch_invalid_gpte(V5, XU, rsvd, False, True)
    assert prefetch_invalid_gpte(V5, R, rsvd, True, True)
    assert not prefetch_invalid_gpte(V5, R | 1 << 8, rsvd, True, True)
    assert prefetch_invalid_gpte(V5, R | 1 << 51, rsvd, False, True)
    assert sync_spte(1 << 63, 0, 1, True) == "drop"
    assert sync_spte(1 << 63, 1, 1, False) == "drop"
    assert sync_spte(1 << 63, 1, 1, True) == "same"
    assert sync_spte(1 << 63, 1, 3, True) == "remake"


# ---- permissions[]


def needed(access: int, user: bool, mbec: bool) -> int:
    """The right of an entry that an access needs (SDM "EPT Violations")."""
    if access == FETCH_FAULT:
        return XU if mbec and user else X
    return W if access == WRITE_FAULT else R


def mistaken_for_allowed(version: Version, rights: int, access: int, mbec: bool) -> bool:
    """What old, rfc and v1 allow, in words of their own: rfc and v1 look up rights beyond the table where XU is set."""
    beyond = version is not OLD and bool(rights & XU)
    if version is V1 and mbec:  # a check of its own, by the privilege level, here 0
        beyond = False
    return beyond or bool(rights & needed(access, False, False))


@pytest.mark.parametrize("name", ALL_NAMES)
def test_permissions_are_the_architectures_for_all_rights_and_accesses(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    version, cases, failing = VERSIONS[name], 0, list[object]()
    for mbec in (False, True):
        modes = PagingModes(ept=True, tdp=True, cr4_smep=mbec and version.mbec_source == "mmu")
        tables = PermissionTables(version, update_permission_bitmask(version, modes))
        for rights, access, user in product(RIGHTS, (READ_FAULT, WRITE_FAULT, FETCH_FAULT), (False, True)):
            told = access | (USER_FAULT if user else 0)
            if not version.read_right:  # the bit means a data read
                told = access | (USER_FAULT if access == READ_FAULT else 0)
            cases += 1
            allowed = bool(rights & needed(access, user, mbec))
            if version in (OLD, RFC, V1):
                allowed = mistaken_for_allowed(version, rights, access, mbec)
            if bool(permission_fault(tables, gpte_access(version, rights), 0, told, Viewer(mbec=mbec))) == allowed:
                failing.append((rights, mbec, access, user))
    other = "its known mistakes" if version in (OLD, RFC, V1) else "architecture"
    say_and_assert(capsys, f"permissions[], {name} against {other}", cases, failing)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_permissions_of_64_bit_paging_are_the_processors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    version, cases, failing = VERSIONS[name], 0, list[object]()
    acc = version.acc
    for wp, nxe, smep, smap in product((False, True), repeat=4):
        modes = PagingModes(cr0_wp=wp, efer_nx=nxe, cr4_smep=smep, cr4_smap=smap)
        tables = PermissionTables(version, update_permission_bitmask(version, modes))
        cr4 = 0x20 | (1 << 20 if smep else 0) | (1 << 21 if smap else 0)
        efer = 0x500 | (1 << 11 if nxe else 0)
        paging = paging_configuration(0x8000_0001 | (1 << 16 if wp else 0), cr4, efer, ALL_FEATURES, 46)
        for w, u, x, kind, user, ac in product(*[(False, True)] * 3, KINDS, *[(False, True)] * 2):
            if not (x or nxe):
                continue  # XD is reserved there
            cases += 1
            page = GuestPage(0, u, w, not x, w, 0, None, False)
            intent = Intent(kind=kind, user_mode=user, shadow_stack=False, explicit_with_ac=ac)
            rights = (acc.write if w else 0) | (acc.user if u else 0) | (acc.exec if x else 0)
            rights |= acc.read if version.read_right else 0
            told = KINDS[kind] | (USER_FAULT if user else 0)
            fault = permission_fault(tables, rights, 0, told, Viewer(rflags_ac=ac))
            if bool(fault) != denied(paging, LONG_MODE, intent, page):
                failing.append((wp, nxe, smep, smap, w, u, x, kind, user, ac))
    say_and_assert(capsys, f"permissions[] of 64-bit paging, {name} against processor", cases, failing)


# ---- SPTEs


def masks_of(version: Version, mbec: bool = True, execute_only: bool = True, ad: bool = True) -> ShadowMasks:
    return kvm_mmu_set_ept_masks(version, MaskInputs(has_ad_bits=ad, has_exec_only=execute_only, mbec=mbec))


@pytest.mark.parametrize("name", ["v5", "newest"])
def test_an_spte_grants_what_its_rights_say_and_no_more(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Rights, size, NX huge pages, host's W, withheld W, prefetch, accessed and dirty flags: everything at once."""
    version, cases, failing = VERSIONS[name], 0, list[object]()
    flags = product((False, True), repeat=6)
    masks, ept = masks_of(version), hardware(True, True)
    for nx, host_writable, wrprot, prefetch, ad_disabled, pml in flags:
        for rights, level, mbec in product(RIGHTS, (1, 2, 3), (False, True)):
            cases += 1
            role = PageRole(level=level, ad_disabled=int(ad_disabled))
            request = SpteRequest(
                pte_access=gpte_access(version, rights), pfn=1 << 18, prefetch=prefetch, host_writable=host_writable,
                wrprot=wrprot, nx_huge_pages=nx, need_write_protect=pml, mbec=mbec,
            )  # fmt: skip
            made = make_spte(masks, role, request)
            expected = rights & ~(X | XU if nx and level > 1 else 0)
            expected &= ~(W if wrprot or not host_writable else 0)
            tracked = prefetch and ad_disabled
            wanted = 0 if tracked else expected
            if made.spte & (R | W | X | XU) != wanted or bool(made.spte & 1 << 7) != (level > 1):
                failing.append((rights, level, nx, "rights"))
            legal = expected & R or not expected & W
            wrong = misconfiguration(ept, ept.levels[-level], made.spte & ~(1 << 11))
            if legal and made.spte & ept.present_mask and wrong:
                failing.append((rights, level, wrong))
            if tracked != is_access_track_spte(masks, made.spte) and expected:
                failing.append((rights, level, "tracked"))
    say_and_assert(capsys, f"make_spte, {name} against its rights", cases, failing)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_access_tracking_loses_nothing_but_w_except_where_it_is_known_to(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    version, masks = VERSIONS[name], masks_of(VERSIONS[name])
    failing = list[object]()
    loses, shows = XU if name == "rfc" else 0, XU if name in ("old", "v1") else 0
    for rights in RIGHTS:
        spte = rights | version.spte.ad_disabled | version.spte.host_writable | 1 << 11 | 0x5000
        tracked = mark_spte_for_access_track(masks, spte)
        restored = restore_acc_track_spte(masks, tracked)
        if tracked & (R | W | X | XU) != rights & shows or restored != spte & ~W & ~loses:
            failing.append((rights, hex(tracked), hex(restored)))
        assert is_access_track_spte(masks, tracked)
    say_and_assert(capsys, f"access tracking, {name}", len(RIGHTS), failing)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_an_spte_whose_flags_the_processor_keeps_is_tracked_by_its_accessed_flag(name: str) -> None:
    masks = masks_of(VERSIONS[name])
    assert mark_spte_for_access_track(masks, R | 1 << 8) == R
    tracked = mark_spte_for_access_track(masks, VERSIONS[name].spte.ad_disabled | R)
    assert mark_spte_for_access_track(masks, tracked) == tracked


@pytest.mark.parametrize("name", ["v5", "newest"])
def test_splitting_and_collapsing_keep_execution_within_the_role(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    version, masks, cases, failing = VERSIONS[name], masks_of(VERSIONS[name]), 0, list[object]()
    for rights, nx, level, tracked in product(RIGHTS, (False, True), (1, 2), (False, True)):
        cases += 1
        huge = (0x4000_0000 | rights | 1 << 7 | 1 << 11) & ~(X | XU if nx else 0)
        huge |= version.spte.ad_disabled if tracked else 0
        huge = mark_spte_for_access_track(masks, huge) if tracked else huge
        role = PageRole(level=level, access=gpte_access(version, rights))
        child = make_small_spte(masks, huge, role, 3, HugePages(nx))
        child = restore_acc_track_spte(masks, child) if tracked else child
        want = rights & ~(0 if level == 1 or not nx else X | XU) & ~(W if tracked else 0)
        if child & (R | W | X | XU) != want or child >> 12 & 0xFFFFF != (0x40000 | 3 << 9 * (level - 1)):
            failing.append(("split", rights, nx, level, tracked, hex(child)))
        collapsed = make_huge_spte(masks, child & ~(1 << 7), 2, HugePages(nx))
        if bool(collapsed & (X | XU)) != bool(child & (X | XU) and not nx) or not collapsed & 1 << 7:
            failing.append(("collapse", rights, nx, hex(collapsed)))
    say_and_assert(capsys, f"huge pages, {name}", cases, failing)


def test_before_v3_splitting_and_collapsing_misjudge_xu() -> None:
    parts = HugePages(nx=True)
    for version, lost in ((OLD, True), (RFC, True), (V1, False)):
        masks = masks_of(version)
        role = PageRole(level=1, access=gpte_access(version, R | XU))
        child = make_small_spte(masks, R | 1 << 7 | 1 << 11, role, 0, parts)
        assert bool(child & XU) is not lost
        executable = make_small_spte(masks, R | 1 << 7 | 1 << 11, PageRole(level=1, access=version.acc.exec), 0, parts)
        assert executable & X
        with_both = PageRole(level=1, access=version.acc.all)
        assert bool(make_small_spte(masks, R | 1 << 7, with_both, 0, parts) & XU) == (version is not OLD)
    for version in (OLD, V1):
        assert make_huge_spte(masks_of(version), R | X | XU, 2, parts) & (X | XU) == XU
    with pytest.raises(LookupError):
        make_huge_spte(masks_of(RFC), R | X, 2, parts)
    tracked = V1.spte.ad_disabled | R << 54 | 1 << 7 | 1 << 11
    child = make_small_spte(masks_of(V1), tracked, PageRole(level=1, access=V1.acc.all), 0, parts)
    assert not is_access_track_spte(masks_of(V1), child), "v1 gives a tracked SPTE its rights by a plain OR"


def test_nx_huge_pages_before_v3_look_at_acc_exec_first() -> None:
    for version, mbec, expected in (
        (OLD, False, R),
        (RFC, True, R | XU),
        (V1, True, R),
        (V1, False, R | XU),
        (V5, True, R),
    ):
        request = SpteRequest(pte_access=gpte_access(version, R | XU), pfn=0, nx_huge_pages=True, mbec=mbec)
        made = make_spte(masks_of(version), PageRole(level=2), request)
        assert made.spte & (R | X | XU) == expected, (version.name, mbec)
    request = SpteRequest(pte_access=gpte_access(RFC, R | X | XU), pfn=0, nx_huge_pages=True, mbec=True)
    assert make_spte(masks_of(RFC), PageRole(level=2), request).spte & (R | X | XU) == R


def test_a_user_executable_page_that_is_not_readable_can_be_built_but_by_v1() -> None:
    for version in (RFC, V1, V5):
        request = SpteRequest(pte_access=gpte_access(version, XU), pfn=0, mbec=True)
        made = make_spte(masks_of(version), PageRole(level=1), request)
        assert bool(made.spte & XU) is (version is not V1)
        assert not made.warnings
    request = SpteRequest(pte_access=0, pfn=0)
    assert make_spte(masks_of(V5), PageRole(level=1), request).warnings == ("an SPTE without any access",)


def test_without_mbec_v3_makes_user_execution_plain_execution() -> None:
    for version, expected in ((V3, R | X), (V5, R | XU)):
        masks = masks_of(version, mbec=False)
        made = make_spte(masks, PageRole(level=1), SpteRequest(pte_access=gpte_access(version, R | XU), pfn=0))
        assert made.spte & (R | X | XU) == expected
        assert make_spte_executable(masks, R, version.acc.user_exec) & (R | X | XU) == expected


@pytest.mark.parametrize("name", ALL_NAMES)
def test_an_spte_of_legacy_paging_says_what_it_denies(name: str) -> None:
    version, acc = VERSIONS[name], VERSIONS[name].acc
    masks = kvm_mmu_reset_all_pte_masks(version, MaskInputs())
    for x, u in product((False, True), repeat=2):
        access = (acc.exec if x else 0) | (acc.user if u else 0) | acc.read
        made = make_spte(masks, PageRole(level=1), SpteRequest(pte_access=access, pfn=5)).spte
        assert bool(made & 1 << 63) is not x
        assert bool(made & 4) == (u or not version.read_right)
    if version.splits_execution:
        assert make_spte_executable(masks, 1 << 63, acc.exec) == 0
        assert make_spte_executable(masks, 0, 0) == 1 << 63


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_table_has_every_right_that_the_version_knows(name: str) -> None:
    version = VERSIONS[name]
    for ad_disabled, mbec in product((False, True), repeat=2):
        spte = make_nonleaf_spte(masks_of(version, mbec=mbec), 0x5000, ad_disabled)
        knows = version in (V5, NEWEST) or (version.mbec_source != "never" and mbec)
        assert spte & (R | W | X | XU) == R | W | X | (XU if knows else 0)
        assert bool(spte & 1 << 8) is not ad_disabled
