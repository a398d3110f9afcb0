"""Walks chosen by hand, one family for each rule.

In: nothing. Out: families of `Walk`s by name.
Guarantee: a family varies what its rule depends on exhaustively, and leaves everything else plain.
Trusted: no; test_comparison.py compares each family.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import TypeVar

from . import walk as w
from .case import Access
from .walk import Paging, Walk, plain

Item = TypeVar("Item")

PERMISSIONS = [r | xu << 10 for r in range(8) for xu in (0, 1)]
TABLE_MODES = (Paging.BITS32, Paging.PAE, Paging.LEVEL4, Paging.LEVEL5)
KINDS = (Access.READ, Access.WRITE, Access.RMW, Access.FETCH)
LEAVES = ((w.EPT_TABLE, w.EPT_TABLE, w.EPT_LEAF), (w.EPT_TABLE, w.EPT_LARGE), (w.EPT_LARGE,))
NO_MBE = w.EPT | w.UNRESTRICTED
EPT_MODES = (NO_MBE, NO_MBE | w.MBE)
ACCESSED_DIRTY = (w.EPT_ROOT | 3 << 3 | 6, w.EPT_ROOT | 3 << 3 | 6 | w.EPT_AD)
FLAGS = (0, w.ACCESSED, w.ACCESSED | w.DIRTY)
BOTH = (False, True)


def put(items: tuple[Item, ...], number: int, item: Item) -> tuple[Item, ...]:
    """The items with one of them changed; negative numbers count from the end."""
    changed = list(items)
    changed[number] = item
    return tuple(changed)


def with_page(walk: Walk, chain: tuple[int, ...]) -> Walk:
    """The walk with these EPT entries for its final page."""
    return replace(walk, ept=put(walk.ept, -1, chain))


def guest_table_permissions() -> Iterator[Walk]:
    """Each EPT permission for each guest paging structure, with guest flags clear and set, EPT A/D off and on."""
    for paging, kind, flags, eptp in product(TABLE_MODES, KINDS, FLAGS, ACCESSED_DIRTY):
        walk = replace(plain(paging, kind), eptp=eptp)
        first = 1 if paging is Paging.PAE else 0
        walk = replace(walk, guest=(*walk.guest[:first], *(entry | flags for entry in walk.guest[first:])))
        for page, bits in product(range(len(walk.ept) - 1), PERMISSIONS):
            yield replace(walk, ept=put(walk.ept, page, (w.EPT_TABLE, w.EPT_TABLE, bits | 6 << 3)))


def page_permissions() -> Iterator[Walk]:
    """Each EPT permission at each level of the final page, for every access, leaf size and mode."""
    for paging, kind, cpl, secondary, leaf in product((Paging.NONE, Paging.LEVEL4), KINDS, (0, 3), EPT_MODES, LEAVES):
        walk = replace(plain(paging, kind, cpl), secondary=secondary)
        for level, bits in product(range(len(leaf)), PERMISSIONS):
            entry = leaf[level] & ~w.EPT_TABLE | bits
            yield with_page(walk, put(leaf, level, entry))
        yield from (replace(with_page(walk, leaf), pml4es=(w.EPT_TABLE, bits)) for bits in PERMISSIONS)


def page_modes() -> Iterator[Walk]:
    """U/S at each level against XS and XU, CPL and SMEP: the page's mode governs a fetch, not the CPL."""
    for paging, cpl, smep, secondary in product(TABLE_MODES, (0, 3), (0, w.CR4_SMEP), EPT_MODES):
        walk = replace(plain(paging, Access.FETCH, cpl), cr4=smep, secondary=secondary)
        first = 1 if paging is Paging.PAE else 0
        for modes in product((0, w.US), repeat=len(walk.guest) - first):
            guest = (*walk.guest[:first], *(w.P | w.RW | mode for mode in modes))
            for bits in (w.R, w.R | w.X, w.R | w.XU, w.R | w.X | w.XU):
                yield with_page(replace(walk, guest=guest), (w.EPT_TABLE, w.EPT_TABLE, bits | 6 << 3))


def page_faults_and_ept() -> Iterator[Walk]:
    """A guest fault at each level, against each EPT denial of each page of the walk: which comes first?

    The faults: not present, reserved bit, supervisor and read-only, execute-disable.
    """
    faults = (0, w.P | 1 << 45, w.P, w.P | w.RW | w.XD)
    denials = (w.EPT_LEAF, 6 << 3, w.W | 6 << 3, w.X | w.XU | 6 << 3, w.R | 6 << 3)
    for kind, cpl, eptp in product(KINDS, (0, 3), ACCESSED_DIRTY):
        walk = replace(plain(Paging.LEVEL4, kind, cpl), eptp=eptp)
        for level, fault, page, denial in product(range(4), faults, range(5), denials):
            chain = (w.EPT_TABLE, w.EPT_TABLE, denial)
            yield replace(walk, guest=put(walk.guest, level, fault), ept=put(walk.ept, page, chain))


def guest_rights() -> Iterator[Walk]:
    """WP, SMEP, SMAP, AC, NXE and XD against U/S and R/W of the page, in every mode."""
    features = (0, w.CR4_SMEP, w.CR4_SMAP, w.CR4_SMEP | w.CR4_SMAP)
    for paging, kind, cpl, cr4 in product(TABLE_MODES, KINDS, (0, 3), features):
        walk = replace(plain(paging, kind, cpl), cr4=cr4)
        bits = product((0, w.RW), (0, w.US), (0, w.XD), BOTH, BOTH, BOTH)
        for rw, us, xd, wp, ac, nxe in bits:
            if xd and paging is Paging.BITS32:
                continue
            first = 1 if paging is Paging.PAE else 0
            tables = (*walk.guest[:first], *(w.P | w.RW | w.US for _ in walk.guest[first:-1]))
            yield replace(walk, guest=(*tables, w.P | rw | us | xd), wp=wp, ac=ac, nxe=nxe)


def guest_large_pages() -> Iterator[Walk]:
    """Large guest pages on every EPT leaf size, with their lowest and highest reserved bits and their flags."""
    reserved = {(Paging.BITS32, 1): (21,), (Paging.LEVEL4, 2): (13, 29), (Paging.LEVEL5, 2): (13, 29)}
    for paging, kind, leaf, pse in product(TABLE_MODES, KINDS, LEAVES, (0, w.CR4_PSE)):
        walk = with_page(replace(plain(paging, kind), cr4=pse), leaf)
        for fewer in (1, 2) if paging.value >= 4 else (1,):
            bits = [1 << bit for bit in reserved.get((paging, fewer), (13, 20))]
            for more in (0, 1 << 12, w.ACCESSED, w.ACCESSED | w.DIRTY, *bits):
                guest = (*walk.guest[: -fewer - 1], w.P | w.RW | w.PS | more)
                yield replace(walk, guest=guest, ept=walk.ept[fewer:])


def ept_bits() -> Iterator[Walk]:
    """Each bit of each EPT entry flipped, for each leaf size; address bits too, since the access is a read."""
    for secondary, eptp, leaf in product((*EPT_MODES, NO_MBE | w.SPP), ACCESSED_DIRTY, LEAVES):
        walk = with_page(replace(plain(Paging.LEVEL4, Access.READ), secondary=secondary, eptp=eptp), leaf)
        for level, bit in product(range(len(leaf)), range(64)):
            yield with_page(walk, put(leaf, level, leaf[level] ^ 1 << bit))
        yield from (replace(walk, pml4es=(w.EPT_TABLE, w.EPT_TABLE ^ 1 << bit)) for bit in range(64))


def guest_bits() -> Iterator[Walk]:
    """Each bit of each guest entry flipped, for each page size, with and without NXE."""
    for paging, nxe, eptp in product(TABLE_MODES, BOTH, ACCESSED_DIRTY):
        walk = replace(plain(paging, Access.READ), nxe=nxe, eptp=eptp, cr4=w.CR4_PSE)
        sizes = [walk]
        for fewer in range(1, 3 if paging.value >= 4 else 2):
            large = (*walk.guest[: -fewer - 1], walk.guest[-1] | w.PS)
            sizes.append(replace(walk, guest=large, ept=walk.ept[fewer:]))
        for one, bit in product(sizes, range(32 if paging is Paging.BITS32 else 64)):
            for level, entry in enumerate(one.guest):
                yield replace(one, guest=put(one.guest, level, entry ^ 1 << bit))


def memory_types() -> Iterator[Walk]:
    """Each memory type in each leaf size, with and without IPAT, and in the EPTP."""
    for kind, leaf, memory_type, ipat in product(KINDS, LEAVES, range(8), (0, 1 << 6)):
        entry = leaf[-1] & ~(7 << 3) | memory_type << 3 | ipat
        yield with_page(plain(Paging.LEVEL4, kind), put(leaf, -1, entry))


def no_paging() -> Iterator[Walk]:
    """CR0.PG = 0: the linear address is the guest-physical address, user-mode whatever the CPL."""
    for kind, cpl, secondary, eptp, bits in product(KINDS, (0, 3), EPT_MODES, ACCESSED_DIRTY, PERMISSIONS):
        walk = replace(plain(Paging.NONE, kind, cpl), secondary=secondary, eptp=eptp, cr4=w.CR4_SMEP | w.CR4_SMAP)
        for leaf in LEAVES:
            yield with_page(walk, put(leaf, -1, leaf[-1] & ~w.EPT_TABLE | bits))


def vm_entry() -> Iterator[Walk]:
    """Controls, EPTPs and guest state that VM entry checks."""
    for paging in (Paging.PAE, Paging.LEVEL4, Paging.LEVEL5):
        walk = plain(paging, Access.READ)
        for primary, bits in product((w.MUST_BE_ONE, w.MUST_BE_ONE | w.USE_SECONDARY), product(BOTH, repeat=5)):
            controls = zip(bits, (w.EPT, w.UNRESTRICTED, w.MBE, w.VE, w.SPP), strict=True)
            yield replace(walk, primary=primary, secondary=sum(bit for chosen, bit in controls if chosen))
        yield from (replace(walk, primary=walk.primary & ~(1 << bit)) for bit in range(31) if w.MUST_BE_ONE >> bit & 1)
        yield from (replace(walk, eptp=w.EPT_ROOT | low) for low in range(0x100))
        yield from (replace(walk, eptp=walk.eptp | 1 << bit) for bit in (*range(7, 12), *range(40, 64)))
        yield from (replace(walk, cr3=1 << bit) for bit in (*range(12), *range(40, 63)))
        yield from (replace(walk, cr4=cr4) for cr4 in (1 << 17, w.CR4_PSE, w.CR4_SMEP | w.CR4_SMAP))
        yield from (replace(walk, primary=walk.primary | 1 << 17, tertiary=bit) for bit in (0, 1 << 2, 1 << 3))
        yield replace(walk, primary=w.MUST_BE_ONE, secondary=0xFFFF_FFFF, tertiary=1 << 2)
        for control, bit in product((0, w.VE, w.SPP), (0, 11, 12, 39, 40, 63)):
            more = replace(walk, secondary=walk.secondary | control)
            yield from (replace(more, ve_area=w.VE_AREA ^ 1 << bit), replace(more, sppt=w.SPP_TABLES ^ 1 << bit))
    yield from (
        replace(plain(Paging.BITS32, Access.READ), cr3=1 << bit) for bit in range(64) if bit not in range(12, 32)
    )
    for kind, cpl in product(KINDS, (0, 3)):
        yield replace(plain(Paging.NONE, kind, cpl), secondary=w.EPT | w.MBE)
    for index, bit in product((0, 1), range(64)):
        walk = plain(Paging.PAE, Access.READ)
        walk = replace(walk, linear_address=walk.linear_address | index << 30)
        yield replace(walk, guest=put(walk.guest, 0, walk.guest[0] ^ 1 << bit))


def without_ept() -> Iterator[Walk]:
    """EPT off: guest paging alone, on host-physical memory."""
    for paging, kind, cpl in product((Paging.PAE, Paging.LEVEL4, Paging.LEVEL5), KINDS, (0, 3)):
        walk = replace(plain(paging, kind, cpl), secondary=0)
        for level, entry in enumerate(walk.guest):
            for bits in (0, w.P, w.P | w.RW, w.P | w.US, w.P | w.RW | w.US | w.ACCESSED, entry | 1 << 45, entry | w.XD):
                yield replace(walk, guest=put(walk.guest, level, bits))


def virtualization_exceptions() -> Iterator[Walk]:
    """#VE: bit 63 of each EPT entry of each page of the walk, present or not, with a free and a busy area."""
    suppress = 1 << 63
    for paging, kind, secondary, busy in product((Paging.NONE, Paging.BITS32), KINDS, EPT_MODES, BOTH):
        walk = replace(plain(paging, kind), secondary=secondary | w.VE, ve_busy=busy)
        for page, leaf, eptp in product(range(len(walk.ept)), LEAVES, ACCESSED_DIRTY):
            for level, bits in product(range(len(leaf)), (0, w.XU, w.R, w.R | w.W)):
                entry = leaf[level] & ~w.EPT_TABLE | bits
                for chain in (put(leaf, level, entry), put(leaf, level, entry | suppress)):
                    yield replace(walk, ept=put(walk.ept, page, chain), eptp=eptp)


def sub_page_permissions() -> Iterator[Walk]:
    """SPP: the sub-page's bit, misses and misconfigurations, for each permission of the page."""
    for kind, bits, selected in product(KINDS, PERMISSIONS, (0, 1 << 61)):
        walk = replace(plain(Paging.LEVEL4, kind), secondary=NO_MBE | w.MBE | w.SPP)
        walk = with_page(walk, (w.EPT_TABLE, w.EPT_TABLE, bits | 6 << 3 | selected))
        yield from (replace(walk, spp=(1, 1, 1, vector)) for vector in (0, 1, 2, 0x5555_5555_5555_5555))
        if kind is Access.WRITE and bits == w.R | w.X:
            yield from (replace(walk, spp=(1, 1, 1, 1 << bit)) for bit in range(64))
            for level, bit in product(range(3), range(64)):
                if bit not in range(12, 40):
                    yield replace(walk, spp=put((1, 1, 1, 0), level, 1 ^ 1 << bit))


def sub_page_eligibility() -> Iterator[Walk]:
    """SPP decides neither about guest paging structures nor about large pages, and nothing while it is off."""
    protected = w.EPT_LEAF & ~w.W | 1 << 61
    for kind, eptp, page, vector in product(KINDS, ACCESSED_DIRTY, range(4), (0, 0x5555_5555_5555_5555)):
        walk = replace(plain(Paging.LEVEL4, kind), secondary=NO_MBE | w.SPP, eptp=eptp, spp=(1, 1, 1, vector))
        yield replace(walk, ept=put(walk.ept, page, (w.EPT_TABLE, w.EPT_TABLE, protected)))
    for kind, secondary, leaf in product(KINDS, (NO_MBE, NO_MBE | w.SPP), LEAVES):
        walk = replace(plain(Paging.NONE, kind), secondary=secondary)
        yield with_page(walk, put(leaf, -1, leaf[-1] & ~w.W | 1 << 61))


def pdpte_loads() -> Iterator[Walk]:
    """MOV to CR3 under PAE paging: a plain read for EPT, then the reserved bits."""
    for eptp, secondary in product(ACCESSED_DIRTY, (*EPT_MODES, NO_MBE | w.MBE | w.VE)):
        walk = replace(plain(Paging.PAE, Access.LOAD_PDPTES), eptp=eptp, secondary=secondary)
        for leaf, bits in product(LEAVES, PERMISSIONS):
            yield with_page(walk, put(leaf, -1, leaf[-1] & ~w.EPT_TABLE | bits))
        for index, bit, present in product(range(3), range(64), (0, w.P)):
            yield replace(walk, guest=put(walk.guest, index, present ^ 1 << bit))


FAMILIES: dict[str, Callable[[], Iterable[Walk]]] = {
    family.__name__: family
    for family in (
        guest_table_permissions,
        page_permissions,
        page_modes,
        page_faults_and_ept,
        guest_rights,
        guest_large_pages,
        ept_bits,
        guest_bits,
        memory_types,
        no_paging,
        vm_entry,
        without_ept,
        virtualization_exceptions,
        sub_page_permissions,
        sub_page_eligibility,
        pdpte_loads,
    )
}
