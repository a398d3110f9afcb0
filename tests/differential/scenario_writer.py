"""A machine and a request as a scenario for `slat walk`: the inverse of its reader, for cases that fail."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from models.sdm import Guest, LinearAccess, Machine, PdpteLoad, Processor, Request, Vmcs
from models.sdm.requests import ORDINARY
from models.sdm.vmx.processor import FEATURES


def scenario_of(machine: Machine, request: Request) -> dict[str, Any]:
    """The document, without words beyond MAXPHYADDR, which nothing reads."""
    cpu, guest = numbers(machine.processor), numbers(machine.guest)
    words = sorted(machine.memory.items())
    missing = [name for name in FEATURES if name not in machine.processor.features]
    return {
        "schema": "slat-scenario-1",
        "cpu": cpu | ({"features": dict.fromkeys(missing, False)} if missing else {}),
        "vmcs": numbers(machine.vmcs),
        "guest": guest | {"pdptes": [hex(pdpte) for pdpte in machine.guest.pdptes]},
        "memory": {hex(at): hex(word) for at, word in words if word and not at >> machine.processor.maxphyaddr},
        "access": access_of(request),
    }


def numbers(values: Processor | Vmcs | Guest) -> dict[str, str]:
    """The fields that hold a number."""
    named = {field.name: getattr(values, field.name) for field in fields(values)}
    return {name: hex(value) for name, value in named.items() if isinstance(value, int)}


def access_of(request: Request) -> dict[str, Any]:
    """The "access" object: a flag is written where it differs from what leaving it out means."""
    if isinstance(request, PdpteLoad):
        return {"kind": "load_pdptes"} | flags_of(request.circumstances, ORDINARY)
    name = "linear_address" if isinstance(request, LinearAccess) else "guest_physical_address"
    plain = type(request)(kind=request.kind, **{name: getattr(request, name)})
    flags = flags_of(request, plain) | flags_of(request.circumstances, ORDINARY)
    return {"kind": request.kind, name: hex(getattr(request, name)), **flags}


def flags_of(values: Any, plain: Any) -> dict[str, bool]:
    """The flags in which two values of one type differ."""
    named = ((field.name, getattr(values, field.name)) for field in fields(values))
    return {name: value for name, value in named if isinstance(value, bool) and value != getattr(plain, name)}


def shown(machine: Machine, request: Request) -> str:
    """The scenario on one line."""
    return json.dumps(scenario_of(machine, request))
