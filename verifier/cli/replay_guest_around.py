"""A guest around an EPT walk, for an access of which EPT must know how the guest's own entries are mapped.

In: the values of an `EptWalk` and an `EptAccess`. Out: a `GuestWalk` whose final address is translated by that walk.
Guarantee: EPT sees the access as it was given, but for what makes it (an instruction) and whether sub-page write
permissions leave it out (never); `Unrealisable` if no linear access is such a one. The guest has 4-level paging.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from verifier.cli.replay_ept import fields_of, kind_of, made_of, member_of, number_of
from verifier.cli.replay_guest import GuestSpecification
from verifier.cli.replay_scenario import LEVELS, Fields, Unrealisable
from verifier.core.values import Value
from verifier.types.kinds import Record, Type

REGISTERS: Fields = {"cr0": 1 << 31, "cr4": 1 << 5, "efer": 1 << 8 | 1 << 11, "page_1g": True, "pse36": True}
PRESENT, WRITABLE, USER, ACCESSED, DIRTY, EXECUTE_DISABLE = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 63
EVERY_RIGHT, WRITE_BACK, PAGING_WRITE = 0x407, 6 << 3, 1 << 58
KINDS = {
    "DATA_READ": "READ",
    "DATA_WRITE": "WRITE",
    "READ_MODIFY_WRITE": "READ_MODIFY_WRITE",
    "INSTRUCTION_FETCH": "FETCH",
    "USER_SHADOW_STACK_READ": "SHADOW_STACK_READ",
    "USER_SHADOW_STACK_WRITE": "SHADOW_STACK_WRITE",
    "SUPERVISOR_SHADOW_STACK_READ": "SHADOW_STACK_READ",
    "SUPERVISOR_SHADOW_STACK_WRITE": "SHADOW_STACK_WRITE",
}
TOLD = ("kind", "linear", "guest_paging_verified")
"""Of an access: what the guest decides."""


def guest_around(spec: GuestSpecification, walk: Value, access: Value) -> Value:
    """The translation. Raises `Unrealisable`."""
    ept, one = fields_of(spec.ept.walk, walk), fields_of(spec.ept.access, access)
    kind = member_of(kind_of(spec.ept.access, "kind"), one["kind"])
    if kind not in KINDS:
        raise Unrealisable("guest-paging verification concerns accesses to a translation alone")
    linear = fields_of(kind_of(spec.ept.access, "linear"), one["linear"])
    mapping: Fields = dict.fromkeys(LEVELS, EVERY_RIGHT)
    mapping["pte"] |= WRITE_BACK | PAGING_WRITE * one["guest_paging_verified"]
    own: Fields = dict.fromkeys(LEVELS[:4], PRESENT | WRITABLE | USER | ACCESSED)
    own["pte"] = PRESENT | ACCESSED | DIRTY | WRITABLE * linear["writable"] | USER * linear["user_mode"]
    own["pte"] |= EXECUTE_DISABLE * linear["execute_disable"]
    controls = fields_of(kind_of(spec.ept.walk, "controls"), ept["controls"])
    guest_kind = number_of(kind_of(_record(kind_of(spec.walk, "access")), "kind"), KINDS[kind])
    made = made_of(
        spec.walk,
        {
            "paging": {**REGISTERS, "beyond_maxphyaddr": controls["beyond_maxphyaddr"]},
            "controls": ept["controls"],
            "root": ept["root"],
            "access": {"kind": guest_kind, "cpl": 3 if kind.startswith("USER_SHADOW_STACK") else 0},
            "final": {name: ept[name] for name in ("guest_physical", *LEVELS)},
            "sub_page": one["sub_page"],
            **{level: {"entry": own[level], "ept": mapping} for level in LEVELS},
        },
    )
    seen = fields_of(spec.ept.access, spec.call("translation.final_access", made))
    if any(seen[name] != one[name] for name in TOLD) or spec.ending(made)[0] != "FINAL_ADDRESS":
        raise Unrealisable("no linear access looks like that to EPT")
    return made


def _record(kind: Type) -> Record:
    assert isinstance(kind, Record)
    return kind
