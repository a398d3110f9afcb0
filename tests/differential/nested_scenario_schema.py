"""slat-nested-scenario-1 as a JSON Schema, written from the description of the format and not from its reader.

What it cannot say is left out: MAXPHYADDR is 40, a slot has one of two sizes, the EPTP of vmcs01 is one of two.
"""

from __future__ import annotations

from typing import Any

from scenario_schema import ACCESS, CPU, GUEST, MEMORY, digits, flags, number, record, small

PARAMETERS = ("ept", "eptad", "pml", "mbec", "unrestricted_guest", "nx_huge_pages", "mmio_caching")
SERIES = ("old", "rfc", "v1", "v3", "v5", "newest")


def multiple_of_4096(limit_digits: int) -> dict[str, Any]:
    """An address or size of so many hexadecimal digits that end in three zeros."""
    top = 16**limit_digits
    hexadecimal = digits(f"[0-9a-fA-F]{{0,{limit_digits - 3}}}000|0")
    return {"oneOf": [{"type": "integer", "minimum": 0, "exclusiveMaximum": top, "multipleOf": 4096}, hexadecimal]}


SLOT = record(
    {
        "guest_physical_address": multiple_of_4096(9),
        "host_physical_address": multiple_of_4096(9),
        "size": {"enum": ["0x1000", 4096, "0x200000"]},
    },
    writable={"type": "boolean"},
    largest_page={"enum": ["4K", "2M", "1G"]},
)
HOST = record(
    {"cpu": CPU},
    parameters=record({}, **flags(PARAMETERS)),
    user_space=record(
        {},
        secondary_controls=number(32),
        ept_vpid_cap=number(64),
        maxphyaddr=small(32, 40),
        enlightened_vmcs={"type": "boolean"},
    ),
    memory_slots={"type": "array", "items": SLOT, "minItems": 1},
    shadow_pages=multiple_of_4096(9),
    l1tf={"type": "boolean"},
    undefined_bits=number(20),
)
VMCS01 = record({}, eptp={"enum": ["0x60001e", 0x60005E]}, secondary_controls={"enum": [2, "0x400082"]})
VMCS12 = record(
    {"eptp": number(64), "primary_controls": number(32), "secondary_controls": number(32)},
    pin_controls=number(32),
    exception_bitmap=number(32),
)
NESTED_SCENARIO = record(
    {
        "schema": {"const": "slat-nested-scenario-1"},
        "series": {"enum": list(SERIES)},
        "host": HOST,
        "vmcs12": VMCS12,
        "memory": MEMORY,
        "guest": GUEST,
        "access": ACCESS,
    },
    vmcs01=VMCS01,
)
