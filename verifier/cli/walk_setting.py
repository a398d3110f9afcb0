"""The headlines of a drawn walk.

In: a scenario. Out: its access, guest and EPT in a line each.
Guarantee: what the headlines name is in force: controls that are not activated are left out.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from models.scenario import Scenario
from models.sdm import Circumstances, Guest, LinearAccess, Machine, PdpteLoad, PhysicalAccess, Request
from models.sdm.paging.mode import paging_mode
from models.sdm.vmx import controls as ctl
from models.sdm.vmx import guest as reg
from verifier.reports.walk_text import Setting

CR0_FLAGS = ((reg.CR0_WP, "WP"), (reg.CR0_CD, "CD"))
CR4_FLAGS = (
    (reg.CR4_SMEP, "SMEP"), (reg.CR4_SMAP, "SMAP"), (reg.CR4_PKE, "PKE"), (reg.CR4_CET, "CET"), (reg.CR4_PKS, "PKS"),
)  # fmt: skip
EPTP_FLAGS = ((1 << 6, "accessed and dirty flags"), (1 << 7, "supervisor shadow-stack control"))
SECONDARY = (
    (ctl.MODE_BASED_EXECUTE_CONTROL, "MBE"), (ctl.EPT_VIOLATION_VE, "#VE"), (ctl.SUB_PAGE_WRITE_PERMISSIONS, "SPP"),
)  # fmt: skip
TERTIARY = (
    (ctl.EPT_PAGING_WRITE_CONTROL, "paging-write control"),
    (ctl.GUEST_PAGING_VERIFICATION, "guest-paging verification"),
)


def setting_of(scenario: Scenario) -> Setting:
    """What the drawing says of the scenario."""
    machine = scenario.machine
    secondary = ctl.secondary_in_force(machine.vmcs)
    headlines = (
        f"{describe_request(scenario.request, machine.guest)}",
        f"guest  {', '.join(describe_guest(machine.guest))}",
        f"EPT    {', '.join(_ept(machine))}",
    )
    return Setting(headlines, bool(secondary & ctl.MODE_BASED_EXECUTE_CONTROL), machine.memory)


def describe_request(request: Request, guest: Guest) -> str:
    """The access and its flags in words."""
    match request:
        case LinearAccess():
            words = [f"{request.kind} at linear address {hex(request.linear_address)}"]
            flags = ("shadow_stack", "user_shadow_stack", "implicit_supervisor")
        case PhysicalAccess():
            words = [f"{request.kind} at guest-physical address {hex(request.guest_physical_address)}"]
            flags = (
                "user_linear_address", "paging_structure", "paging_write", "execute_disable",
                "shadow_stack", "user_shadow_stack", "implicit_supervisor",
            )  # fmt: skip
        case PdpteLoad():
            words, flags = [f"MOV to CR3 loads the PDPTEs at guest-physical address {hex(guest.cr3 & 0xFFFFFFE0)}"], ()
        case _:
            assert_never(request)
    words += [flag.replace("_", " ") for flag in flags if getattr(request, flag)]
    return ", ".join([*words, *_circumstances(request.circumstances)])


def _circumstances(around: Circumstances) -> Iterator[str]:
    flags = ("event_delivery", "asynchronous", "nmi_unblocking_by_iret", "idt_vectoring_valid")
    return (flag.replace("_", " ") for flag in flags if getattr(around, flag))


def describe_guest(guest: Guest) -> Iterator[str]:
    """The guest's paging, privilege level and flags that matter."""
    mode = paging_mode(guest.cr0, guest.cr4, guest.efer)
    yield "no paging" if mode == "none" else f"{mode} paging, CR3 {hex(guest.cr3)}"
    yield f"CPL {guest.cpl}"
    flags = [name for mask, name in CR0_FLAGS if guest.cr0 & mask]
    flags += [name for mask, name in CR4_FLAGS if guest.cr4 & mask]
    flags += ["NXE"] if guest.efer & reg.EFER_NXE else []
    flags += ["AC"] if guest.rflags & reg.RFLAGS_AC else []
    if flags:
        yield " ".join(flags)


def _ept(machine: Machine) -> Iterator[str]:
    vmcs, secondary = machine.vmcs, ctl.secondary_in_force(machine.vmcs)
    if secondary & ctl.ENABLE_EPT:
        yield f"EPTP {hex(vmcs.eptp)}"
        yield f"{(vmcs.eptp >> 3 & 7) + 1} levels"
        yield from (name for mask, name in EPTP_FLAGS if vmcs.eptp & mask)
    else:
        yield "off"
    yield from (name for mask, name in SECONDARY if secondary & mask)
    yield from (name for mask, name in TERTIARY if ctl.tertiary_in_force(vmcs) & mask)
    yield f"MAXPHYADDR {machine.processor.maxphyaddr}"
