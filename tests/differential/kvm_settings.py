"""Hosts, MMUs, masks and requests of the specifications, as models/kvm has them.

Everything here is worked out by the model, but for what the specifications take as given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kvm_versions import HOST, L1, Side, view

from models.kvm import Host, Kvm, NestedMsrs, Parameters, hardware_setup
from models.kvm.make_spte import WB_IGNORING_PAT, SpteRequest
from models.kvm.masks import MaskInputs, ShadowMasks, kvm_mmu_reset_all_pte_masks
from models.kvm.mmu import Mmu, mmu_has_mbec, nested_ept_init_mmu_context
from models.kvm.permissions import PagingModes, PermissionTables, update_permission_bitmask, update_pkru_bitmask
from models.kvm.role import (
    PG_LEVEL_1G,
    PG_LEVEL_2M,
    PG_LEVEL_4K,
    CpuRole,
    PageRole,
    ShadowEpt,
    is_cr4_smep,
    pack_extended_role,
    pack_role,
    unpack_extended_role,
    unpack_role,
)
from models.kvm.rsvd_bits import RsvdBits, reset_rsvds_bits_mask_ept
from models.sdm import Processor
from models.sdm.bits import bits
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import processor as cap

Value = tuple[Any, ...]

MBEC, EPT = ctl.MODE_BASED_EXECUTE_CONTROL, ctl.ENABLE_EPT
WIDTH = 46
ALWAYS = cap.CAP_WRITE_BACK | cap.CAP_WALK_LENGTH_4 | cap.CAP_WALK_LENGTH_5 | cap.CAP_PAGE_2M | cap.CAP_PAGE_1G
"""Of a processor's EPT capabilities, those that the specifications do not ask about."""
ADDRESS = bits(51, 12)


def host_of(side: Side, host: Value) -> Any:
    """The fields of a KvmHost."""
    return view(side.record(HOST), host)


@lru_cache(maxsize=4096)
def kvm_of(side: Side, host: Value) -> Kvm:
    """KVM once it is loaded on a KvmHost."""
    given = host_of(side, host)
    caps = ALWAYS | (cap.CAP_EXECUTE_ONLY if given.execute_only else 0)
    caps |= cap.CAP_ACCESSED_DIRTY if given.accessed_dirty else 0
    caps |= cap.CAP_ADVANCED_EXIT_INFORMATION if given.advanced_exit_info else 0
    controls = (EPT if given.ept else 0) | (MBEC if given.mbec else 0)
    processor = Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=caps, procbased_ctls2=controls << 32)
    parameters = Parameters(
        ept=given.enable_ept,
        eptad=given.enable_ept_ad_bits,
        mbec=given.enable_mbec,
        nx_huge_pages=given.nx_huge_pages,
    )
    return hardware_setup(side.model, Host(processor=processor, parameters=parameters))


@lru_cache(maxsize=4096)
def masks_of(side: Side, host: Value, npt: bool) -> ShadowMasks:
    """The shadow masks of EPT, or of other page tables."""
    if npt:
        return kvm_mmu_reset_all_pte_masks(side.model, MaskInputs(maxphyaddr=WIDTH))
    return kvm_of(side, host).masks


def shadow_ept(side: Side, l1: Value) -> ShadowEpt:
    """What L1 chose for its EPT12."""
    given = view(side.record(L1), l1)
    level = 5 if given.five_level else 4
    return ShadowEpt(level, given.accessed_dirty, given.execute_only, given.mbec)


def maxphyaddr(beyond: int) -> int:
    """The width of addresses that leaves these bits of 51:0 over."""
    return (beyond & -beyond).bit_length() - 1 if beyond else 52


@lru_cache(maxsize=4096)
def mmu_of(side: Side, host: Value, l1: Value) -> Mmu:
    """The MMU that shadows EPT12, after VM entry into L2."""
    given, mmu = view(side.record(L1), l1), Mmu(side.model)
    caps = (cap.CAP_PAGE_2M if given.page_2m else 0) | (cap.CAP_PAGE_1G if given.page_1g else 0)
    width = maxphyaddr(given.beyond_maxphyaddr)
    nested_ept_init_mmu_context(kvm_of(side, host), mmu, shadow_ept(side, l1), NestedMsrs(0, caps), width)
    return mmu


@lru_cache(maxsize=4096)
def rsvd_of(side: Side, l1: Value) -> RsvdBits:
    """The reserved bits of EPT entries under these controls."""
    given = view(side.record(L1), l1)
    largest = PG_LEVEL_1G if given.page_1g else PG_LEVEL_2M if given.page_2m else PG_LEVEL_4K
    return reset_rsvds_bits_mask_ept(maxphyaddr(given.beyond_maxphyaddr), given.execute_only, largest)


def mbec_of(side: Side, host: Value, l1: Value) -> bool:
    """What the version's predicate says while L2 runs under EPT12."""
    mmu = mmu_of(side, host, l1)
    return mmu_has_mbec(kvm_of(side, host), mmu, mmu)


def cpu_role_of(side: Side, cpu_role: Value) -> CpuRole:
    """A KvmCpuRole."""
    base, extended = cpu_role
    return CpuRole(unpack_role(side.model, base), unpack_extended_role(side.model, extended))


def words(side: Side, role: CpuRole) -> Value:
    """The KvmCpuRole of a CpuRole."""
    return pack_role(side.model, role.base), pack_extended_role(side.model, role.ext)


def mmu_fields(side: Side, mmu: Value) -> Any:
    """The fields of a KvmMmu."""
    return view(side.record("kvm.permissions.KvmMmu"), mmu)


@lru_cache(maxsize=4096)
def tables_of(side: Side, mmu: Value) -> PermissionTables:
    """permissions[] and pkru_mask of a KvmMmu."""
    given = mmu_fields(side, mmu)
    role = cpu_role_of(side, given.cpu_role)
    modes = PagingModes(
        ept=given.ept,
        tdp=given.tdp,
        cr0_wp=bool(role.base.cr0_wp),
        efer_nx=bool(role.base.efer_nx),
        cr4_smep=is_cr4_smep(role),
        cr4_smap=bool(role.ext.cr4_smap),
    )
    pkru_mask = update_pkru_bitmask(bool(role.ext.cr4_pke), modes.cr0_wp)
    return PermissionTables(side.model, update_permission_bitmask(side.model, modes), pkru_mask)


@lru_cache(maxsize=4096)
def request_of(
    side: Side, request: Value, pte_access: int, nx_huge_pages: bool, mbec: bool
) -> tuple[PageRole, SpteRequest]:
    """An SpteRequest, and the part of it that the shadow page's role has."""
    given = view(side.record("kvm.make_spte.SpteRequest"), request)
    made = SpteRequest(
        pte_access=pte_access,
        pfn=(given.pfn & ADDRESS) >> 12,
        prefetch=given.prefetch,
        synchronizing=given.synchronizing,
        host_writable=given.host_writable,
        wrprot=given.write_tracked,
        nx_huge_pages=nx_huge_pages,
        need_write_protect=given.ad_write_protect,
        mbec=mbec,
        mt_mask=0 if given.uncached else WB_IGNORING_PAT,
    )
    return PageRole(level=given.level, ad_disabled=int(given.ad_disabled)), made
