"""A walk of the specifications as a scenario for the reference MMU.

In: the values of an `EptWalk`, an `EptAccess` and its `EptCircumstances` as dictionaries by field name.
Out: a slat-scenario-1 document whose memory holds exactly the entries that the walk reads.
Guarantee: what `Unrealisable` refuses no machine or no scenario can express; nothing else is changed but the address
bits that select entries, the root, and bits 63:52 of the guest-physical address, none of which decides anything.
Trusted: no, checked by tests/differential (specifications against reference MMU).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

Fields = dict[str, Any]

LEVELS = ("pml5e", "pml4e", "pdpte", "pde", "pte")
TABLE = (1 << 52) - (1 << 12)
WALK_LENGTH_4, WALK_LENGTH_5, WRITE_BACK, ACCESSED_DIRTY = 1 << 6, 1 << 7, 1 << 14, 1 << 21
ALWAYS_SUPPORTED = WALK_LENGTH_4 | WALK_LENGTH_5 | WRITE_BACK | ACCESSED_DIRTY | 1 << 23
CAPABILITIES = {"execute_only": 1 << 0, "page_2m": 1 << 16, "page_1g": 1 << 17, "advanced_exit_info": 1 << 22}
SECONDARY = {"ept_violation_ve": 1 << 18, "mbec": 1 << 22, "sub_page_write": 1 << 23}
TERTIARY = {"paging_write": 1 << 2, "guest_paging_verification": 1 << 3}
ENABLE_EPT, UNRESTRICTED_GUEST = 1 << 1, 1 << 7
ACTIVATE = 1 << 31 | 1 << 17
ALL_SUB_PAGES = 0x5555_5555_5555_5555
GUEST_64_BIT: Fields = {"cr0": 0x80050033, "cr3": 0, "cr4": 0x2020, "efer": 0xD00, "rflags": 2}
GUEST_REAL_MODE: Fields = {"cr0": 0x30, "cr3": 0, "cr4": 0x2000, "efer": 0, "rflags": 2}

KINDS: dict[str, Fields] = {
    "DATA_READ": {"kind": "read"},
    "DATA_WRITE": {"kind": "write"},
    "READ_MODIFY_WRITE": {"kind": "rmw"},
    "INSTRUCTION_FETCH": {"kind": "fetch"},
    "USER_SHADOW_STACK_READ": {"kind": "read", "shadow_stack": True},
    "USER_SHADOW_STACK_WRITE": {"kind": "write", "shadow_stack": True},
    "SUPERVISOR_SHADOW_STACK_READ": {"kind": "read", "shadow_stack": True},
    "SUPERVISOR_SHADOW_STACK_WRITE": {"kind": "write", "shadow_stack": True},
    "PAGING_ENTRY_READ": {"kind": "read", "paging_structure": True},
    "PAGING_FLAG_UPDATE": {"kind": "rmw", "paging_structure": True, "paging_write": True},
    "PDPTE_LOAD": {"kind": "read", "linear_address_valid": False},
    "TRACE_OR_PEBS_READ": {"kind": "read", "linear_address_valid": False},
    "TRACE_OR_PEBS_WRITE": {"kind": "write", "linear_address_valid": False},
}
CAUSES: dict[str, Fields] = {
    "INSTRUCTION": {},
    "EVENT_DELIVERY": {"event_delivery": True, "idt_vectoring_valid": True},
    "TRACE_OUTPUT": {"asynchronous": True},
    "PEBS": {"asynchronous": True},
    "USER_INTERRUPT": {"asynchronous": True},
}


class Unrealisable(Exception):  # noqa: N818  (no error: the walk is one that no memory can hold)
    """Why no scenario expresses the walk."""


class NeedsGuest(Unrealisable):
    """A scenario with a linear access may express it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One access through one walk: `used` names the levels that the walk reads, from the root down.

    `kind`, `cause` and `sub_page` are the names of enum members.
    """

    walk: Fields
    controls: Fields
    access: Fields
    linear: Fields
    around: Fields
    used: tuple[str, ...]
    kind: str
    cause: str
    sub_page: str


def scenario(at: Situation) -> Fields:
    """The document. Raises `Unrealisable`."""
    width = maxphyaddr(at.controls["beyond_maxphyaddr"])
    _refuse(at)
    memory, address = _tables(at, width)
    vmcs = _vmcs(at, width)
    add_areas(at.controls, vmcs, memory, address, at.sub_page)
    if at.controls["ept_violation_ve"]:
        memory[vmcs["ve_information_address"]] = at.around["in_use"] << 32
    return {
        "schema": "slat-scenario-1",
        "cpu": {"maxphyaddr": width, "ept_vpid_cap": hex(capabilities(at.controls))},
        "vmcs": {key: hex(value) for key, value in vmcs.items()},
        "guest": _guest(at),
        "memory": {hex(place): hex(word) for place, word in sorted(memory.items()) if word},
        "access": {**_access(at), "guest_physical_address": hex(address)},
    }


def maxphyaddr(beyond: int) -> int:
    """The width whose bits 51 and below, from it on, are `beyond`."""
    width = 52 - beyond.bit_count()
    if width < 32 or beyond != (1 << 52) - (1 << width):
        raise Unrealisable(f"{hex(beyond)} are no bits 51:MAXPHYADDR")
    return width


def _refuse(at: Situation) -> None:
    controls, around = at.controls, at.around
    if around["virtual_nmis"] and not around["nmi_exiting"]:
        raise Unrealisable("virtual NMIs without NMI exiting fail VM entry")
    if controls["ept_violation_ve"]:
        if around["prematurely_busy_shadow_stack"]:
            raise Unrealisable("prematurely busy shadow stacks are not modelled")
        if at.cause == "USER_INTERRUPT" or (at.kind.startswith("TRACE") and at.cause == "INSTRUCTION"):
            raise Unrealisable("an asynchronous access counts as one of Intel PT or PEBS")
    if controls["sub_page_write"] and (at.access["sub_page_excluded"] or at.kind == "TRACE_OR_PEBS_WRITE"):
        raise Unrealisable("writes that sub-page write permissions never concern are not modelled")
    verifying = controls["guest_paging_verification"] and controls["paging_write"]
    if verifying and not at.access["guest_paging_verified"]:
        raise NeedsGuest("guest-paging verification needs the guest's own walk")


def _tables(at: Situation, width: int) -> tuple[dict[int, int], int]:
    """The words of the tables, and the guest-physical address whose walk reads them.

    Where two levels would share a word, another index is taken at the lower one.
    """
    memory: dict[int, int] = {}
    address: int = at.walk["guest_physical"] & (1 << 52) - 1
    table = at.walk["root"] & TABLE & (1 << width) - 1
    for name in at.used:
        shift = 39 - 9 * (LEVELS.index(name) - 1)
        index = address >> shift & 0x1FF
        limit = 16 if name == "pml5e" else 512
        choices = [index, *range(limit)]
        index = next(i for i in choices if table | i << 3 not in memory)
        address = address & ~(0x1FF << shift) | index << shift
        memory[table | index << 3] = at.walk[name]
        table = at.walk[name] & TABLE
    return memory, address


def add_areas(controls: Fields, vmcs: dict[str, int], memory: dict[int, int], address: int, answer: str) -> None:
    """What #VE and sub-page write permissions need in memory: the latter give this answer for `address`."""
    free = _free_pages(memory, maxphyaddr(controls["beyond_maxphyaddr"]))
    if controls["ept_violation_ve"]:
        vmcs["ve_information_address"] = area = next(free)
        memory[area] = 0
    if controls["sub_page_write"]:
        vmcs["sppt_pointer"] = root = next(free)
        _sub_page_table(memory, address, chain([root], free), answer)


def _free_pages(memory: dict[int, int], width: int) -> Iterator[int]:
    """Pages without a word of the tables."""
    taken = {place & TABLE for place in memory}
    return (page for page in range(1 << 12, 1 << width, 1 << 12) if page not in taken)


def _sub_page_table(memory: dict[int, int], address: int, pages: Iterator[int], answer: str) -> None:
    """Writes a sub-page permission table with this answer for `address`; its root is the next of `pages`."""
    words = {"SUB_PAGE_WRITABLE": ALL_SUB_PAGES, "SUB_PAGE_NOT_WRITABLE": 0}
    table = next(pages)
    for shift in (36, 27, 18):
        place = table | address >> shift & 0xFF8
        if answer not in words:
            memory[place] = 0 if answer == "SUB_PAGE_MISS" else 0b11  # bit 0 is valid, bit 1 reserved
            return
        table = next(pages)
        memory[place] = table | 1
    memory[table | address >> 9 & 0xFF8] = words[answer]


def _vmcs(at: Situation, width: int) -> dict[str, int]:
    vmcs = vmcs_fields(at.controls, at.walk["root"] & TABLE & (1 << width) - 1)
    vmcs["secondary_controls"] |= 0 if _protected(at) else UNRESTRICTED_GUEST
    return vmcs | {
        "pin_controls": at.around["nmi_exiting"] << 3 | at.around["virtual_nmis"] << 5,
        "exception_bitmap": at.around["exception_bitmap"],
    }


def vmcs_fields(controls: Fields, root: int) -> dict[str, int]:
    """The VMCS with these controls of EPT."""
    eptp = root | 6 | (4 if controls["five_level"] else 3) << 3
    eptp |= controls["accessed_dirty"] << 6 | controls["supervisor_shadow_stack"] << 7
    return {
        "eptp": eptp,
        "primary_controls": ACTIVATE,
        "secondary_controls": ENABLE_EPT | _mask(controls, SECONDARY),
        "tertiary_controls": _mask(controls, TERTIARY),
    }


def capabilities(controls: Fields) -> int:
    """IA32_VMX_EPT_VPID_CAP of a processor with what the controls need."""
    return ALWAYS_SUPPORTED | _mask(controls, CAPABILITIES)


def _mask(controls: Fields, bits: dict[str, int]) -> int:
    return sum(bit for name, bit in bits.items() if controls[name])


def _protected(at: Situation) -> bool:
    """CR0.PE; nothing but #VE depends on it."""
    return at.around["protected_mode"] or not at.controls["ept_violation_ve"]


def _guest(at: Situation) -> Fields:
    user, protected = at.kind.startswith("USER_SHADOW_STACK"), _protected(at)
    if user and not protected:
        raise Unrealisable("CPL 3 needs CR0.PE")
    guest = GUEST_64_BIT if protected else GUEST_REAL_MODE
    return {key: hex(value) for key, value in guest.items()} | {"cpl": 3 if user else 0}


def _access(at: Situation) -> Fields:
    access = {**KINDS[at.kind], **CAUSES[at.cause]}
    if at.kind == "PAGING_ENTRY_READ" and at.controls["accessed_dirty"]:
        access["paging_write"] = True
    if at.around["unblocked_by_iret"]:
        access["nmi_unblocking_by_iret"] = True
    if at.linear["user_mode"]:
        access["user_linear_address"] = True
    if not at.linear["writable"]:
        access["page_writable"] = False
    if at.linear["execute_disable"]:
        access["execute_disable"] = True
    return access
