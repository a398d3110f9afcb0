"""In: the EPT entry that maps a page, the PAT's memory type, CR0.CD. Out: the effective memory type.

Guarantee: the result is UC, WC, WT, WP or WB; it never influences whether an access is allowed.
Trusted: no, checked by tests/tables (memory types).

Source: SDM "Memory Type Used for Translated Guest-Physical Addresses" and "Effective Page-Level Memory
Types for Pentium III and More Recent Processor Families", with the EPT type in the role of the MTRR's.
"""

from models.sdm.ept.entry import EPT_TYPE_SHIFT, IGNORE_PAT
from models.sdm.outcome import MemoryType

UC_MINUS = 7
WRITE_BACK = 6

NAMES: dict[int, MemoryType] = {0: "UC", 1: "WC", 4: "WT", 5: "WP", 6: "WB"}

# COMBINED[EPT type][PAT type]; the PAT types are UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7.
COMBINED: dict[int, dict[int, MemoryType]] = {
    0: {0: "UC", UC_MINUS: "UC", 1: "WC", 4: "UC", 5: "UC", 6: "UC"},
    1: {0: "UC", UC_MINUS: "WC", 1: "WC", 4: "UC", 5: "UC", 6: "WC"},
    4: {0: "UC", UC_MINUS: "UC", 1: "WC", 4: "WT", 5: "WP", 6: "WT"},
    5: {0: "UC", UC_MINUS: "WC", 1: "WC", 4: "WT", 5: "WP", 6: "WP"},
    6: {0: "UC", UC_MINUS: "UC", 1: "WC", 4: "WT", 5: "WP", 6: "WB"},
}


def effective_memory_type(entry: int, pat_type: int, cache_disabled: bool) -> MemoryType:
    """The type of an access through the page-mapping `entry`; `pat_type` is an encoding of the PAT."""
    if cache_disabled:
        return "UC"
    ept_type = entry >> EPT_TYPE_SHIFT & 7
    return NAMES[ept_type] if entry & IGNORE_PAT else COMBINED[ept_type][pat_type]
