"""In: the width of addresses, the page sizes, execute-only support. Out: which EPT entries KVM calls misconfigured.

Guarantee: one set of masks serves the entries of EPT12 and, made for the host, KVM's own SPTEs.
Trusted: no, checked by tests/unit/models/kvm and tests/differential (against the SDM's list).

Source: __reset_rsvds_bits_mask_ept() (mmu/mmu.c), __is_bad_mt_xwr(), __is_rsvd_bits_set() (mmu/spte.h).
"""

from dataclasses import dataclass
from functools import lru_cache

from models.kvm.asm_vmx import VMX_EPT_EXECUTABLE, VMX_EPT_USER_EXECUTABLE
from models.kvm.role import PG_LEVEL_1G, PG_LEVEL_2M
from models.kvm.version import Version
from models.sdm.bits import bits

BAD_MEMORY_TYPES = (2, 3, 7)
WRITE_ONLY, WRITE_EXECUTE, EXECUTE_ONLY = 0b010, 0b110, 0b100


@dataclass(frozen=True, slots=True)
class RsvdBits:
    """struct rsvd_bits_validate: by bit 7 and level (1 to 5); `bad_mt_xwr` has a bit for each value of bits 5:0."""

    mask: tuple[tuple[int, ...], tuple[int, ...]]
    bad_mt_xwr: int


NO_RSVD_BITS = RsvdBits(((0,) * 6, (0,) * 6), 0)


@lru_cache(maxsize=256)
def reset_rsvds_bits_mask_ept(maxphyaddr: int, execonly: bool, huge_page_level: int) -> RsvdBits:
    """The masks of EPT entries for addresses of so many bits and pages up to a level."""
    high = bits(51, maxphyaddr)
    no_1g = 0 if huge_page_level >= PG_LEVEL_1G else 1 << 7
    no_2m = 0 if huge_page_level >= PG_LEVEL_2M else 1 << 7
    never = high | bits(7, 3)
    tables = (0, high, high | bits(6, 3) | no_2m, high | bits(6, 3) | no_1g, never, never)
    pages = (0, high, high | bits(20, 12) | no_2m, high | bits(29, 12) | no_1g, never, never)
    bad = sum(1 << value for value in range(64) if _is_bad(value >> 3, value & 7, execonly))
    return RsvdBits((tables, pages), bad)


def _is_bad(memory_type: int, xwr: int, execonly: bool) -> bool:
    return (
        memory_type in BAD_MEMORY_TYPES or xwr in (WRITE_ONLY, WRITE_EXECUTE) or (xwr == EXECUTE_ONLY and not execonly)
    )


def is_rsvd_bits_set_only(rsvd: RsvdBits, entry: int, level: int) -> bool:
    """__is_rsvd_bits_set(): whether a reserved bit is set."""
    return bool(entry & rsvd.mask[entry >> 7 & 1][level])


def is_bad_mt_xwr(version: Version, rsvd: RsvdBits, entry: int) -> bool:
    """Whether memory type and rights are impossible together. From v3 on, bit 10 counts as X, MBEC or not."""
    if version.folds_bit_10 and entry & VMX_EPT_USER_EXECUTABLE:
        entry |= VMX_EPT_EXECUTABLE
    return bool(rsvd.bad_mt_xwr >> (entry & 0x3F) & 1)


def is_rsvd_bits_set(version: Version, rsvd: RsvdBits, entry: int, level: int) -> bool:
    """FNAME(is_rsvd_bits_set), and is_rsvd_spte() with the masks of the host."""
    return is_rsvd_bits_set_only(rsvd, entry, level) or is_bad_mt_xwr(version, rsvd, entry)
