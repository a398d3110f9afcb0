"""In: shadow pages by page and role. Out: KVM's page tables in L0's memory, linked, searched and zapped.

Guarantee: memory holds what the processor walks; every SPTE that was written is remembered, in order.
Trusted: no, checked by tests/unit/models/kvm and tests/differential.

Source: kvm_mmu_get_child_sp(), kvm_mmu_get_shadow_page(), account_shadowed(), mmu_try_to_unsync_pages(),
mmu_page_zap_pte() (mmu/mmu.c). An SPTE that was never written reads as 0, not as SHADOW_NONPRESENT_VALUE: there is no
#VE in L2. Nothing is ever evicted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from models.kvm.capabilities import Kvm
from models.kvm.l1_memory import L1Memory, read_l1
from models.kvm.make_spte import make_nonleaf_spte, spte_write_protect
from models.kvm.role import PG_LEVEL_4K, PageRole, kvm_mmu_child_role, pack_role
from models.kvm.spte import SPTE_ADDRESS, is_last_spte, is_shadow_present_pte, spte_to_pfn
from models.kvm.version import NONPRESENT

PAGE = 0x1000


@dataclass(slots=True, eq=False)
class ShadowPage:
    """struct kvm_mmu_page: the shadow of page `gfn` of L1, or, with role.direct, of a piece of a page that maps it.

    `address`: of its 512 SPTEs in L0's memory. `translations`: by index, the page and rights of an SPTE (not direct).
    """

    gfn: int
    role: PageRole
    address: int
    translations: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    unsync: bool = False
    nx_huge_page_disallowed: bool = False

    def get_access(self, index: int) -> int:
        """kvm_mmu_page_get_access()."""
        return self.role.access if self.role.direct else self.translations[index][1]


@dataclass(frozen=True, slots=True)
class SpteWrite:
    """An SPTE that KVM wrote."""

    address: int
    level: int
    before: int
    after: int


class ShadowPages:
    """All shadow pages of one VM, and L0's memory in which they stand."""

    def __init__(self, kvm: Kvm, memory: dict[int, int], l1: L1Memory, first_page: int) -> None:
        self.kvm, self.memory, self.l1 = kvm, memory, l1
        self.next_page = first_page
        self.taken = {address & -PAGE for address in memory if address >= first_page}
        self.by_role: dict[tuple[int, int], ShadowPage] = {}
        self.by_address: dict[int, ShadowPage] = {}
        self.shadows: dict[int, list[ShadowPage]] = {}
        self.rmap: dict[tuple[int, int], set[int]] = {}
        self.split: set[tuple[int, int]] = set()
        self.written: list[SpteWrite] = []

    # ---- SPTEs

    def read(self, page: ShadowPage, index: int) -> int:
        """The SPTE at an index."""
        return self.memory.get(page.address + 8 * index, 0)

    def write(self, page: ShadowPage, index: int, spte: int) -> None:
        """Replaces an SPTE, and keeps the reverse map."""
        at = page.address + 8 * index
        before = self.memory.get(at, 0)
        if spte == before:
            return
        level = page.role.level
        if is_shadow_present_pte(before) and is_last_spte(before, level):
            self.rmap[level, spte_to_pfn(before)].discard(at)
        if is_shadow_present_pte(spte) and is_last_spte(spte, level):
            self.rmap.setdefault((level, spte_to_pfn(spte)), set()).add(at)
        self.memory[at] = spte
        self.written.append(SpteWrite(at, level, before, spte))

    def zap(self, page: ShadowPage, index: int) -> None:
        """mmu_page_zap_pte(): the page behind a non-leaf SPTE stays, for whoever finds it again."""
        if self.read(page, index):
            self.write(page, index, NONPRESENT)
            page.translations.pop(index, None)

    def leaves(self) -> Iterator[tuple[ShadowPage, int, int]]:
        """Every SPTE that maps a page: where it is, and its value."""
        for at in sorted(set[int]().union(*self.rmap.values())):
            yield self.by_address[at & -PAGE], at % PAGE >> 3, self.memory[at]

    def child_of(self, spte: int) -> ShadowPage:
        """spte_to_child_sp()."""
        return self.by_address[spte & SPTE_ADDRESS]

    def read_gpte(self, page: ShadowPage, index: int) -> int | None:
        """The entry of L1 that an SPTE shadows."""
        return read_l1(self.memory, self.l1, page.gfn << 12 | 8 * index)

    # ---- pages

    def get_page(self, gfn: int, role: PageRole) -> ShadowPage:
        """kvm_mmu_get_shadow_page(): the page with this word of a role, or a new one."""
        key = (gfn, pack_role(self.kvm.version, role))
        if key not in self.by_role:
            self.by_role[key] = self._new_page(gfn, role)
        return self.by_role[key]

    def _new_page(self, gfn: int, role: PageRole) -> ShadowPage:
        while self.next_page in self.taken:
            self.next_page += PAGE
        page = ShadowPage(gfn, role, self.next_page)
        self.next_page += PAGE
        self.by_address[page.address] = page
        if not role.direct:
            self._account_shadowed(page)
        return page

    def _account_shadowed(self, page: ShadowPage) -> None:
        """No huge page maps a shadowed table any more, and none writes it unseen."""
        self.shadows.setdefault(page.gfn, []).append(page)
        self.split |= {(level, page.gfn >> 9 * (level - 1)) for level in (2, 3)}
        backing = self.l1.find(page.gfn)
        if backing is not None:
            self.write_protect(backing.pfn, pt_protect=True)

    def write_protect(self, pfn: int, pt_protect: bool) -> None:
        """Takes W from every SPTE that maps a host page, alone or within a huge page."""
        for level in (1, 2, 3):
            for at in sorted(self.rmap.get((level, pfn & -(1 << 9 * (level - 1))), ())):
                page, index = self.by_address[at & -PAGE], at % PAGE >> 3
                self.write(page, index, spte_write_protect(self.kvm.masks, self.memory[at], pt_protect))

    def get_child(self, page: ShadowPage, index: int, gfn: int, direct: bool, access: int) -> ShadowPage:
        """kvm_mmu_get_child_sp() and link_shadow_page(): the child behind an SPTE, which is made if need be."""
        role = kvm_mmu_child_role(page.role, direct, access)
        spte = self.read(page, index)
        if is_shadow_present_pte(spte) and not is_last_spte(spte, page.role.level):
            child, version = self.child_of(spte), self.kvm.version
            same = pack_role(version, child.role) == pack_role(version, role)
            if same or not version.compares_child_role:
                return child
        child = self.get_page(gfn, role)
        self.write(page, index, make_nonleaf_spte(self.kvm.masks, child.address, bool(role.ad_disabled)))
        return child

    # ---- pages that shadow tables of L1

    def is_write_tracked(self, gfn: int) -> bool:
        """Whether L1's page is an upper table, which stays read-only."""
        return any(page.role.level > PG_LEVEL_4K for page in self.shadows.get(gfn, ()))

    def try_to_unsync(self, gfn: int, synchronizing: bool, prefetch: bool) -> bool:
        """mmu_try_to_unsync_pages(): whether L1's page may become writable; its last-level shadows go out of sync."""
        if self.is_write_tracked(gfn):
            return False
        for page in self.shadows.get(gfn, ()):
            if synchronizing or (prefetch and not page.unsync):
                return False
            page.unsync = True
        return True

    def mapping_level(self, gfn: int, level: int) -> int:
        """The largest page up to `level` that maps no shadowed table."""
        while level > PG_LEVEL_4K and (level, gfn >> 9 * (level - 1)) in self.split:
            level -= 1
        return level
