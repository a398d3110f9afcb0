"""In: a fault of L2 that EPT12 allows. Out: the SPTEs that let the access through, or why L0 must emulate it.

Guarantee: shadow pages are linked from the root down, one SPTE maps the page, its neighbours follow as prefetches.
Trusted: no, checked by tests/unit/models/kvm and tests/differential (shadow against composition).

Source: FNAME(page_fault), FNAME(fetch), FNAME(pte_prefetch), __direct_pte_prefetch(), mmu_set_spte(),
kvm_mmu_faultin_pfn() (mmu/mmu.c, mmu/paging_tmpl.h), kvm_tdp_mmu_map() (mmu/tdp_mmu.c).
"""

from dataclasses import dataclass, replace
from typing import Literal

from models.kvm.capabilities import ept_caps_to_lpage_level
from models.kvm.gpte import gpte_access, prefetch_invalid_gpte, protect_clean_gpte, sync_spte
from models.kvm.l1_memory import Backing
from models.kvm.make_spte import HugePages, MadeSpte, SpteRequest, make_small_spte, make_spte
from models.kvm.mmio_spte import get_mmio_spte_gfn, is_mmio_spte, make_mmio_spte
from models.kvm.mmu import Mmu, mmu_has_mbec
from models.kvm.page_fault import (
    disallowed_hugepage_adjust,
    fast_page_fault,
    is_spurious,
    kvm_mmu_hugepage_adjust,
    page_fault_access,
)
from models.kvm.role import PG_LEVEL_1G, PG_LEVEL_4K, PageRole, kvm_mmu_child_role
from models.kvm.rsvd_bits import is_rsvd_bits_set
from models.kvm.shadow_pages import ShadowPage, ShadowPages
from models.kvm.spte import Fault, is_large_pte, is_last_spte, is_shadow_present_pte, is_writable_pte, spte_to_pfn
from models.kvm.walk import ADDRESS, GuestWalker

Result = Literal["fixed", "spurious", "mmio", "read-only memory", "write-protected table"]
"""After the first two L2 retries; the others L0 or user space emulates, which completes the access."""


@dataclass(frozen=True, slots=True)
class Place:
    """One SPTE of a shadow page."""

    page: ShadowPage
    index: int


@dataclass(frozen=True, slots=True)
class Target:
    """L1's page that L2 wants, with the rights that lead to it; `backing` is None where L1 has no memory.

    `max_level`: the size of the page in EPT12.
    """

    gfn: int
    access: int
    backing: Backing | None
    max_level: int = PG_LEVEL_1G


@dataclass(frozen=True, slots=True)
class Mapping:
    """A host frame `pfn` for L1's page `gfn`, and why it is mapped."""

    gfn: int
    pfn: int
    access: int
    host_writable: bool
    prefetch: bool = False
    synchronizing: bool = False


class Fetcher:
    """Maps pages of L2 for one MMU. `generation` is that of the memory slots; `warnings` are what KVM would log."""

    def __init__(self, pages: ShadowPages, mmu: Mmu, root: ShadowPage) -> None:
        self.pages, self.mmu, self.root = pages, mmu, root
        self.kvm, self.masks, self.l1 = pages.kvm, pages.kvm.masks, pages.l1
        self.generation = 0
        self.prefetch_count = 8
        self.warnings: list[str] = []

    @property
    def mbec(self) -> bool:
        """The version's predicate for this MMU."""
        return mmu_has_mbec(self.kvm, self.mmu, self.mmu)

    def shadow_fault(self, address: int, fault: Fault, walker: GuestWalker) -> Result:
        """FNAME(page_fault), after a walk of EPT12 that succeeded."""
        target = Target(walker.gfn, walker.pte_access, self.l1.find(walker.gfn), walker.level)
        refused = self._refused(target, fault)
        if refused is not None:
            return refused
        if target.backing is not None:
            target = replace(target, access=page_fault_access(self.mmu, target.access, fault))
        page = self.root
        for level in range(self.root.role.level, walker.level, -1):
            table = (walker.ptes[level] & ADDRESS) >> 12
            page = self.pages.get_child(page, index_of(address, level), table, False, walker.pt_access[level - 1])
        return self._descend(page, address, fault, target)

    def direct_fault(self, address: int, fault: Fault) -> Result:
        """kvm_tdp_page_fault(), for an L2 whose guest-physical addresses are L1's."""
        gfn = address >> 12
        target = Target(gfn, self.root.role.access, self.l1.find(gfn))
        place = self._leaf(address)
        if place is not None:
            spte, level = self.pages.read(place.page, place.index), place.page.role.level
            verdict, fixed = fast_page_fault(self.masks, self.mmu, spte, level, fault)
            if verdict != "invalid":
                self.pages.write(place.page, place.index, fixed)
                return verdict
        refused = self._refused(target, fault)
        if refused is not None:
            return refused
        if place is not None and self.kvm.version.name != "rfc":
            spte = self.pages.read(place.page, place.index)
            if is_shadow_present_pte(spte) and is_spurious(self.masks, self.mmu, spte, fault):
                return "spurious"
        return self._descend(self.root, address, fault, target)

    def leaf_spte(self, address: int) -> int | None:
        """The last SPTE on the way to an address, present or not; None where a table is missing."""
        place = self._leaf(address)
        return None if place is None else self.pages.read(place.page, place.index)

    def _leaf(self, address: int) -> Place | None:
        page = self.root
        while True:
            index = index_of(address, page.role.level)
            spte = self.pages.read(page, index)
            if not is_shadow_present_pte(spte) or is_last_spte(spte, page.role.level):
                return Place(page, index) if spte else None
            page = self.pages.child_of(spte)

    def _refused(self, target: Target, fault: Fault) -> Result | None:
        """What is emulated without an SPTE: page_fault_handle_page_track(), kvm_mmu_faultin_pfn()."""
        if fault.write and fault.present and not fault.rsvd and self.pages.is_write_tracked(target.gfn):
            return "write-protected table"
        if target.backing is None:
            return None if self.masks.mmio_value else "mmio"
        return "read-only memory" if fault.write and not target.backing.writable else None

    def _descend(self, page: ShadowPage, address: int, fault: Fault, target: Target) -> Result:
        """From L1's last table (the root of a direct MMU) down to the size that the page may have."""
        nx = self.kvm.nx_huge_pages
        adjusted = kvm_mmu_hugepage_adjust(target.max_level, self._mapping_level(target), fault.exec, nx)
        goal = adjusted.goal
        while True:
            level = page.role.level
            place = Place(page, index_of(address, level))
            spte = self.pages.read(page, place.index)
            if nx:
                goal = disallowed_hugepage_adjust(spte, level, goal, self._was_split(page, spte))
            base = target.gfn & -pages_of(level)
            if level == goal:
                return self._install(place, base, target, fault)
            if self.root.role.direct and is_shadow_present_pte(spte) and is_large_pte(spte):
                self.split(place)
            self._validate_direct_spte(place, target.access)
            page = self.pages.get_child(page, place.index, base, True, target.access)
            if adjusted.disallowed and adjusted.required >= level:
                page.nx_huge_page_disallowed = True

    def _mapping_level(self, target: Target) -> int:
        """The largest page that host, memory slot and shadowed tables allow."""
        if target.backing is None:
            return PG_LEVEL_4K
        largest = min(target.backing.level, ept_caps_to_lpage_level(self.kvm.config.ept))
        return self.pages.mapping_level(target.gfn, largest)

    def _was_split(self, page: ShadowPage, spte: int) -> bool:
        table = is_shadow_present_pte(spte) and not is_last_spte(spte, page.role.level)
        return table and self.pages.child_of(spte).nx_huge_page_disallowed

    def _validate_direct_spte(self, place: Place, access: int) -> None:
        """A table whose rights are others than the page's is not reused."""
        spte = self.pages.read(place.page, place.index)
        table = is_shadow_present_pte(spte) and not is_large_pte(spte)
        if table and self.pages.child_of(spte).role.access != access:
            self.pages.zap(place.page, place.index)

    def _install(self, place: Place, gfn: int, target: Target, fault: Fault) -> Result:
        if target.backing is None:
            spte = make_mmio_spte(self.masks, gfn, target.access, self.generation)
            self.pages.write(place.page, place.index, spte)
            return "mmio"
        level = place.page.role.level
        pfn = target.backing.pfn & -pages_of(level)
        made = self.set_spte(place, Mapping(gfn, pfn, target.access, target.backing.writable))
        if made.wrprot and fault.write:
            return "write-protected table"
        if made.spte == made.before:
            return "spurious"
        if level == PG_LEVEL_4K and not self.root.role.direct:
            self._prefetch_around(place)
        return "fixed"

    def set_spte(self, place: Place, mapping: Mapping) -> "SetSpte":
        """mmu_set_spte(): makes an SPTE and writes it."""
        page, index, level = place.page, place.index, place.page.role.level
        before = old = self.pages.read(page, index)
        if is_shadow_present_pte(old) and (not is_last_spte(old, level) or spte_to_pfn(old) != mapping.pfn):
            self.pages.zap(page, index)
            old = 0
        was_writable = is_shadow_present_pte(old) and is_writable_pte(old)
        made = self._make(page.role, mapping, was_writable)
        if not page.role.direct:
            page.translations[index] = (mapping.gfn, mapping.access)
        self.pages.write(page, index, made.spte)
        return SetSpte(before, made.spte, made.wrprot)

    def _make(self, role: PageRole, mapping: Mapping, was_writable: bool) -> MadeSpte:
        """make_spte(), with what it asks of the rest of the MMU."""
        wrprot = False
        if mapping.access & self.kvm.version.acc.write and mapping.host_writable and not was_writable:
            wrprot = not self.pages.try_to_unsync(mapping.gfn, mapping.synchronizing, mapping.prefetch)
        request = SpteRequest(
            pte_access=mapping.access,
            pfn=mapping.pfn,
            prefetch=mapping.prefetch,
            synchronizing=mapping.synchronizing,
            host_writable=mapping.host_writable,
            wrprot=wrprot,
            nx_huge_pages=self.kvm.nx_huge_pages,
            need_write_protect=self.kvm.enable_pml and bool(role.guest_mode),
            mbec=self.mbec,
        )
        made = make_spte(self.masks, role, request)
        self.warnings += made.warnings
        if is_rsvd_bits_set(self.kvm.version, self.mmu.shadow_zero_check, made.spte, role.level):
            self.warnings.append(f"a reserved bit in SPTE {hex(made.spte)}")
        return made

    def _prefetch_around(self, place: Place) -> None:
        """The neighbours of a 4-KByte page; a page of L1 that is no plain memory ends it (not below a huge page)."""
        first = place.index & -self.prefetch_count if self.prefetch_count else 0
        for index in range(first, first + self.prefetch_count):
            neighbour = Place(place.page, index)
            spte = self.pages.read(place.page, index)
            if index != place.index and not is_shadow_present_pte(spte) and not self._prefetch(neighbour):
                return

    def _prefetch(self, place: Place) -> bool:
        page = place.page
        if page.role.direct:
            gfn, access = page.gfn + place.index, page.role.access
        else:
            found = self._prefetchable(place)
            if found is None:
                return False
            gfn, access = found
        backing = self.l1.find(gfn)
        if backing is None or not backing.writable:
            return False
        self.set_spte(place, Mapping(gfn, backing.pfn, access, True, prefetch=True))
        return True

    def _prefetchable(self, place: Place) -> tuple[int, int] | None:
        """The page and the rights of an entry of L1 that may be shadowed ahead of its use."""
        gpte, version = self.pages.read_gpte(place.page, place.index), self.kvm.version
        rsvd, have_ad = self.mmu.guest_rsvd_check, self.mmu.ept_ad
        if gpte is None or prefetch_invalid_gpte(version, gpte, rsvd, have_ad, self.mbec):
            return None
        access = protect_clean_gpte(version, place.page.role.access & gpte_access(version, gpte), gpte, have_ad)
        return (gpte & ADDRESS) >> 12, access

    def sync_roots(self) -> None:
        """kvm_mmu_sync_roots(): the last-level shadow pages that L2's writes left behind follow their tables again."""
        for page in list(self.pages.by_address.values()):
            if page.unsync:
                page.unsync = False
                for index in range(512):
                    if self.pages.read(page, index):
                        self._sync_spte(Place(page, index))

    def _sync_spte(self, place: Place) -> None:
        """FNAME(sync_spte), sync_mmio_spte()."""
        spte, found = self.pages.read(place.page, place.index), self._prefetchable(place)
        if found is None or not (is_shadow_present_pte(spte) or is_mmio_spte(self.masks, spte)):
            self.pages.zap(place.page, place.index)
            return
        gfn, access = found
        if is_mmio_spte(self.masks, spte):
            if get_mmio_spte_gfn(self.masks, spte) != gfn:
                self.pages.zap(place.page, place.index)
            return
        shadowed = place.page.translations[place.index]
        verdict = sync_spte(self.masks.present, access, shadowed[1], gfn == shadowed[0])
        if verdict == "drop":
            self.pages.zap(place.page, place.index)
        elif verdict == "remake":
            writable = bool(spte & self.masks.host_writable)
            mapping = Mapping(gfn, spte_to_pfn(spte), access, writable, prefetch=True, synchronizing=True)
            self.set_spte(place, mapping)

    def split(self, place: Place) -> None:
        """Replaces a huge page by a table of its parts (shadow_mmu_split_huge_page(), tdp_mmu_split_huge_page())."""
        page, index = place.page, place.index
        huge, level = self.pages.read(page, index), page.role.level
        role = kvm_mmu_child_role(page.role, True, page.get_access(index))
        gfn = page.gfn + index * pages_of(level) if page.role.direct else page.translations[index][0]
        child = self.pages.get_page(gfn, role)
        for part in range(512):
            if not is_shadow_present_pte(self.pages.read(child, part)):
                spte = make_small_spte(self.masks, huge, role, part, HugePages(self.kvm.nx_huge_pages))
                self.pages.write(child, part, spte)
        self.pages.get_child(page, index, gfn, True, role.access)


@dataclass(frozen=True, slots=True)
class SetSpte:
    """The SPTE before and after; `wrprot`: W was withheld."""

    before: int
    spte: int
    wrprot: bool


def index_of(address: int, level: int) -> int:
    """The index of an address in a table of a level."""
    return address >> 12 + 9 * (level - 1) & 0x1FF


def pages_of(level: int) -> int:
    """KVM_PAGES_PER_HPAGE()."""
    return 1 << 9 * (level - 1)
