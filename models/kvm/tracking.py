"""In: an SPTE. Out: the SPTE with other rights, access-tracked or not.

Guarantee: restore(mark(spte)) has the rights that the version saves; what a version loses, it loses here too.
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Source: mark_spte_for_access_track(), modify_spte_protections(), make_spte_executable() (mmu/spte.c),
restore_acc_track_spte() (mmu/spte.h).
"""

from models.kvm.masks import PT_PRESENT, ShadowMasks
from models.kvm.spte import is_access_track_spte, is_mmu_writable_spte, is_writable_pte, spte_ad_enabled


def mark_spte_for_access_track(masks: ShadowMasks, spte: int) -> int:
    """Clears the accessed flag or, where the processor keeps none, moves the rights away. W is not saved."""
    layout = masks.version.spte
    if spte_ad_enabled(masks.version, spte):
        return spte & ~masks.accessed
    if is_access_track_spte(masks, spte):
        return spte
    spte |= (spte & layout.saved_mask) << layout.saved_shift
    return spte & ~(masks.acc_track | masks.accessed)


def mark_warns(masks: ShadowMasks, spte: int) -> bool:
    """Whether mark_spte_for_access_track() warns that the places of the saved rights are taken."""
    tracked = spte_ad_enabled(masks.version, spte) or is_access_track_spte(masks, spte)
    return not tracked and bool(spte & masks.version.spte.saved)


def restore_acc_track_spte(masks: ShadowMasks, spte: int) -> int:
    """The inverse of mark_spte_for_access_track()."""
    layout = masks.version.spte
    saved = spte >> layout.saved_shift & layout.saved_mask
    spte &= ~(masks.acc_track | layout.saved)
    return spte | saved


def check_spte_writable_invariants(masks: ShadowMasks, spte: int) -> str | None:
    """What KVM warns of: MMU-writable implies host-writable, writable implies MMU-writable."""
    if is_mmu_writable_spte(masks, spte):
        return None if spte & masks.host_writable else "MMU-writable and not host-writable"
    return "writable and not MMU-writable" if is_writable_pte(spte) else None


def modify_spte_protections(masks: ShadowMasks, spte: int, set_bits: int, clear: int) -> int:
    """Sets and clears rights, also of an access-tracked SPTE. v1 takes XU from what is not readable."""
    tracked = is_access_track_spte(masks, spte)
    if tracked:
        spte = restore_acc_track_spte(masks, spte)
    spte = (spte | set_bits) & ~clear
    if masks.version.mbec_source == "vcpu":
        spte = without_unreadable_xu(masks, spte)
    return mark_spte_for_access_track(masks, spte) if tracked else spte


def without_unreadable_xu(masks: ShadowMasks, spte: int) -> int:
    """v1 alone: bit 10 without bit 0 is dropped, as if every processor called it a misconfiguration."""
    return spte & ~(1 << 10) if masks.xu and not spte & PT_PRESENT else spte


def make_spte_executable(masks: ShadowMasks, spte: int, access: int) -> int:
    """Gives the SPTE the execute rights of `access` and no others. In old and rfc: X whatever `access`, XU untouched.

    newest calls it change_spte_executable(). v1 has none.
    """
    version = masks.version
    if not version.splits_execution:
        return modify_spte_protections(masks, spte, masks.xs, masks.nx)
    if masks.nx:
        set_bits = 0 if access & version.acc.exec else masks.nx
    else:
        set_bits = masks.xs if access & version.acc.exec else 0
        set_bits |= masks.xu if access & version.acc.user_exec else 0
    return modify_spte_protections(masks, spte, set_bits, set_bits ^ (masks.nx | masks.xs | masks.xu))


def make_spte_nonexecutable(masks: ShadowMasks, spte: int) -> int:
    """Takes execution away; old, rfc and v1 take X alone."""
    if masks.version.splits_execution:
        return make_spte_executable(masks, spte, 0)
    return modify_spte_protections(masks, spte, masks.nx, masks.xs)
