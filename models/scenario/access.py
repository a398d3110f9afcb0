"""In: the "access" object of a scenario. Out: a request to the reference MMU.

Guarantee: the keys of one form of access are never accepted with another.
Trusted: no, checked by tests/unit/models (hostile scenarios).
"""

from typing import TypeGuard

from models.scenario.values import read_fields, read_flag, read_number, read_object, refuse_type, shown
from models.sdm import (
    AccessKind,
    Circumstances,
    InputError,
    LinearAccess,
    PdpteLoad,
    PhysicalAccess,
    Request,
)
from models.sdm.requests import ORDINARY

LINEAR, PHYSICAL = "linear_address", "guest_physical_address"
PHYSICAL_LIMIT = 1 << 52

CIRCUMSTANCES = frozenset({"event_delivery", "asynchronous", "nmi_unblocking_by_iret", "idt_vectoring_valid"})
MODES = frozenset({"shadow_stack", "user_shadow_stack", "implicit_supervisor"})
PHYSICAL_FLAGS = frozenset(
    {
        "user_linear_address",
        "paging_structure",
        "paging_write",
        "linear_address_valid",
        "page_writable",
        "execute_disable",
    }
)
LINEAR_KEYS = CIRCUMSTANCES | MODES | {"kind", LINEAR}
PHYSICAL_KEYS = CIRCUMSTANCES | MODES | PHYSICAL_FLAGS | {"kind", PHYSICAL}
LOAD_KEYS = CIRCUMSTANCES | {"kind", LINEAR}
LINEAR_REQUIRED = frozenset({"kind", LINEAR})
PHYSICAL_REQUIRED = frozenset({"kind", PHYSICAL})
LOAD_REQUIRED = frozenset({"kind"})


def read_access(value: object) -> Request:
    """The "access" object. A load of the PDPTEs has no linear address; one that is given takes no part."""
    given = read_object(value, "access")
    if given.get("kind") == "load_pdptes":
        fields = read_fields(given, "access", LOAD_REQUIRED, LOAD_KEYS)
        if LINEAR in fields:
            read_number(fields[LINEAR], "access", LINEAR)
        return PdpteLoad(circumstances=_circumstances(fields))
    if PHYSICAL in given:
        if LINEAR in given:
            raise InputError("unknown_key", f"access.{LINEAR}", f"an access has this key or `{PHYSICAL}`, not both")
        return _physical(read_fields(given, "access", PHYSICAL_REQUIRED, PHYSICAL_KEYS))
    return _linear(read_fields(given, "access", LINEAR_REQUIRED, LINEAR_KEYS))


def _linear(fields: dict[str, object]) -> LinearAccess:
    kind = _kind(fields["kind"])
    address = read_number(fields[LINEAR], "access", LINEAR)
    if len(fields) == 2:
        return LinearAccess(kind=kind, linear_address=address)
    modes = _flags(fields, MODES)
    return LinearAccess(kind=kind, linear_address=address, circumstances=_circumstances(fields), **modes)


def _physical(fields: dict[str, object]) -> PhysicalAccess:
    kind = _kind(fields["kind"])
    address = read_number(fields[PHYSICAL], "access", PHYSICAL, PHYSICAL_LIMIT)
    flags = _flags(fields, MODES | PHYSICAL_FLAGS)
    return PhysicalAccess(kind=kind, guest_physical_address=address, circumstances=_circumstances(fields), **flags)


def _circumstances(fields: dict[str, object]) -> Circumstances:
    given = _flags(fields, CIRCUMSTANCES)
    return Circumstances(**given) if given else ORDINARY


def _flags(fields: dict[str, object], names: frozenset[str]) -> dict[str, bool]:
    return {key: read_flag(flag, "access", key) for key, flag in fields.items() if key in names}


def _kind(value: object) -> AccessKind:
    if type(value) is not str:
        refuse_type(value, "access.kind", "a string")
    if not _is_kind(value):
        message = f'"{shown(value)}" is none of read, write, rmw, fetch and load_pdptes'
        raise InputError("unknown_kind", "access.kind", message)
    return value


def _is_kind(value: str) -> TypeGuard[AccessKind]:
    return value in ("read", "write", "rmw", "fetch")
