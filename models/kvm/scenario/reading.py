"""In: the value of a slat-nested-scenario-1 document. Out: L0, vmcs12, L2 and an access, ready to run.

Guarantee: nothing of the document is ignored; the first thing wrong with it is reported with its path.
Trusted: no, checked by tests/unit/models/kvm (hostile scenarios).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from models.kvm.capabilities import Host, Parameters, UserSpace
from models.kvm.l1_memory import Slot
from models.kvm.nested import Setting
from models.kvm.version import VERSIONS, Version
from models.scenario.access import read_access
from models.scenario.machine import DWORD_LIMIT, NARROWEST_ADDRESS, read_guest, read_processor
from models.scenario.memory import read_memory
from models.scenario.values import (
    WORD_LIMIT,
    join,
    read_fields,
    read_flag,
    read_number,
    read_numbers,
    refuse_type,
    shown,
)
from models.sdm import Guest, InputError, Processor, Request, Vmcs
from models.sdm.vmx.controls import ENABLE_EPT, refuse_unmodelled_controls
from models.sdm.vmx.entry import eptp_failure

Read = TypeVar("Read")

SCHEMA = "slat-nested-scenario-1"
REQUIRED = frozenset({"schema", "series", "host", "vmcs12", "memory", "guest", "access"})
KEYS = REQUIRED | {"vmcs01"}
HOST_REQUIRED = frozenset({"cpu"})
HOST_KEYS = HOST_REQUIRED | {"parameters", "user_space", "memory_slots", "shadow_pages", "l1tf", "undefined_bits"}
PARAMETER_KEYS = frozenset(
    {"ept", "eptad", "pml", "mbec", "unrestricted_guest", "nx_huge_pages", "mmio_caching"},
)
USER_SPACE_NUMBERS = {"secondary_controls": DWORD_LIMIT, "ept_vpid_cap": WORD_LIMIT, "maxphyaddr": WORD_LIMIT}
USER_SPACE_KEYS = USER_SPACE_NUMBERS.keys() | {"enlightened_vmcs"}
SLOT_NUMBERS: dict[str, int] = {
    "guest_physical_address": WORD_LIMIT,
    "host_physical_address": WORD_LIMIT,
    "size": WORD_LIMIT,
}
SLOT_REQUIRED = SLOT_NUMBERS.keys()
SLOT_KEYS = SLOT_REQUIRED | {"writable", "largest_page"}
PAGES = {"4K": 1, "2M": 2, "1G": 3}
VMCS01_NUMBERS = {"eptp": WORD_LIMIT, "secondary_controls": DWORD_LIMIT}
VMCS12_REQUIRED = frozenset({"eptp", "primary_controls", "secondary_controls"})
VMCS12_NUMBERS = {
    "eptp": WORD_LIMIT,
    "primary_controls": DWORD_LIMIT,
    "secondary_controls": DWORD_LIMIT,
    "pin_controls": DWORD_LIMIT,
    "exception_bitmap": DWORD_LIMIT,
}
QUALIFICATION_LIMIT = 1 << 20
ROOM = 1 << 24
"""What KVM's own page tables must have between `shadow_pages` and the end of host-physical memory."""


@dataclass(frozen=True, slots=True)
class NestedScenario:
    """One access of one L2. `memory` is L0's."""

    setting: Setting
    vmcs12: Vmcs
    guest: Guest
    memory: dict[int, int]
    request: Request


def is_nested(document: object) -> bool:
    """Whether a parsed document says that it is one of these."""
    return isinstance(document, dict) and cast("dict[str, object]", document).get("schema") == SCHEMA


def read_nested_scenario(document: object) -> NestedScenario:
    """The scenario that a parsed document describes. Raises `InputError`."""
    fields = read_fields(document, "", REQUIRED, KEYS)
    if fields["schema"] != SCHEMA:
        raise InputError("unknown_schema", "schema", f'expected "{SCHEMA}", found "{shown(fields["schema"])}"')
    version = _series(fields["series"])
    host = read_fields(fields["host"], "host", HOST_REQUIRED, HOST_KEYS)
    processor = _renamed("cpu", "host.cpu", read_processor, host["cpu"])
    vmcs01 = _vmcs01(fields.get("vmcs01", {}), processor)
    setting = _setting(version, host, processor, vmcs01)
    vmcs12 = read_numbers(
        read_fields(fields["vmcs12"], "vmcs12", VMCS12_REQUIRED, VMCS12_NUMBERS.keys()), "vmcs12", VMCS12_NUMBERS
    )
    memory = read_memory(fields["memory"], processor.maxphyaddr)
    return NestedScenario(setting, Vmcs(**vmcs12), read_guest(fields["guest"]), memory, read_access(fields["access"]))


def _renamed(old: str, new: str, read: Callable[[object], Read], value: object) -> Read:
    """What `read` makes of the value; its errors name the place `new` for `old`."""
    try:
        return read(value)
    except InputError as error:
        raise InputError(error.code, new + error.path.removeprefix(old), error.message) from None


def _series(value: object) -> Version:
    if type(value) is not str:
        refuse_type(value, "series", "a string")
    if value not in VERSIONS:
        raise InputError("unknown_kind", "series", f'"{shown(value)}" is none of {", ".join(VERSIONS)}')
    return VERSIONS[value]


def _vmcs01(value: object, processor: Processor) -> dict[str, int]:
    fields = read_fields(value, "vmcs01", frozenset(), VMCS01_NUMBERS.keys())
    vmcs01 = read_numbers(fields, "vmcs01", VMCS01_NUMBERS)
    if "eptp" in vmcs01:
        failure = eptp_failure(vmcs01["eptp"], processor.maxphyaddr, processor.ept_vpid_cap)
        if failure is not None:
            raise InputError("out_of_range", "vmcs01.eptp", failure)
    if "secondary_controls" in vmcs01:
        controls = vmcs01["secondary_controls"]
        if not controls & ENABLE_EPT:
            raise InputError("out_of_range", "vmcs01.secondary_controls", '"enable EPT" is 0, and L0 runs L1 with EPT')
        _renamed("vmcs", "vmcs01", _refuse, controls)
    return vmcs01


def _refuse(controls: object) -> None:
    assert isinstance(controls, int)
    refuse_unmodelled_controls(Vmcs(eptp=0, primary_controls=1 << 31, secondary_controls=controls))


def _setting(version: Version, host: dict[str, object], processor: Processor, vmcs01: dict[str, int]) -> Setting:
    slots: tuple[Slot, ...] = ()
    if "memory_slots" in host:
        slots = _slots(host["memory_slots"], processor.maxphyaddr)
        if "eptp" in vmcs01:
            raise InputError("duplicate_key", "host.memory_slots", "vmcs01.eptp says already where L1's memory is")
    machine = Host(
        processor=processor,
        parameters=_parameters(host.get("parameters", {})),
        l1tf=read_flag(host.get("l1tf", False), "host", "l1tf"),
        undefined_bits=read_number(host.get("undefined_bits", 0), "host", "undefined_bits", QUALIFICATION_LIMIT),
    )
    return Setting(
        version=version,
        host=machine,
        user_space=_user_space(host.get("user_space", {}), processor.maxphyaddr),
        slots=slots,
        ept01=vmcs01.get("eptp"),
        vmcs01_secondary=vmcs01.get("secondary_controls"),
        shadow_pages=_shadow_pages(host["shadow_pages"], processor) if "shadow_pages" in host else None,
    )


def _parameters(value: object) -> Parameters:
    path = "host.parameters"
    fields = read_fields(value, path, frozenset(), PARAMETER_KEYS)
    return Parameters(**{key: read_flag(flag, path, key) for key, flag in fields.items()})


def _user_space(value: object, maxphyaddr: int) -> UserSpace:
    path = "host.user_space"
    fields = read_fields(value, path, frozenset(), USER_SPACE_KEYS)
    numbers = read_numbers(fields, path, USER_SPACE_NUMBERS)
    width = numbers.get("maxphyaddr", maxphyaddr)
    if not NARROWEST_ADDRESS <= width <= maxphyaddr:
        message = f"L1's physical addresses have {NARROWEST_ADDRESS} to {maxphyaddr} bits, no more than the host's"
        raise InputError("out_of_range", f"{path}.maxphyaddr", message)
    enlightened = read_flag(fields.get("enlightened_vmcs", False), path, "enlightened_vmcs")
    return UserSpace(**numbers, enlightened_vmcs=enlightened)


def _shadow_pages(value: object, processor: Processor) -> int:
    address = read_number(value, "host", "shadow_pages")
    if address & 0xFFF:
        raise InputError("misaligned", "host.shadow_pages", "the address is no multiple of 4096")
    if address > (1 << processor.maxphyaddr) - ROOM:
        message = f"fewer than {hex(ROOM)} bytes lie above, below 2^MAXPHYADDR"
        raise InputError("out_of_range", "host.shadow_pages", message)
    return address


def _slots(value: object, maxphyaddr: int) -> tuple[Slot, ...]:
    path = "host.memory_slots"
    if not isinstance(value, list):
        refuse_type(value, path, "an array of memory slots")
    items = cast("list[object]", value)
    if not items:
        raise InputError("wrong_length", path, "L1 has no memory")
    slots = [_slot(item, f"{path}.{number}", maxphyaddr) for number, item in enumerate(items)]
    for number, slot in enumerate(slots):
        first, end = slot.guest_physical_address, slot.guest_physical_address + slot.size
        for other in slots[:number]:
            if first < other.guest_physical_address + other.size and other.guest_physical_address < end:
                raise InputError("duplicate_key", f"{path}.{number}", "the slot overlaps another one")
    return tuple(slots)


def _slot(value: object, path: str, maxphyaddr: int) -> Slot:
    fields = read_fields(value, path, SLOT_REQUIRED, SLOT_KEYS)
    numbers = read_numbers(fields, path, SLOT_NUMBERS)
    for key, number in numbers.items():
        if number & 0xFFF:
            raise InputError("misaligned", join(path, key), "the number is no multiple of 4096")
    for key in ("guest_physical_address", "host_physical_address"):
        if numbers[key] + numbers["size"] > 1 << maxphyaddr:
            raise InputError("out_of_range", join(path, key), "the slot ends beyond 2^MAXPHYADDR")
    if not numbers["size"]:
        raise InputError("out_of_range", join(path, "size"), "the slot is empty")
    largest = fields.get("largest_page", "1G")
    if not isinstance(largest, str) or largest not in PAGES:
        refuse_type(largest, join(path, "largest_page"), '"4K", "2M" or "1G"')
    writable = read_flag(fields.get("writable", True), path, "writable")
    return Slot(**numbers, writable=writable, level=PAGES[largest])
