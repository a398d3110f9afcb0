"""In: the "cpu", "vmcs" and "guest" objects of a scenario. Out: `Processor`, `Vmcs`, `Guest`.

Guarantee: every field has its documented width; an unknown, missing or repeated key is an `InputError`.
Trusted: no, checked by tests/unit/models (hostile scenarios).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, cast

from models.scenario.values import (
    WORD_LIMIT,
    read_fields,
    read_flag,
    read_number,
    read_numbers,
    read_object,
    refuse_type,
)
from models.sdm import ALL_FEATURES, Feature, Guest, InputError, Processor, Vmcs
from models.sdm.vmx.guest import NO_PDPTES
from models.sdm.vmx.processor import FEATURES

Read = TypeVar("Read")

DWORD_LIMIT = 1 << 32
NARROWEST_ADDRESS, WIDEST_ADDRESS = 32, 52

CPU_REQUIRED = frozenset({"maxphyaddr", "ept_vpid_cap"})
CPU_NUMBERS = {
    "maxphyaddr": WORD_LIMIT,
    "raw_maxphyaddr": WORD_LIMIT,
    "ept_vpid_cap": WORD_LIMIT,
    "procbased_ctls": WORD_LIMIT,
    "procbased_ctls2": WORD_LIMIT,
    "procbased_ctls3": WORD_LIMIT,
}
CPU_KEYS = CPU_NUMBERS.keys() | {"features"}
FEATURE_KEYS = frozenset(FEATURES)

VMCS_REQUIRED = frozenset({"eptp", "primary_controls", "secondary_controls", "tertiary_controls"})
VMCS_NUMBERS = {
    "eptp": WORD_LIMIT,
    "primary_controls": DWORD_LIMIT,
    "secondary_controls": DWORD_LIMIT,
    "tertiary_controls": WORD_LIMIT,
    "pin_controls": DWORD_LIMIT,
    "exception_bitmap": DWORD_LIMIT,
    "ve_information_address": WORD_LIMIT,
    "eptp_index": 1 << 16,
    "sppt_pointer": WORD_LIMIT,
}

GUEST_REQUIRED = frozenset({"cr0", "cr3", "cr4", "efer", "cpl", "rflags"})
GUEST_NUMBERS = {
    "cr0": WORD_LIMIT,
    "cr3": WORD_LIMIT,
    "cr4": WORD_LIMIT,
    "efer": WORD_LIMIT,
    "cpl": 4,
    "rflags": WORD_LIMIT,
    "pkru": DWORD_LIMIT,
    "pkrs": DWORD_LIMIT,
    "ia32_s_cet": WORD_LIMIT,
    "ia32_u_cet": WORD_LIMIT,
    "ia32_pat": WORD_LIMIT,
}
GUEST_KEYS = GUEST_NUMBERS.keys() | {"pdptes"}


def remembering(read: Callable[[dict[str, object]], Read]) -> Callable[[dict[str, object]], Read]:
    """Reads a section that many scenarios share only once; wrong ones are never remembered."""

    @lru_cache(maxsize=1024, typed=True)  # typed: true, 1 and 1.0 are equal and hash alike
    def remembered(keys: tuple[str, ...], *values: object) -> Read:
        return read(dict(zip(keys, values, strict=True)))

    def reader(fields: dict[str, object]) -> Read:
        try:
            return remembered(tuple(fields), *fields.values())
        except TypeError:  # an array or an object among the values is not hashable
            return read(fields)

    return reader


def read_processor(value: object) -> Processor:
    """The "cpu" object."""
    return _processor(read_object(value, "cpu"))


def read_vmcs(value: object) -> Vmcs:
    """The "vmcs" object."""
    return _vmcs(read_object(value, "vmcs"))


def read_guest(value: object) -> Guest:
    """The "guest" object."""
    return _guest(read_object(value, "guest"))


@remembering
def _processor(given: dict[str, object]) -> Processor:
    fields = read_fields(given, "cpu", CPU_REQUIRED, CPU_KEYS)
    numbers = read_numbers(fields, "cpu", CPU_NUMBERS)
    numbers.setdefault("raw_maxphyaddr", numbers["maxphyaddr"])
    for key in ("maxphyaddr", "raw_maxphyaddr"):
        if not NARROWEST_ADDRESS <= numbers[key] <= WIDEST_ADDRESS:
            message = f"a physical address has {NARROWEST_ADDRESS} to {WIDEST_ADDRESS} bits"
            raise InputError("out_of_range", f"cpu.{key}", message)
    if numbers["raw_maxphyaddr"] < numbers["maxphyaddr"]:
        raise InputError("out_of_range", "cpu.raw_maxphyaddr", "less than cpu.maxphyaddr")
    features = _features(fields["features"]) if "features" in fields else ALL_FEATURES
    return Processor(**numbers, features=features)


def _features(value: object) -> frozenset[Feature]:
    fields = read_fields(value, "cpu.features", frozenset(), FEATURE_KEYS)
    absent = {key for key, flag in fields.items() if not read_flag(flag, "cpu.features", key)}
    return frozenset(feature for feature in ALL_FEATURES if feature not in absent)


@remembering
def _vmcs(given: dict[str, object]) -> Vmcs:
    fields = read_fields(given, "vmcs", VMCS_REQUIRED, VMCS_NUMBERS.keys())
    return Vmcs(**read_numbers(fields, "vmcs", VMCS_NUMBERS))


@remembering
def _guest(given: dict[str, object]) -> Guest:
    fields = read_fields(given, "guest", GUEST_REQUIRED, GUEST_KEYS)
    numbers = read_numbers(fields, "guest", GUEST_NUMBERS)
    pdptes = _pdptes(fields["pdptes"]) if "pdptes" in fields else NO_PDPTES
    return Guest(**numbers, pdptes=pdptes)


def _pdptes(value: object) -> tuple[int, int, int, int]:
    if not isinstance(value, list):
        refuse_type(value, "guest.pdptes", "an array of four numbers")
    words = cast("list[object]", value)
    if len(words) != 4:
        message = f"there are four PDPTEs, not {len(words)}"
        raise InputError("wrong_length", "guest.pdptes", message)
    first, second, third, fourth = (read_number(word, "guest.pdptes", str(index)) for index, word in enumerate(words))
    return first, second, third, fourth
