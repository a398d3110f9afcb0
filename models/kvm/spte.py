"""In: an SPTE. Out: what its bits say.

Guarantee: no function here changes an SPTE but those whose names say so; all are pure.
Trusted: no, checked by tests/unit/models/kvm, tests/tables and tests/differential.

    63   62  61:60 59:56  55    54  53    52   51:12    11       10  9  8  7   6     5:3  2   1  0
    SVE  sXU A/D   -      MMU-W sX  hostW sR   address  MMU-P    XU  D  A  PS  IPAT  MT   X   W  R    v3, v5, newest

    63   58     57     56  54  53:52                                                                  old, rfc, v1
    SVE  MMU-W  hostW  sX  sR  A/D    the others as above

sR, sX and sXU hold the rights of an access-tracked SPTE. Source: arch/x86/kvm/mmu/spte.h.
"""

from dataclasses import dataclass

from models.kvm.masks import PT_PAGE_SIZE, PT_PRESENT, PT_WRITABLE, ShadowMasks
from models.kvm.version import Version
from models.sdm.bits import bits

SPTE_MMU_PRESENT = 1 << 11
SPTE_ADDRESS = bits(51, 12)
PAGE_SHIFT = 12


def is_shadow_present_pte(spte: int) -> bool:
    """Whether the SPTE maps or references something; MMIO and frozen SPTEs do not."""
    return bool(spte & SPTE_MMU_PRESENT)


def is_large_pte(spte: int) -> bool:
    """Whether bit 7 is set."""
    return bool(spte & PT_PAGE_SIZE)


def is_last_spte(spte: int, level: int) -> bool:
    """Whether a present SPTE maps a page."""
    return level == 1 or is_large_pte(spte)


def is_writable_pte(spte: int) -> bool:
    """Whether bit 1 is set."""
    return bool(spte & PT_WRITABLE)


def is_mmu_writable_spte(masks: ShadowMasks, spte: int) -> bool:
    """Whether the fast page fault handler may make the SPTE writable."""
    return bool(spte & masks.mmu_writable)


def spte_to_pfn(spte: int) -> int:
    """The page frame number."""
    return (spte & SPTE_ADDRESS) >> PAGE_SHIFT


def spte_ad_enabled(version: Version, spte: int) -> bool:
    """Whether the processor keeps the accessed and dirty flags of this SPTE."""
    return spte & version.spte.ad_mask != version.spte.ad_disabled


def is_access_track_spte(masks: ShadowMasks, spte: int) -> bool:
    """Whether the SPTE is without its rights, so that the next access shows."""
    return not spte_ad_enabled(masks.version, spte) and spte & masks.acc_track == 0


def is_frozen_spte(version: Version, spte: int) -> bool:
    """Whether the TDP MMU is changing the SPTE."""
    return spte == version.spte.frozen


def is_executable_pte(masks: ShadowMasks, spte: int, fault: "Fault") -> bool:
    """Whether fetches are allowed, as the version's fast path believes.

    v3 and v5 ask for XS or XU, whichever the fetch would need. newest has no such function (spte_permission_fault).
    """
    version = masks.version
    if version.splits_execution:
        return spte & (masks.xs | masks.xu | masks.nx) != masks.nx
    if version.mbec_source == "vcpu":
        return _is_executable_pte_v1(masks, spte, fault)
    wanted = masks.xs
    if fault.mbec:
        wanted = (masks.xs | masks.xu) & ~(1 << 2 if fault.user else 1 << 10)
    return spte & (wanted | masks.nx) == wanted


def _is_executable_pte_v1(masks: ShadowMasks, spte: int, fault: "Fault") -> bool:
    if spte & masks.nx:
        return False
    if not fault.mbec:
        return spte & masks.xs == masks.xs
    if not masks.xs:
        return fault.user or not spte & masks.user
    if fault.is_tdp:
        return False
    return bool(spte & (masks.xu if fault.user else masks.xs))


def is_access_allowed(masks: ShadowMasks, spte: int, fault: "Fault") -> bool:
    """Whether a fault on a present SPTE was spurious: the SPTE allows the access by now."""
    if fault.exec:
        return is_executable_pte(masks, spte, fault)
    if fault.write:
        return is_writable_pte(spte)
    return bool(spte & PT_PRESENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """struct kvm_page_fault, as far as it depends on the error code.

    `is_tdp`: the MMU is direct. `mbec`: what the version's predicate says of this vCPU (rfc, v1). `error_code` is the
    whole of it.
    """

    error_code: int = 0
    exec: bool = False
    write: bool = False
    user: bool = False
    present: bool = False
    rsvd: bool = False
    is_tdp: bool = False
    mbec: bool = False
    prefetch: bool = False
