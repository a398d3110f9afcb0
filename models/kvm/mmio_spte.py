"""In: a page of L1 without memory. Out: the SPTE that makes every access to it an EPT misconfiguration, and back.

Guarantee: generation, page and access of an MMIO SPTE can be read back from it.
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Source: make_mmio_spte(), generation_mmio_spte_mask() (mmu/spte.c), get_mmio_spte_*() (mmu/spte.h, mmu.c).
"""

from models.kvm.masks import L1TF_BITS, ShadowMasks
from models.kvm.spte import PAGE_SHIFT
from models.kvm.version import Version
from models.sdm.bits import bits

GEN_LOW_START = 3
GEN_HIGH_START, GEN_HIGH_END = 52, 62


def mmio_spte_gen_low_mask(version: Version) -> int:
    """MMIO_SPTE_GEN_LOW_MASK."""
    return bits(version.spte.mmio_gen_low_end, GEN_LOW_START)


MMIO_SPTE_GEN_HIGH_MASK = bits(GEN_HIGH_END, GEN_HIGH_START)


def mmio_spte_gen_bits(version: Version) -> int:
    """How many bits of the memslots' generation an MMIO SPTE holds: 19 in old, 18 later."""
    low = version.spte.mmio_gen_low_end - GEN_LOW_START + 1
    return low + GEN_HIGH_END - GEN_HIGH_START + 1


def generation_mmio_spte_mask(version: Version, generation: int) -> int:
    """Where the bits of a generation stand. The generation must fit."""
    low_bits = version.spte.mmio_gen_low_end - GEN_LOW_START + 1
    assert not generation >> mmio_spte_gen_bits(version)
    low = generation << GEN_LOW_START & mmio_spte_gen_low_mask(version)
    return low | generation << GEN_HIGH_START - low_bits & MMIO_SPTE_GEN_HIGH_MASK


def make_mmio_spte(masks: ShadowMasks, gfn: int, access: int, generation: int) -> int:
    """The MMIO SPTE of a page; of the generation, the low bits that fit are kept."""
    gpa = gfn << PAGE_SHIFT
    version = masks.version
    spte = generation_mmio_spte_mask(version, generation & (1 << mmio_spte_gen_bits(version)) - 1)
    spte |= masks.mmio_value | access & masks.mmio_access
    spte |= gpa | masks.nonpresent_or_rsvd
    return spte | (gpa & masks.nonpresent_or_rsvd) << L1TF_BITS


def is_mmio_spte(masks: ShadowMasks, spte: int) -> bool:
    """Whether KVM takes the SPTE for one of these."""
    return bool(masks.mmio_value) and spte & masks.mmio_mask == masks.mmio_value


def get_mmio_spte_gfn(masks: ShadowMasks, spte: int) -> int:
    """The page."""
    gpa = spte & masks.lower_gfn
    return (gpa | spte >> L1TF_BITS & masks.nonpresent_or_rsvd) >> PAGE_SHIFT


def get_mmio_spte_access(masks: ShadowMasks, spte: int) -> int:
    """The rights that were kept: none for EPT."""
    return spte & masks.mmio_access


def get_mmio_spte_generation(version: Version, spte: int) -> int:
    """The generation."""
    low_bits = version.spte.mmio_gen_low_end - GEN_LOW_START + 1
    generation = (spte & mmio_spte_gen_low_mask(version)) >> GEN_LOW_START
    return generation | (spte & MMIO_SPTE_GEN_HIGH_MASK) >> GEN_HIGH_START - low_bits


def check_mmio_spte(masks: ShadowMasks, spte: int, generation: int) -> bool:
    """Whether an MMIO SPTE is of the present generation."""
    version = masks.version
    return get_mmio_spte_generation(version, spte) == generation & (1 << mmio_spte_gen_bits(version)) - 1
