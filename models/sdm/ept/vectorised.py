"""In: columns of EPT entries, a configuration, an access. Out: for each column what the walk decides.

Guarantee: the same decision as `walk.translate`, written a second time by hand for NumPy arrays; nothing is
derived from the scalar rules. The one module that needs NumPy.
Trusted: no, checked by tests/unit/models (against the scalar walk, exhaustively over the permission core).

Source: as walk.py, access.py and violation.py.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.sdm.ept.access import EptAccess
from models.sdm.ept.entry import EptConfiguration, EptLevel

ALLOWED: Final = 0
VIOLATION: Final = 1
MISCONFIGURATION: Final = 2

# No np.where and no masked copy below: on random masks they take ten times as long as arithmetic with masks.
ALL_BITS = np.uint16(0xFFFF)
_BLOCK = 1 << 15  # columns that stay in the cache together

Words = NDArray[np.uint64]
Low = NDArray[np.uint16]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Decisions:
    """One element a column.

    `outcome` is ALLOWED, VIOLATION or MISCONFIGURATION. `level` (5 to 1) is that of the deciding entry: the
    one where the walk stopped, or the one that maps the page. `qualification` and its mask `defined` are
    those of an EPT violation, and 0 elsewhere; the bits that the circumstances of the access decide (12 and
    16) are left out of both.
    """

    outcome: NDArray[np.uint8]
    level: NDArray[np.uint8]
    qualification: NDArray[np.uint32]
    defined: NDArray[np.uint32]


def decide(configuration: EptConfiguration, access: EptAccess, entries: Words) -> Decisions:
    """Decides one walk a column of `entries`, an array of shape (levels, columns) with the root's row first.

    Fewer rows than the walk has levels are its last ones, as if all entries above granted every right. Rows
    below an entry that maps a page are not looked at. Raises ValueError for another shape, and where more
    than the entries decides: sub-page write permissions, guest-paging verification.
    """
    if entries.ndim != 2 or not 1 <= len(entries) <= len(configuration.levels):
        raise ValueError(f"expected 1 to {len(configuration.levels)} rows of entries")
    if access.unverified or (configuration.sub_page_write and access.sub_page_eligible):
        raise ValueError("the entries alone do not decide this access")
    levels = configuration.levels[-len(entries) :]
    columns: int = entries.shape[1]
    outcome, level = np.empty(columns, np.uint8), np.empty(columns, np.uint8)
    qualification, defined = np.empty(columns, np.uint32), np.empty(columns, np.uint32)
    for start in range(0, columns, _BLOCK):
        block = slice(start, start + _BLOCK)
        walks = _walk(configuration, levels, entries[:, block])
        denied: Flags = walks.not_present | (walks.reached & _lacks_rights(configuration, access, walks))
        outcome[block] = VIOLATION * denied + MISCONFIGURATION * walks.misconfigured
        level[block] = walks.level
        qualification[block], defined[block] = _qualification(configuration, access, walks, denied)
    return Decisions(outcome, level, qualification, defined)


@dataclass(frozen=True, slots=True)
class _Row:
    """What the entries of one level say, each taken by itself; `low` are their bits 15:0."""

    low: Low
    present: Flags
    page: Flags
    misconfigured: Flags


@dataclass(frozen=True, slots=True)
class _Walks:
    """How the walks of one block end: at `level`, in exactly one of the three ways.

    `above` and `page` are bits 15:0 of the AND of the entries that reference a table and of the entry that
    maps the page, `page_high` bits 63:56 of the latter; they mean something only where `reached` holds.
    """

    not_present: Flags
    misconfigured: Flags
    reached: Flags
    level: NDArray[np.uint8]
    above: Low
    page: Low
    page_high: NDArray[np.uint8]


def _read_row(configuration: EptConfiguration, level: EptLevel, entries: Words) -> _Row:
    low = entries.astype(np.uint16)
    unreadable: Flags = low & 1 == 0
    match level.number:
        case 1:
            page: Flags = np.ones(len(entries), np.bool_)
        case 2 | 3 if level.page_mask:
            page = low & 0x80 != 0
        case _:
            page = np.zeros(len(entries), np.bool_)
    table: Flags = np.logical_not(page)
    memory_type = low & 0x38
    bad_type: Flags = (memory_type == 2 << 3) | (memory_type == 3 << 3) | (memory_type == 7 << 3)
    misconfigured: Flags = (page & bad_type) | (table & (low & 0xF8 != 0))
    misconfigured |= (low & 3 == 2) if configuration.execute_only else unreadable
    beyond = (1 << 52) - (1 << configuration.maxphyaddr)
    offset = (1 << 3 + 9 * level.number) - (1 << 12)
    paging_write = 1 << 58 if configuration.paging_write_control else 0
    if int(np.bitwise_or.reduce(entries)) & (beyond | offset | paging_write):  # else no entry has such a bit
        misconfigured |= entries & np.uint64(beyond) != 0
        misconfigured |= page & (entries & np.uint64(offset) != 0)
        misconfigured |= page & unreadable & (entries & np.uint64(paging_write) != 0)
    present: Flags = low & (0x407 if configuration.mode_based else 0x007) != 0
    return _Row(low, present, page, misconfigured)


def _walk(configuration: EptConfiguration, levels: tuple[EptLevel, ...], entries: Words) -> _Walks:
    columns: int = entries.shape[1]
    going: Flags = np.ones(columns, np.bool_)
    not_present, misconfigured, reached = (np.zeros(columns, np.bool_) for _ in range(3))
    level = np.full(columns, levels[0].number + 1, np.uint8)
    above = np.full(columns, ALL_BITS, np.uint16)
    page = np.zeros(columns, np.uint16)
    page_high = np.zeros(columns, np.uint8)
    for index, one_level in enumerate(levels):
        column_entries: Words = entries[index]
        row = _read_row(configuration, one_level, column_entries)
        level -= going
        not_present |= going & np.logical_not(row.present)
        going &= row.present
        misconfigured |= going & row.misconfigured
        going &= np.logical_not(row.misconfigured)
        maps_page: Flags = going & row.page
        reached |= maps_page
        page |= row.low * maps_page
        page_high |= (column_entries >> np.uint64(56)).astype(np.uint8) * maps_page
        going &= np.logical_not(row.page)
        above &= row.low | np.logical_not(going) * ALL_BITS
    return _Walks(not_present, misconfigured, reached, level, above, page, page_high)


def _lacks_rights(configuration: EptConfiguration, access: EptAccess, walks: _Walks) -> Flags:
    """Where the entries do not grant what the access needs."""
    every = walks.above & walks.page
    if access.supervisor_shadow_stack:
        marked: Flags = walks.page_high & 1 << 60 - 56 != 0
        granted: Flags = (every & 1 != 0) & (walks.above & 2 != 0) & marked
        return np.logical_not(granted)
    lacks: Flags = every & access.required != access.required
    if access.paging_write and configuration.paging_write_control:
        others = access.required & ~2
        paging_writable: Flags = (walks.above & 2 != 0) & (walks.page_high & 1 << 58 - 56 != 0)
        lacks &= np.logical_not(paging_writable & (every & others == others))
    return lacks


def _qualification(configuration: EptConfiguration, access: EptAccess, walks: _Walks, denied: Flags) -> tuple[Low, Low]:
    """Bits 15:0 of the exit qualification where the access is denied, and the mask of its defined bits."""
    always = 0xA1BF & ~access.undefined
    if configuration.mode_based:
        always |= 0x0040
    if configuration.advanced_information and access.qualification & 0x0180 == 0x0180:
        always |= 0x0E00
    every = walks.above & walks.page
    rights = (every & np.uint16(7)) << np.uint16(3)
    if configuration.mode_based:
        rights |= every >> np.uint16(4) & np.uint16(0x0040)
    defined = np.full(len(denied), always, np.uint16)
    if configuration.supervisor_shadow_stack:
        rights |= (walks.page_high & np.uint16(1 << 60 - 56)) << np.uint16(14 - (60 - 56))
        defined |= np.uint16(0x4000) * walks.reached
    known = rights * walks.reached | np.uint16(access.qualification & always)
    return known * denied, defined * denied
