"""Words of hardware, bit by bit.

In: a paging-structure entry, an exit qualification, an error code. Out: the names of their bits.
Guarantee: every set bit is named or numbered; nothing here knows which controls make a bit count.
Trusted: no, checked by tests/unit/verifier/cli (walks as text).

Sources: SDM "Formats of EPTP and EPT Paging-Structure Entries", "Hierarchical Paging Structures: An Overview",
"Exit Qualification for EPT Violations", "Page-Fault Exceptions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

EPT_BITS: Mapping[int, str] = {
    0: "R", 1: "W", 2: "X", 6: "IPAT", 7: "PS", 8: "A", 9: "D",
    57: "VGP", 58: "PWA", 60: "SSS", 61: "SPP", 63: "SVE",
}  # fmt: skip
MODE_BASED_EPT_BITS: Mapping[int, str] = {**EPT_BITS, 2: "XS", 10: "XU"}
GUEST_BITS: Mapping[int, str] = {
    0: "P", 1: "R/W", 2: "U/S", 3: "PWT", 4: "PCD", 5: "A", 6: "D", 7: "PS", 8: "G", 63: "XD",
}  # fmt: skip
NO_BITS: Mapping[int, str] = {}

MEMORY_TYPES = ("UC", "WC", "type 2", "type 3", "WT", "WP", "WB", "type 7")
MEMORY_TYPE, ADDRESS = 7 << 3, (1 << 52) - (1 << 12)

QUALIFICATION_BITS = (
    "data read",
    "data write",
    "instruction fetch",
    "readable: AND of R",
    "writable: AND of W",
    "executable: AND of X",
    "user-executable: AND of XU",
    "guest-linear address valid",
    "access to the translation, no guest table",
    "user-mode linear address",
    "read/write page",
    "execute-disable page",
    "NMI unblocking due to IRET",
    "shadow-stack access",
    "supervisor shadow-stack page",
    "denied by guest-paging verification",
    "asynchronous to instruction execution",
)
MODE_BASED_QUALIFICATION_BITS = (*QUALIFICATION_BITS[:5], "supervisor-executable: AND of XS", *QUALIFICATION_BITS[6:])
SUB_PAGE_BITS: Mapping[int, str] = {
    11: "SPP miss, else misconfiguration",
    12: QUALIFICATION_BITS[12],
    16: QUALIFICATION_BITS[16],
}

ERROR_CODE_BITS: Mapping[int, tuple[str, str]] = {
    0: ("P", "a right or a reserved bit, not a missing page"),
    1: ("W/R", "a write"),
    2: ("U/S", "a user-mode access"),
    3: ("RSVD", "a reserved bit is set"),
    4: ("I/D", "an instruction fetch"),
    5: ("PK", "a protection key"),
    6: ("SS", "a shadow-stack access"),
    7: ("HLAT", "during HLAT paging"),
    15: ("SGX", "specific to SGX"),
}


def numbers(word: int) -> Iterator[int]:
    """The positions of the set bits, from 0 up."""
    return (position for position in range(word.bit_length()) if word >> position & 1)


def entry_bits(stage: str, entry: int, mode_based: bool) -> str:
    """The set bits of the entry that a stage ("EPT PDE", "guest PTE", "SPPT L4E") read: "R W XU bit 52 0x1000"."""
    ept, guest = stage.startswith("EPT"), stage.startswith("guest")
    names = (MODE_BASED_EPT_BITS if mode_based else EPT_BITS) if ept else GUEST_BITS if guest else NO_BITS
    flags = entry & ~(MEMORY_TYPE | ADDRESS) if ept else entry & ~ADDRESS
    words = [names.get(position, f"bit {position}") for position in numbers(flags)]
    if ept and entry & MEMORY_TYPE:
        words.append(MEMORY_TYPES[entry >> 3 & 7])
    if entry & ADDRESS:
        words.append(hex(entry & ADDRESS))
    return " ".join(words) or "all bits 0"


def qualification_bits(qualification: int, defined: int, names: Mapping[int, str]) -> Iterator[str]:
    """One phrase for each named bit: its number, its value ("?" if undefined), its name."""
    for position, name in names.items():
        value = str(qualification >> position & 1) if defined >> position & 1 else "?"
        yield f"{position:>2}  {value}  {name}" + ("" if value != "?" else " (undefined)")


def error_code_bits(code: int) -> Iterator[str]:
    """One phrase for each bit of a page-fault error code that is 1, and "P" in any case."""
    for position, (name, meaning) in ERROR_CODE_BITS.items():
        if code >> position & 1:
            yield f"{position:>2}  1  {name:<4}  {meaning}"
        elif position == 0:
            yield f"{position:>2}  0  {name:<4}  the page is not present"
