"""Random walks.

In: a random number generator. Out: `Walk`s.
Guarantee: the same generator state gives the same walks. An entry may get every permission and every kind of reserved
and ignored bit, but most are well-formed, so that walks get deep. Bit 7 (PS) is set where a page ends the walk.
Trusted: no, checked by test_comparison.py: the walks end in every way there is.
"""

from collections.abc import Iterator
from random import Random

from . import walk as w
from .case import Access
from .walk import Paging, Walk

EPT_PERMISSIONS = [low | xu << 10 for low in (*range(8), 0, 1, 1, 3, 3, 4, 5, 5) for xu in (0, 1)]  # W needs R: fewer
EPT_UPPER_BITS = (8, 9, 11, 40, 45, 51, 52, 57, 58, 59, 60, 61, 62, 63)
GUEST_BITS = (3, 4, 8, 9, 10, 11, 40, 45, 51, 52, 58, 59, 62)
BAD_PDPTES = (0, w.P | 1 << 1, w.P | 1 << 2, w.P | 0x18, w.P | 1 << 5, w.P | 1 << 40)
BAD_SPP_ENTRIES = (0, 1 << 5, 1 | 1 << 5, 1 | 1 << 40, 1 | 1 << 52)
EVERY_SUB_PAGE = 0x5555_5555_5555_5555
DATA = (Access.READ, Access.WRITE, Access.RMW)
KINDS = (*DATA, Access.FETCH, Access.FETCH)
LOW_ADDRESSES = tuple(0x0123_4560 + 0x0358_2F08 * number for number in range(16))  # of 30 bits, multiples of 8


def walks(random: Random, count: int) -> Iterator[Walk]:
    """`count` random walks."""
    for _ in range(count):
        paging = random.choice(list(Paging))
        if paging is Paging.PAE and random.random() < 0.1:
            yield _pdpte_load(random)
        else:
            yield _walk(random, paging)


def _walk(random: Random, paging: Paging) -> Walk:
    depth = _depth(random, paging)
    guest = tuple(_guest_entry(random, paging, number, depth) for number in range(depth))
    tables = depth - (1 if paging is Paging.PAE else 0)
    secondary = _secondary(random, paging)
    return Walk(
        paging,
        random.choice(KINDS),
        _linear_address(random, paging),
        guest,
        (*(_ept_chain(random, 0.06) for _ in range(tables)), _page_chain(random, secondary)),
        (_pml4e(random), _pml4e(random)),
        w.EPT_ROOT | 3 << 3 | random.choice((6, 6, 0)) | w.EPT_AD * random.randrange(2),
        secondary=secondary,
        cpl=random.choice((0, 3)),
        wp=random.random() < 0.6,
        cr4=_some(random, 0.5, w.CR4_SMEP, w.CR4_SMAP) | _some(random, 0.8, w.CR4_PSE),
        nxe=random.random() < 0.7,
        ac=random.random() < 0.3,
        cr3=0 if paging is Paging.NONE else _some(random, 0.1, 1 << 3, 1 << 4),
        spp=_spp(random),
        ve_busy=random.random() < 0.1,
    )


def _pdpte_load(random: Random) -> Walk:
    entries = [w.P | _some(random, 0.05, *(1 << bit for bit in (1, 2, 3, 5, 8, 9, 11, 40, 63))) for _ in range(3)]
    return Walk(
        Paging.PAE,
        Access.LOAD_PDPTES,
        3 << 30 | 0x8_3000 | random.randrange(128) << 5,
        tuple(entry if random.random() < 0.9 else entry & ~w.P for entry in entries),
        (_ept_chain(random, 0.25),),
        (_pml4e(random), w.EPT_TABLE),
        w.EPT_ROOT | 3 << 3 | 6 | w.EPT_AD * random.randrange(2),
        secondary=_secondary(random, Paging.NONE),
    )


def _some(random: Random, chance: float, *bits: int) -> int:
    """Each of these bits with this chance."""
    return sum(bit for bit in bits if random.random() < chance)


def _depth(random: Random, paging: Paging) -> int:
    """How many guest entries the walk has: fewer for a large page."""
    match paging:
        case Paging.NONE:
            return 0
        case Paging.BITS32 | Paging.PAE:
            return paging.value - (random.random() < 0.3)
        case Paging.LEVEL4 | Paging.LEVEL5:
            return paging.value - random.choice((0, 0, 0, 1, 2))


def _linear_address(random: Random, paging: Paging) -> int:
    low = random.choice(LOW_ADDRESSES) + (random.randrange(3) << 30)  # the fourth GByte is the code's
    if paging.value < 4:
        return low
    top = 39 if paging is Paging.LEVEL4 else 48
    index = random.choice((0, 2, 3, 0x55, 0xFF, 0x100, 0x1AB, 0x1FF))  # entry 1 of the top table is the code's
    address = index << top | random.getrandbits(top - 32) << 32 | low
    return address | (-1 << top + 9 if index > 0xFF else 0) & (1 << 64) - 1


def _guest_entry(random: Random, paging: Paging, number: int, depth: int) -> int:
    if paging is Paging.PAE and number == 0:
        return random.choice(BAD_PDPTES) if random.random() < 0.03 else w.P
    entry = 0 if random.random() < 0.03 else w.P
    entry |= _some(random, 0.75, w.RW) | _some(random, 0.6, w.US) | _some(random, 0.5, w.ACCESSED, w.DIRTY)
    if random.random() < 0.1:
        entry |= 1 << random.choice(GUEST_BITS)
    if number == depth - 1 and depth < paging.value:
        entry |= w.PS | _some(random, 0.05, 1 << 12, 1 << 13)
    elif number == 0 and paging.value >= 4:
        entry |= _some(random, 0.02, w.PS)
    return entry & 0xFFFF_FFFF if paging is Paging.BITS32 else entry | _some(random, 0.1, w.XD)


def _ept_permissions(random: Random, chance: float) -> int:
    return random.choice(EPT_PERMISSIONS) if random.random() < chance else w.EPT_TABLE


def _ept_chain(random: Random, chance: float) -> tuple[int, ...]:
    """The EPT entries below the PML4E for one guest-physical page; with this chance an entry is not plain."""
    if random.random() < 0.4:
        return w.EPT_TABLE, w.EPT_TABLE, w.EPT_LEAF
    length = random.choice((3, 3, 2, 1))
    chain = [_ept_permissions(random, chance) for _ in range(length)]
    for number in range(length - 1):
        chain[number] |= _some(random, chance / 16, 1 << 3, 1 << 4, 1 << 5, 1 << 6)
    chain[-1] |= (random.randrange(8) if random.random() < chance / 2 else 6) << 3 | _some(random, 0.2, 1 << 6)
    if length < 3:
        chain[-1] |= w.PS | _some(random, chance / 8, 1 << 12, 1 << 13, 1 << 20)
    chain[random.randrange(length)] |= _some(random, chance, 1 << random.choice(EPT_UPPER_BITS))
    return tuple(chain)


def _page_chain(random: Random, secondary: int) -> tuple[int, ...]:
    """The same for the page itself. With SPP it often is a page whose writes the SPP entries decide."""
    if secondary & w.SPP and random.random() < 0.5:
        return w.EPT_TABLE, w.EPT_TABLE, w.EPT_LEAF & ~_some(random, 0.9, w.W) & ~_some(random, 0.1, w.R) | 1 << 61
    return _ept_chain(random, 0.25)


def _pml4e(random: Random) -> int:
    return _ept_permissions(random, 0.05) | _some(random, 0.003, *(1 << bit for bit in (3, 5, 7, 8, 9, 40, 51, 63)))


def _secondary(random: Random, paging: Paging) -> int:
    """Secondary controls; a few make VM entry fail."""
    if paging is not Paging.NONE and paging is not Paging.BITS32 and random.random() < 0.03:
        return _some(random, 0.1, w.UNRESTRICTED, w.MBE, w.SPP)
    return w.EPT | _some(random, 0.98, w.UNRESTRICTED) | _some(random, 0.5, w.MBE) | _some(random, 0.15, w.VE, w.SPP)


def _spp(random: Random) -> tuple[int, int, int, int]:
    first, second, third = (random.choice(BAD_SPP_ENTRIES) if random.random() < 0.1 else 1 for _ in range(3))
    return first, second, third, random.choice((0, EVERY_SUB_PAGE, random.getrandbits(64) & EVERY_SUB_PAGE, 1 << 63))
