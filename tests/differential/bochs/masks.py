"""Every way in which Bochs may differ from the reference MMU, each with its reason, and nothing else.

In: a case. Out: what Bochs is expected to do, by the reference MMU and the masks.
Guarantee: a deviation is predicted, not left out: all the rest of the outcome is compared still, undefined bits
included (both sides clear them).
Trusted: no, checked by test_masks.py: each mask is needed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .case import Case
from .ending import Ending, Kind
from .reference import expected

LARGE, LARGE_LEAF_BIT_12 = 1 << 7, 1 << 12
EPTP_AD = 1 << 6
ACTIVATE_SECONDARY, MBE, SPP = 1 << 31, 1 << 22, 1 << 23
SPP_LEAF = 1 << 61
ACCESSED, DIRTY = 1 << 5, 1 << 6
TABLE = 0xFF_FFFF_F000  # the address bits of an EPT entry, with a physical-address width of 40 bits
VIOLATION = (Kind.EPT_VIOLATION, Kind.VIRTUALIZATION_EXCEPTION)

# Bits of the exit qualification, SDM "Exit Qualification for EPT Violations".
READ, WRITE, FETCH, USER_EXECUTE, LINEAR, TRANSLATION, SHADOW_STACK = (1 << bit for bit in (0, 1, 2, 6, 7, 8, 13))


@dataclass(frozen=True, slots=True)
class Flip:
    """Bits of one word of memory that Bochs does not see as they are; `kept` if Bochs itself changes them."""

    address: int
    bits: int
    kept: bool


def no_flip(_case: Case, _ending: Ending) -> Flip | None:
    """For masks that leave memory alone."""
    return None


def no_rewrite(_case: Case, ending: Ending) -> Ending:
    """For masks that leave the outcome alone."""
    return ending


@dataclass(frozen=True, slots=True)
class Mask:
    """A named deviation.

    `flip` names bits to change before the reference MMU is asked again, as long as Bochs does not end as it says;
    `rewrite` changes what it says into what Bochs says.
    """

    name: str
    reason: str
    flip: Callable[[Case, Ending], Flip | None] = no_flip
    rewrite: Callable[[Case, Ending], Ending] = no_rewrite


def predict(case: Case, masks: Sequence[Mask]) -> Ending:
    """What Bochs does: what the reference MMU expects, changed by these masks."""
    ending = expected(case)
    seen, undo = case, dict[int, int]()
    while flip := next(filter(None, (mask.flip(seen, ending) for mask in masks)), None):
        seen = replace(seen, memory={**seen.memory, flip.address: seen.memory[flip.address] ^ flip.bits})
        if not flip.kept:
            undo[flip.address] = undo.get(flip.address, 0) ^ flip.bits
        ending = expected(seen)
    if seen is not case:
        after = {place: word ^ undo.get(place, 0) for place, word in (*seen.memory.items(), *ending.changed.items())}
        changed = {place: word for place, word in after.items() if case.memory.get(place, 0) != word}
        ending = replace(ending, changed=changed)
    for mask in masks:
        ending = mask.rewrite(case, ending)
    return ending


def _bit_13_for_bit_6(case: Case, ending: Ending) -> Ending:
    mbe = case.controls.primary & ACTIVATE_SECONDARY and case.controls.secondary & MBE
    if ending.kind in VIOLATION and mbe and not ending.code & FETCH and ending.code & USER_EXECUTE:
        return replace(ending, code=ending.code ^ (USER_EXECUTE | SHADOW_STACK))
    return ending


def _bit_12_of_large_leaf(case: Case, ending: Ending) -> Flip | None:
    if ending.kind is not Kind.EPT_MISCONFIGURATION or ending.guest_physical_address is None:
        return None
    place, entry, lowest = _last_entry(case, ending.guest_physical_address)
    wrong = lowest > 12 and entry & LARGE_LEAF_BIT_12
    return Flip(place, LARGE_LEAF_BIT_12, kept=False) if wrong else None


def _write_without_read(case: Case, ending: Ending) -> Ending:
    if ending.kind in VIOLATION and case.controls.eptp & EPTP_AD and _paging_structure(ending):
        return replace(ending, code=ending.code ^ READ)
    return ending


def _flag_written_through(case: Case, ending: Ending) -> Flip | None:
    if ending.kind not in VIOLATION or case.controls.eptp & EPTP_AD or not _paging_structure(ending):
        return None
    if not ending.code & WRITE or ending.guest_physical_address is None:
        return None
    _, leaf, lowest = _last_entry(case, ending.guest_physical_address)
    offset = ending.guest_physical_address & (1 << lowest) - 1
    address = leaf & TABLE & -(1 << lowest) | offset
    shift = 8 * (address & 4)
    flag = DIRTY if case.memory[address & -8] >> shift & ACCESSED else ACCESSED
    return Flip(address & -8, flag << shift, kept=True)


def _spp_of_unreadable_page(case: Case, ending: Ending) -> Flip | None:
    page = ending.page if ending.kind is Kind.ALLOWED else ending.guest_physical_address
    spp = case.controls.primary & ACTIVATE_SECONDARY and case.controls.secondary & SPP
    if not spp or ending.kind not in (Kind.ALLOWED, Kind.SPP_EVENT) or page is None:
        return None
    entries = list(_entries(case.memory, case.controls.eptp, page))
    place, leaf, lowest = entries[-1]
    readable = all(entry & READ for _, entry, _ in entries)
    return Flip(place, SPP_LEAF, kept=False) if lowest == 12 and leaf & SPP_LEAF and not readable else None


def _paging_structure(ending: Ending) -> bool:
    return bool(ending.code & LINEAR and not ending.code & TRANSLATION)


def _last_entry(case: Case, address: int) -> tuple[int, int, int]:
    """The last EPT entry for a guest-physical address, and where it ends: see `_entries`."""
    *_, last = _entries(case.memory, case.controls.eptp, address)
    return last


def _entries(memory: Mapping[int, int], eptp: int, address: int) -> Iterator[tuple[int, int, int]]:
    """The EPT entries for a guest-physical address: host-physical address, entry, lowest address bit it covers."""
    table = eptp & TABLE
    for lowest in (39, 30, 21, 12):
        place = table + (address >> lowest & 0x1FF) * 8
        entry = memory.get(place, 0)
        yield place, entry, lowest
        if lowest in (30, 21) and entry & LARGE:
            return
        table = entry & TABLE


MASKS = (
    Mask(
        "D1",
        "with MBE, Bochs puts the AND of bit 10 of the entries into bit 13 instead of bit 6, except for fetches",
        rewrite=_bit_13_for_bit_6,
    ),
    Mask(
        "D2",
        "Bochs does not check reserved bit 12 of an EPT leaf that maps a 2-MByte or 1-GByte page",
        flip=_bit_12_of_large_leaf,
    ),
    Mask(
        "D3",
        "with EPTP[6] = 1, Bochs reports an access to a guest paging structure as a write only: bit 0 is clear",
        rewrite=_write_without_read,
    ),
    Mask(
        "D4",
        "with EPTP[6] = 0, Bochs writes guest accessed and dirty flags without asking EPT for write access",
        flip=_flag_written_through,
    ),
    Mask(
        "GP7",
        "Bochs applies sub-page write permissions only to pages that EPT lets be read",
        flip=_spp_of_unreadable_page,
    ),
)
