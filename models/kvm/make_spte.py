"""In: a page, the rights that lead to it, a role. Out: the SPTE that KVM writes.

Guarantee: one function a kernel function; what KVM would warn of is returned, never raised.
Trusted: no, checked by tests/unit/models/kvm, tests/tables and tests/differential (shadow against composition).

Source: make_spte(), make_nonleaf_spte(), make_small_spte(), make_huge_spte() (mmu/spte.c).
"""

from dataclasses import dataclass

from models.kvm.asm_vmx import MTRR_TYPE_WRBACK, VMX_EPT_IPAT, VMX_EPT_MT_SHIFT
from models.kvm.masks import PT_PAGE_SIZE, PT_PRESENT, PT_WRITABLE, ShadowMasks, is_nothing
from models.kvm.role import PG_LEVEL_4K, PageRole
from models.kvm.spte import PAGE_SHIFT, SPTE_ADDRESS, SPTE_MMU_PRESENT
from models.kvm.tracking import (
    make_spte_executable,
    make_spte_nonexecutable,
    mark_spte_for_access_track,
    mark_warns,
    without_unreadable_xu,
)
from models.sdm.bits import bits

WB_IGNORING_PAT = MTRR_TYPE_WRBACK << VMX_EPT_MT_SHIFT | VMX_EPT_IPAT
"""The memory type of a VM without devices that bypass the caches (vmx_get_mt_mask())."""
NO_ACCESS = "an SPTE without any access"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpteRequest:
    """What make_spte() is told of a page beside its role.

    `host_writable`: the host lets L1 write the page. `wrprot`: pages that it shadows cannot go out of sync, so it
    stays read-only. `need_write_protect`: PML is on, so L2's dirty flags cannot be used. `mbec`: the version's own
    predicate (rfc: the vCPU; v1: its MMU); later versions do not ask. `mt_mask`: memory type and IPAT.
    """

    pte_access: int
    pfn: int
    prefetch: bool = False
    synchronizing: bool = False
    host_writable: bool = True
    wrprot: bool = False
    nx_huge_pages: bool = False
    need_write_protect: bool = False
    mbec: bool = False
    mt_mask: int = WB_IGNORING_PAT


@dataclass(frozen=True, slots=True)
class MadeSpte:
    """The SPTE; `wrprot`: it was write-protected though `pte_access` allows writes; `warnings` in order."""

    spte: int
    wrprot: bool
    warnings: tuple[str, ...]


def make_spte(masks: ShadowMasks, role: PageRole, request: SpteRequest) -> MadeSpte:
    """The SPTE that maps a page in a shadow page of this role."""
    version, layout = masks.version, masks.version.spte
    warnings = (NO_ACCESS,) if is_nothing(masks, request.pte_access) else ()
    spte = SPTE_MMU_PRESENT | masks.present
    if role.ad_disabled:
        spte |= layout.ad_disabled
    elif request.need_write_protect:
        spte |= layout.ad_wrprot_only
    if not request.prefetch or request.synchronizing:
        spte |= masks.accessed
    huge = role.level > PG_LEVEL_4K
    pte_access = request.pte_access
    if huge and request.nx_huge_pages:
        pte_access = without_execution(masks, pte_access, request.mbec)
    spte |= access_bits(masks, pte_access, request.mbec)
    if huge:
        spte |= PT_PAGE_SIZE
    spte |= request.mt_mask | request.pfn << PAGE_SHIFT | masks.me_value
    writable = bool(pte_access & version.acc.write) and request.host_writable
    if request.host_writable:
        spte |= masks.host_writable
    if writable and not request.wrprot:
        spte |= PT_WRITABLE | masks.mmu_writable | masks.dirty
    if request.prefetch and not request.synchronizing:
        warnings += ("the saved bits are not zero",) if mark_warns(masks, spte) else ()
        spte = mark_spte_for_access_track(masks, spte)
    return MadeSpte(spte, writable and request.wrprot, warnings)


def without_execution(masks: ShadowMasks, access: int, mbec: bool) -> int:
    """What NX huge pages leave of the rights to a huge page. old and rfc look only where ACC_EXEC is among them."""
    acc, source = masks.version.acc, masks.version.mbec_source
    if masks.version.splits_execution:
        return access & ~(acc.exec | (acc.user_exec if masks.xu else 0))
    gate = acc.exec | (acc.user_exec if source == "vcpu" else 0)
    if not access & gate:
        return access
    return access & ~(acc.exec | (acc.user_exec if mbec else 0))


def access_bits(masks: ShadowMasks, access: int, mbec: bool) -> int:
    """Read and execute rights as bits of an SPTE; W is another matter."""
    version, acc = masks.version, masks.version.acc
    if version.splits_execution:
        spte = PT_PRESENT if access & acc.read else 0
        if masks.nx:
            spte |= 0 if access & acc.exec else masks.nx
            return spte | (masks.user if access & acc.user else 0)
        spte |= masks.xs if access & acc.exec else 0
        return spte | (masks.xu if access & acc.user_exec else 0)
    user = masks.user if access & acc.user else 0
    knows_user_exec = version.mbec_source == "vcpu" or (version.mbec_source == "parameter" and mbec)
    executable = masks.xs if access & acc.exec else 0
    if knows_user_exec:
        executable |= masks.xu if access & acc.user_exec else 0
        none = not access & (acc.exec | acc.user_exec)
    else:
        none = not access & acc.exec
    spte = user | executable | (masks.nx if none else 0)
    if version.mbec_source == "vcpu" and mbec and not (spte | masks.present) & PT_PRESENT:
        spte = without_unreadable_xu(masks, spte)
    return spte


def make_nonleaf_spte(masks: ShadowMasks, child: int, ad_disabled: bool) -> int:
    """The SPTE that references the shadow page at host-physical address `child`: every right."""
    spte = SPTE_MMU_PRESENT | child | masks.present | PT_WRITABLE | masks.user | masks.xs | masks.xu | masks.me_value
    if masks.version.read_right:
        spte |= PT_PRESENT
    return spte | (masks.version.spte.ad_disabled if ad_disabled else masks.accessed)


@dataclass(frozen=True, slots=True)
class HugePages:
    """`nx`: the iTLB-multihit workaround is on (is_nx_huge_page_enabled())."""

    nx: bool


def make_small_spte(masks: ShadowMasks, huge_spte: int, role: PageRole, index: int, huge: HugePages) -> int:
    """The SPTE of the `index`-th part of a huge page, for the shadow page of `role` that replaces it."""
    spte = huge_spte | index << PAGE_SHIFT + 9 * (role.level - 1)
    if role.level > PG_LEVEL_4K:
        return spte
    spte &= ~PT_PAGE_SIZE
    return _executable_again(masks, spte, role.access) if huge.nx else spte


def _executable_again(masks: ShadowMasks, spte: int, access: int) -> int:
    """A 4-KByte part is as executable as the role allows: the workaround is for huge pages alone."""
    version, acc = masks.version, masks.version.acc
    if version.splits_execution:
        return make_spte_executable(masks, spte, access)
    if version.mbec_source == "vcpu":
        spte |= masks.xs if access & acc.exec else 0
        return spte | (masks.xu if access & acc.user_exec else 0)
    if not access & acc.exec:
        return spte
    spte = make_spte_executable(masks, spte, access)
    # rfc: a plain OR, whether the SPTE is access-tracked or not; shadow_ux_mask is 0 without the module parameter.
    return spte | (masks.xu if access & acc.user_exec else 0)


def make_huge_spte(masks: ShadowMasks, small_spte: int, level: int, huge: HugePages) -> int:
    """The SPTE of the huge page that a small SPTE belongs to. rfc's base has no such function."""
    if masks.version.name == "rfc":
        raise LookupError("rfc has no make_huge_spte()")
    offset = bits(11 + 9 * (level - 1), 12)
    spte = (small_spte | PT_PAGE_SIZE) & ~(offset & SPTE_ADDRESS)
    return make_spte_nonexecutable(masks, spte) if huge.nx else spte


def spte_write_protect(masks: ShadowMasks, spte: int, pt_protect: bool) -> int:
    """Without W; `pt_protect`, for a page that shadow pages shadow, also keeps the fast handler from giving it back."""
    return spte & ~(PT_WRITABLE | (masks.mmu_writable if pt_protect else 0))
