"""In: what the processor and the module parameters allow. Out: the shadow masks, which say what an SPTE's bits mean.

Guarantee: one `ShadowMasks` for EPT, one for legacy paging and NPT; both are values.
Trusted: no, checked by tests/unit/models/kvm.

Source: kvm_mmu_set_ept_masks(), kvm_mmu_reset_all_pte_masks(), kvm_mmu_set_mmio_spte_mask() (mmu/spte.c).
"""

from dataclasses import dataclass

from models.kvm.asm_vmx import VMX_EPT_EXECUTABLE, VMX_EPT_READABLE, VMX_EPT_SUPPRESS_VE, VMX_EPT_USER_EXECUTABLE
from models.kvm.version import NONPRESENT, Version
from models.sdm.bits import bits

PT_PRESENT = 1 << 0
PT_WRITABLE = 1 << 1
PT_USER = 1 << 2
PT_ACCESSED = 1 << 5
PT_DIRTY = 1 << 6
PT_PAGE_SIZE = 1 << 7
PT64_NX = 1 << 63
DEFAULT_SPTE_HOST_WRITABLE = 1 << 9
DEFAULT_SPTE_MMU_WRITABLE = 1 << 10
L1TF_BITS = 5
"""SHADOW_NONPRESENT_OR_RSVD_MASK_LEN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowMasks:
    """shadow_*_mask and their kin. `xs` is shadow_x_mask before XS and XU were split; `xu` is shadow_ux_mask there.

    `nonpresent_or_rsvd` are the address bits that an MMIO SPTE sets against L1TF, `lower_gfn` the untouched ones.
    """

    version: Version
    kvm_ad_enabled: bool
    user: int
    nx: int
    xs: int
    xu: int
    present: int
    accessed: int
    dirty: int
    acc_track: int
    host_writable: int
    mmu_writable: int
    mmio_value: int
    mmio_mask: int
    mmio_access: int
    nonpresent_or_rsvd: int = 0
    lower_gfn: int = bits(51, 12)
    me_value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskInputs:
    """`mbec`: enable_mbec (rfc: its module parameter; v1: what the processor can do)."""

    has_ad_bits: bool = True
    has_exec_only: bool = True
    mbec: bool = False
    mmio_caching: bool = True
    l1tf: bool = False
    maxphyaddr: int = 52


def kvm_mmu_set_ept_masks(version: Version, given: MaskInputs) -> ShadowMasks:
    """The masks of EPT."""
    acc_track = version.rwx_mask
    if version.splits_execution:
        bit_10 = VMX_EPT_USER_EXECUTABLE
        xu = VMX_EPT_EXECUTABLE if version.xu_follows_host and not given.mbec else bit_10
        acc_track |= xu
    else:
        xu = VMX_EPT_USER_EXECUTABLE if given.mbec and version.mbec_source != "never" else 0
    if version.read_right:
        user, present = 0, VMX_EPT_SUPPRESS_VE
    else:
        user = VMX_EPT_READABLE
        present = VMX_EPT_SUPPRESS_VE | (0 if given.has_exec_only else VMX_EPT_READABLE)
    nonpresent_or_rsvd, lower_gfn = _l1tf(given)
    mmio_value = version.misconfig_wx if given.mmio_caching else 0
    return ShadowMasks(
        version=version,
        kvm_ad_enabled=given.has_ad_bits,
        user=user,
        nx=0,
        xs=VMX_EPT_EXECUTABLE,
        xu=xu,
        present=present,
        accessed=1 << 8,
        dirty=1 << 9,
        acc_track=acc_track,
        host_writable=version.spte.host_writable,
        mmu_writable=version.spte.mmu_writable,
        mmio_value=mmio_value,
        mmio_mask=version.rwx_mask | VMX_EPT_SUPPRESS_VE,
        mmio_access=0,
        nonpresent_or_rsvd=nonpresent_or_rsvd,
        lower_gfn=lower_gfn,
    )


def kvm_mmu_reset_all_pte_masks(version: Version, given: MaskInputs) -> ShadowMasks:
    """The masks of legacy paging and NPT. An MMIO SPTE sets the highest reserved address bit, if there is one."""
    nonpresent_or_rsvd, lower_gfn = _l1tf(given)
    mmio = (1 << 51 | PT_PRESENT) if given.maxphyaddr < 52 and given.mmio_caching else 0
    return ShadowMasks(
        version=version,
        kvm_ad_enabled=True,
        user=PT_USER,
        nx=PT64_NX,
        xs=0,
        xu=0,
        present=PT_PRESENT,
        accessed=PT_ACCESSED,
        dirty=PT_DIRTY,
        acc_track=0,
        host_writable=DEFAULT_SPTE_HOST_WRITABLE,
        mmu_writable=DEFAULT_SPTE_MMU_WRITABLE,
        mmio_value=mmio,
        mmio_mask=mmio,
        mmio_access=PT_WRITABLE | PT_USER,
        nonpresent_or_rsvd=nonpresent_or_rsvd,
        lower_gfn=lower_gfn,
    )


def _l1tf(given: MaskInputs) -> tuple[int, int]:
    """The five highest address bits of a processor with L1TF, and the address bits below them."""
    width = given.maxphyaddr
    if not given.l1tf or width >= 52 - L1TF_BITS:
        return 0, bits(width - 1, 12)
    return bits(width - 1, width - L1TF_BITS), bits(width - L1TF_BITS - 1, 12)


def is_nothing(masks: ShadowMasks, pte_access: int) -> bool:
    """Whether make_spte() warns: neither the rights nor the present mask make the SPTE anything at all."""
    return pte_access | masks.present == NONPRESENT
