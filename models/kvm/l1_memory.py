"""In: L0's memory slots, or an EPT01 in L0's memory. Out: where a page of L1 is.

Guarantee: a page of L1 is memory with a host page, a size and a right to write, or no memory at all (MMIO).
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Decision: KVM grants L1 all rights on its memory but W, and takes them away for a time only (access tracking, write
protection, NX huge pages). An EPT01 that denies R or X for good is none of KVM's, and is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from models.kvm.masks import ShadowMasks
from models.kvm.role import PG_LEVEL_1G, PG_LEVEL_2M, PG_LEVEL_4K
from models.kvm.spte import is_access_track_spte, is_shadow_present_pte
from models.kvm.tracking import restore_acc_track_spte
from models.sdm.bits import WORD, bits
from models.sdm.ept.entry import (
    EXECUTE,
    EXECUTE_USER,
    READ,
    TABLE_ADDRESS,
    WRITE,
    EptConfiguration,
    misconfiguration,
)
from models.sdm.errors import InputError


@dataclass(frozen=True, slots=True)
class Backing:
    """The host page frame behind a page of L1; `level` of the largest page that may map it."""

    pfn: int
    level: int
    writable: bool


class L1Memory(Protocol):
    """Where L1's memory is."""

    def find(self, gfn: int) -> Backing | None:
        """What is behind a page frame of L1; None if it is no memory."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """A memory slot: `size` bytes of L1's memory, contiguous in the host; all three are multiples of 4096."""

    guest_physical_address: int
    host_physical_address: int
    size: int
    writable: bool = True
    level: int = PG_LEVEL_1G


class SlotMemory:
    """L1's memory as KVM itself maps it."""

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self.slots = slots

    def find(self, gfn: int) -> Backing | None:
        """See `L1Memory`."""
        for slot in self.slots:
            first = slot.guest_physical_address >> 12
            if first <= gfn < first + (slot.size >> 12):
                pfn = gfn - first + (slot.host_physical_address >> 12)
                return Backing(pfn, _largest(slot, gfn, pfn), slot.writable)
        return None


def _largest(slot: Slot, gfn: int, pfn: int) -> int:
    """The largest page around a frame that lies in the slot whole and is aligned in both address spaces."""
    first, end = slot.guest_physical_address >> 12, slot.guest_physical_address + slot.size >> 12
    for level in (PG_LEVEL_1G, PG_LEVEL_2M):
        pages = 1 << 9 * (level - 1)
        base = gfn & -pages
        if level <= slot.level and (gfn - pfn) % pages == 0 and first <= base and base + pages <= end:
            return level
    return PG_LEVEL_4K


class Ept01Memory:
    """L1's memory as an EPT01 in L0's memory maps it. The tables must not change while L2 runs."""

    def __init__(
        self, memory: Mapping[int, int], configuration: EptConfiguration, eptp: int, masks: ShadowMasks
    ) -> None:
        self.memory, self.configuration, self.masks = memory, configuration, masks
        self.root = eptp & TABLE_ADDRESS
        self.found: dict[int, Backing | None] = {}

    def find(self, gfn: int) -> Backing | None:
        """See `L1Memory`. Raises `InputError` where the entries are none of KVM's."""
        if gfn not in self.found:
            self.found[gfn] = self._walk(gfn << 12)
        return self.found[gfn]

    def _walk(self, address: int) -> Backing | None:
        if address >> self.configuration.guest_physical_bits:
            return None
        table, rights = self.root, WORD
        for level in self.configuration.levels:
            at = table | address >> level.index_shift & 0xFF8
            entry = self._restored(self.memory.get(at, 0))
            if not entry & self.configuration.present_mask or misconfiguration(self.configuration, level, entry):
                return None
            rights &= entry
            if entry & level.page_mask:
                self._check(rights, at, level.number)
                pfn = (entry & level.page_address | address & level.page_offset) >> 12
                return Backing(pfn, level.number, bool(rights & WRITE))
            table = entry & TABLE_ADDRESS
        raise AssertionError("an entry of an EPT page table always maps a page")

    def _restored(self, entry: int) -> int:
        """An SPTE of KVM's own with the rights that L1 gets back when it asks: access tracking, write protection."""
        if not is_shadow_present_pte(entry):
            return entry
        if is_access_track_spte(self.masks, entry):
            entry = restore_acc_track_spte(self.masks, entry)
        return entry | (WRITE if entry & self.masks.host_writable else 0)

    def _check(self, rights: int, at: int, level: int) -> None:
        """What KVM takes away for a time: X of a huge page. XS and XU are one to it."""
        executable = EXECUTE | (EXECUTE_USER if self.configuration.mode_based else 0)
        none = level > PG_LEVEL_4K and not rights & executable
        if not rights & READ or not (rights & executable == executable or none):
            message = "KVM's EPT01 never denies L1 reading, nor executing but for a huge page, nor tells XS from XU"
            raise InputError("out_of_range", f"memory.{hex(at)}", message)


def read_l1(memory: Mapping[int, int], l1: L1Memory, address: int) -> int | None:
    """The word at L1's guest-physical `address`, or None if L1 has no memory there."""
    backing = l1.find(address >> 12)
    return None if backing is None else memory.get(backing.pfn << 12 | address & bits(11, 0), 0)
