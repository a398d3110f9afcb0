"""What models/kvm says of shadow entries, asked as the specifications are: a function for each of theirs.

`npt`: with the masks of other page tables than EPT.
"""

from __future__ import annotations

from dataclasses import replace

from kvm_settings import ADDRESS, Value, kvm_of, masks_of, mbec_of, mmu_of, request_of, rsvd_of
from kvm_versions import Side

from models.kvm import make_spte as making
from models.kvm import mmio_spte as mmio
from models.kvm import page_fault as faulting
from models.kvm import rsvd_bits, tracking
from models.kvm import spte as entries
from models.kvm.gpte import gpte_access
from models.kvm.make_spte import HugePages
from models.kvm.masks import MaskInputs, is_nothing, kvm_mmu_reset_all_pte_masks
from models.kvm.role import PageRole
from models.kvm.spte import Fault
from models.sdm.bits import bits


def make_spte(side: Side, host: Value, l1: Value, npt: bool, request: Value, pte_access: int) -> int:
    kvm = kvm_of(side, host)
    role, asked = request_of(side, request, pte_access, kvm.nx_huge_pages, mbec_of(side, host, l1))
    return making.make_spte(masks_of(side, host, npt), role, asked).spte


def grants_nothing(side: Side, host: Value, npt: bool, pte_access: int) -> bool:
    return is_nothing(masks_of(side, host, npt), pte_access)


def make_nonleaf_spte(side: Side, host: Value, npt: bool, ad_disabled: bool, child: int) -> int:
    return making.make_nonleaf_spte(masks_of(side, host, npt), child & ADDRESS, ad_disabled)


def make_small_spte(
    side: Side, host: Value, l1: Value, npt: bool, huge: int, role_access: int, at_4k: bool, offset: int
) -> int:
    """`offset` is that of a part of the huge page."""
    role = PageRole(level=1 if at_4k else 2, access=role_access)
    index = (offset & bits(29, 12)) >> (12 if at_4k else 21)
    return making.make_small_spte(
        masks_of(side, host, npt), huge, role, index, HugePages(kvm_of(side, host).nx_huge_pages)
    )


def make_huge_spte(side: Side, host: Value, l1: Value, npt: bool, small: int, level: int) -> int:
    return making.make_huge_spte(masks_of(side, host, npt), small, level, HugePages(kvm_of(side, host).nx_huge_pages))


def modify_spte_protections(side: Side, host: Value, npt: bool, spte: int, set: int, clear: int) -> int:
    return tracking.modify_spte_protections(masks_of(side, host, npt), spte, set, clear)


def make_spte_executable(side: Side, host: Value, npt: bool, spte: int, access: int = 0) -> int:
    return tracking.make_spte_executable(masks_of(side, host, npt), spte, access)


def make_spte_nonexecutable(side: Side, host: Value, npt: bool, spte: int) -> int:
    return tracking.make_spte_nonexecutable(masks_of(side, host, npt), spte)


def mark_spte_for_access_track(side: Side, host: Value, npt: bool, spte: int) -> int:
    return tracking.mark_spte_for_access_track(masks_of(side, host, npt), spte)


def restore_acc_track_spte(side: Side, host: Value, npt: bool, spte: int) -> int:
    return tracking.restore_acc_track_spte(masks_of(side, host, npt), spte)


def is_access_track_spte(side: Side, host: Value, npt: bool, spte: int) -> bool:
    return entries.is_access_track_spte(masks_of(side, host, npt), spte)


def spte_ad_enabled(side: Side, spte: int) -> bool:
    return entries.spte_ad_enabled(side.model, spte)


def is_shadow_present_pte(side: Side, spte: int) -> bool:
    return entries.is_shadow_present_pte(spte)


def is_executable_pte(side: Side, host: Value, npt: bool, spte: int) -> bool:
    """In rfc and v1: in some mode, of a vCPU that has MBEC where there is a mask for user mode."""
    masks = masks_of(side, host, npt)
    modes = (Fault(exec=True, user=user, mbec=bool(masks.xu)) for user in (False, True))
    return any(entries.is_executable_pte(masks, spte, fault) for fault in modes)


def is_executable_pte_in_mode(
    side: Side,
    host: Value,
    l1: Value,
    npt: bool,
    spte: int,
    is_user_access: bool = False,
    for_kernel: bool | None = None,
) -> bool:
    user = is_user_access if for_kernel is None else not for_kernel
    fault = Fault(exec=True, user=user, mbec=mbec_of(side, host, l1))
    return entries.is_executable_pte(masks_of(side, host, npt), spte, fault)


def is_executable_pte_fault(side: Side, host: Value, l1: Value, npt: bool, spte: int, error_code: int) -> bool:
    fault = faulting.fault_of(error_code, False, mbec_of(side, host, l1))
    return entries.is_executable_pte(masks_of(side, host, npt), spte, fault)


def is_access_allowed(side: Side, host: Value, l1: Value, error_code: int, spte: int) -> bool:
    """Of EPT. newest asks for an entry that is present, in the same function."""
    if side.model.spte_permissions and not entries.is_shadow_present_pte(spte):
        return False
    fault = faulting.fault_of(error_code, False, mbec_of(side, host, l1))
    return faulting.is_spurious(masks_of(side, host, False), mmu_of(side, host, l1), spte, fault)


def spte_permission_fault(side: Side, host: Value, l1: Value, error_code: int, spte: int) -> bool:
    return not is_access_allowed(side, host, l1, error_code, spte)


def spte_access(side: Side, host: Value, spte: int) -> int:
    return gpte_access(side.model, spte)


def page_fault_can_be_fast(side: Side, host: Value, error_code: int) -> bool:
    return faulting.page_fault_can_be_fast(kvm_of(side, host).masks, faulting.fault_of(error_code, False, False))


def huge_page_disallowed(side: Side, host: Value, error_code: int) -> bool:
    fault = faulting.fault_of(error_code, False, False)
    return faulting.kvm_mmu_hugepage_adjust(3, 3, fault.exec, kvm_of(side, host).nx_huge_pages).disallowed


def is_rsvd_spte(side: Side, spte: int, level: int, host: Value) -> bool:
    """`host` are EptControls here."""
    return rsvd_bits.is_rsvd_bits_set(side.model, rsvd_of(side, host), spte, level)


def mmio_generation(side: Side, gen: int) -> int:
    return gen & (1 << mmio.mmio_spte_gen_bits(side.model)) - 1


def generation_mmio_spte_mask(side: Side, gen: int) -> int:
    return mmio.generation_mmio_spte_mask(side.model, mmio_generation(side, gen))


def get_mmio_spte_generation(side: Side, spte: int) -> int:
    return mmio.get_mmio_spte_generation(side.model, spte)


def make_mmio_spte(side: Side, host: Value, npt: bool, gen: int, gpa: int, access: int, l1tf: int) -> int:
    masks = replace(masks_of(side, host, npt), nonpresent_or_rsvd=l1tf)
    return mmio.make_mmio_spte(masks, (gpa & ADDRESS) >> 12, access, gen)


def is_mmio_spte(side: Side, host: Value, npt: bool, spte: int) -> bool:
    return mmio.is_mmio_spte(masks_of(side, host, npt), spte)


def get_mmio_spte_gpa(side: Side, spte: int, l1tf: int, lower: int) -> int:
    masks = replace(kvm_mmu_reset_all_pte_masks(side.model, MaskInputs()), nonpresent_or_rsvd=l1tf, lower_gfn=lower)
    return mmio.get_mmio_spte_gfn(masks, spte) << 12
