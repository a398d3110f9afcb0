"""slat-scenario-1 as a JSON Schema, written from the description of the format and not from its reader.

What it cannot say is left out: MAXPHYADDR is 40 here, so that `memory` has a fixed limit.
"""

from __future__ import annotations

from typing import Any

MAXPHYADDR = 40
DIGIT = "[0-9a-fA-F]"
FEATURES = ("nx", "smep", "smap", "pku", "pse", "pse36", "page1gb", "la57", "cet")
CIRCUMSTANCES = ("event_delivery", "asynchronous", "nmi_unblocking_by_iret", "idt_vectoring_valid")
MODES = ("shadow_stack", "user_shadow_stack", "implicit_supervisor")
PHYSICAL = (
    "user_linear_address", "paging_structure", "paging_write", "linear_address_valid", "page_writable",
    "execute_disable",
)  # fmt: skip


def number(bits: int) -> dict[str, Any]:
    """An unsigned number of so many bits, a multiple of 4."""
    return {
        "oneOf": [{"type": "integer", "minimum": 0, "maximum": (1 << bits) - 1}, digits(f"{DIGIT}{{1,{bits // 4}}}")]
    }


def small(least: int, most: int) -> dict[str, Any]:
    """A number between two small ones."""
    words = "|".join(f"{value:x}" for value in range(least, most + 1))
    return {"oneOf": [{"type": "integer", "minimum": least, "maximum": most}, digits(words)]}


def digits(pattern: str) -> dict[str, Any]:
    """A hexadecimal string of at most 16 digits that match the pattern but for leading zeros."""
    return {"type": "string", "pattern": f"^0x(?=.{{1,16}}$)0*({pattern})$"}


def record(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def flags(names: tuple[str, ...]) -> dict[str, Any]:
    """Keys that are true or false."""
    return {name: {"type": "boolean"} for name in names}


KIND = {"enum": ["read", "write", "rmw", "fetch"]}
CPU = record(
    {"maxphyaddr": small(MAXPHYADDR, MAXPHYADDR), "ept_vpid_cap": number(64)},
    raw_maxphyaddr=small(MAXPHYADDR, 52),
    procbased_ctls=number(64),
    procbased_ctls2=number(64),
    procbased_ctls3=number(64),
    features=record({}, **flags(FEATURES)),
)
VMCS = record(
    {
        "eptp": number(64),
        "primary_controls": number(32),
        "secondary_controls": number(32),
        "tertiary_controls": number(64),
    },
    ve_information_address=number(64),
    eptp_index=number(16),
    pin_controls=number(32),
    exception_bitmap=number(32),
    sppt_pointer=number(64),
)
GUEST = record(
    {
        **dict.fromkeys(("cr0", "cr3", "cr4", "efer", "rflags"), number(64)),
        "cpl": small(0, 3),
    },
    **dict.fromkeys(("ia32_s_cet", "ia32_u_cet", "ia32_pat"), number(64)),
    **dict.fromkeys(("pkru", "pkrs"), number(32)),
    pdptes={"type": "array", "items": number(64), "minItems": 4, "maxItems": 4},
)
MEMORY = {
    "type": "object",
    "patternProperties": {digits(f"{DIGIT}{{0,9}}[08]")["pattern"]: number(64)},
    "additionalProperties": False,
}
ACCESS = {
    "oneOf": [
        record({"kind": KIND, "linear_address": number(64)}, **flags(CIRCUMSTANCES + MODES)),
        record({"kind": KIND, "guest_physical_address": number(52)}, **flags(CIRCUMSTANCES + MODES + PHYSICAL)),
        record({"kind": {"const": "load_pdptes"}}, linear_address=number(64), **flags(CIRCUMSTANCES)),
    ]
}
SCENARIO = record(
    {
        "schema": {"const": "slat-scenario-1"},
        "cpu": CPU,
        "vmcs": VMCS,
        "guest": GUEST,
        "memory": MEMORY,
        "access": ACCESS,
    }
)
