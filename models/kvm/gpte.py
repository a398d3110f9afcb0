"""In: an entry of L1's EPT12. Out: what KVM's walker reads in it.

Guarantee: each function is the kernel's for EPT entries; `gpte_access_64` that for 64-bit guest entries.
Trusted: no, checked by tests/unit/models/kvm, tests/tables and tests/differential.

Source: FNAME(is_present_gpte), FNAME(gpte_access), FNAME(protect_clean_gpte), FNAME(prefetch_invalid_gpte),
FNAME(sync_spte) (mmu/paging_tmpl.h).
"""

from typing import Literal

from models.kvm.asm_vmx import (
    VMX_EPT_ACCESS,
    VMX_EPT_DIRTY,
    VMX_EPT_EXECUTABLE,
    VMX_EPT_READABLE,
    VMX_EPT_USER_EXECUTABLE,
    VMX_EPT_WRITABLE,
)
from models.kvm.masks import PT64_NX, PT_PAGE_SIZE, PT_PRESENT, PT_USER, PT_WRITABLE
from models.kvm.role import PG_LEVEL_4K
from models.kvm.rsvd_bits import RsvdBits, is_rsvd_bits_set
from models.kvm.version import Version


def is_present_gpte(version: Version, gpte: int, mbec: bool) -> bool:
    """Whether the entry is present. `mbec`: the version's predicate, see mmu.py."""
    return bool(gpte & (7 | (VMX_EPT_USER_EXECUTABLE if mbec and version.present_by_bit_10 else 0)))


def gpte_access(version: Version, gpte: int) -> int:
    """The rights of an EPT entry as ACC_*. Bit 10 counts whether MBEC is on or not; old ignores it."""
    acc = version.acc
    access = acc.read if gpte & VMX_EPT_READABLE else 0
    if gpte & VMX_EPT_WRITABLE:
        access |= acc.write
    if gpte & VMX_EPT_EXECUTABLE:
        access |= acc.exec
    if version.gpte_user_exec and gpte & VMX_EPT_USER_EXECUTABLE:
        access |= acc.user_exec
    return access


def gpte_access_64(version: Version, gpte: int) -> int:
    """The same for a 64-bit entry of L2's own page tables. old takes P, which is 1 here, XOR NX for execution."""
    acc = version.acc
    if version.read_right:
        return gpte & (PT_PRESENT | PT_WRITABLE | PT_USER) | (0 if gpte & PT64_NX else acc.exec)
    return gpte & (PT_PRESENT | PT_WRITABLE | PT_USER) ^ (1 if gpte & PT64_NX else 0)


def is_last_gpte(gpte: int, level: int) -> bool:
    """Whether the entry maps a page, its reserved bits having been checked."""
    return level == PG_LEVEL_4K or bool(gpte & PT_PAGE_SIZE)


def protect_clean_gpte(version: Version, pte_access: int, gpte: int, have_ad: bool) -> int:
    """Without ACC_WRITE while the dirty flag is clear, so that the first write shows."""
    return pte_access if not have_ad or gpte & VMX_EPT_DIRTY else pte_access & ~version.acc.write


def prefetch_invalid_gpte(version: Version, gpte: int, rsvd: RsvdBits, have_ad: bool, mbec: bool) -> bool:
    """Whether a 4-KByte entry must not be shadowed ahead of its use."""
    if not is_present_gpte(version, gpte, mbec):
        return True
    if have_ad and not gpte & VMX_EPT_ACCESS:
        return True
    return is_rsvd_bits_set(version, rsvd, gpte, PG_LEVEL_4K)


SyncVerdict = Literal["drop", "same", "remake"]


def sync_spte(present_mask: int, pte_access: int, shadowed_access: int, same_gfn: bool) -> SyncVerdict:
    """What happens to the SPTE of an entry that may have changed; the entry is valid.

    `present_mask` is shadow_present_mask. An SPTE without any right is dropped.
    """
    if pte_access | present_mask == 1 << 63 or not same_gfn:
        return "drop"
    return "same" if pte_access == shadowed_access else "remake"
