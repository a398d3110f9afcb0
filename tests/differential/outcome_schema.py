"""slat-outcome-1 as a JSON Schema, written from the description of the format and not from its writer."""

from __future__ import annotations

from typing import Any

WORD = {"type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]{0,15})$"}
MEMORY = {"type": "object", "patternProperties": {WORD["pattern"]: WORD}, "additionalProperties": False}
STEP = {
    "type": "object",
    "properties": {"stage": {"type": "string"}, "address": WORD, "entry": WORD, "note": {"type": "string"}},
    "required": ["stage", "note"],
    "additionalProperties": False,
}
QUALIFIED = {"exit_qualification": WORD, "exit_qualification_defined": WORD}
AREA = {
    "type": "object",
    "properties": {
        "address": WORD,
        "exit_reason": {"const": 48},
        **QUALIFIED,
        "guest_linear_address": WORD,
        "guest_physical_address": WORD,
        "eptp_index": {"type": "integer", "minimum": 0, "maximum": 0xFFFF},
    },
    "minProperties": 7,
    "additionalProperties": False,
}


def outcome(name: str, required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """A document with these keys and no others."""
    always = {"schema": {"const": "slat-outcome-1"}, "outcome": {"const": name}, **required}
    properties = {**always, **optional, "steps": {"type": "array", "items": STEP}}
    return {"type": "object", "properties": properties, "required": list(always), "additionalProperties": False}


PHYSICAL = {"guest_physical_address": WORD, "memory_written": MEMORY}
OUTCOME = {
    "oneOf": [
        outcome(
            "ok",
            {**PHYSICAL, "host_physical_address": WORD},
            guest_linear_address=WORD,
            effective_memory_type={"enum": ["UC", "WC", "WT", "WP", "WB"]},
        ),
        outcome("page_fault", {"guest_linear_address": WORD, "page_fault_error_code": WORD, "memory_written": MEMORY}),
        outcome("ept_violation", {**PHYSICAL, **QUALIFIED, "exit_reason": {"const": 48}}, guest_linear_address=WORD),
        outcome("ept_misconfiguration", {**PHYSICAL, "exit_reason": {"const": 49}}),
        outcome("spp_event", {**PHYSICAL, **QUALIFIED, "exit_reason": {"const": 66}}, guest_linear_address=WORD),
        outcome(
            "virtualization_exception",
            {**PHYSICAL, "virtualization_exception_information": AREA},
            exit_reason={"const": 0},
        ),
        outcome("vm_entry_failure", {"vm_instruction_error": {"const": 7}}),
        outcome("vm_entry_failure", {"exit_reason": {"const": 33}, **QUALIFIED}),
    ]
}
