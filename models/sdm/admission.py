"""In: a guest and a request. Out: the access as paging sees it, or the reason why no guest could make it.

Guarantee: what is admitted is an access that an instruction of this guest can make.
Trusted: no, checked by tests/unit/models.
"""

from models.sdm.ept.access import ShadowStack
from models.sdm.errors import InputError
from models.sdm.paging.mode import PagingConfiguration
from models.sdm.paging.rights import Intent
from models.sdm.requests import LinearAccess, PhysicalAccess
from models.sdm.run import Machine
from models.sdm.vmx.guest import CET_SH_STK_EN, CR4_CET, RFLAGS_AC, Guest


def _refuse(flag: str, message: str) -> None:
    raise InputError("invalid_access", f"access.{flag}", message)


def admit_linear(guest: Guest, paging: PagingConfiguration, request: LinearAccess) -> Intent:
    """Raises `InputError` for an address that is not canonical (#GP or #SS precede all paging) or an
    impossible combination of flags."""
    _check_linear_address(paging, request.linear_address)
    _check_flags(guest, request)
    shadow_stack = request.shadow_stack or request.user_shadow_stack
    if request.shadow_stack and not request.user_shadow_stack:
        _check_shadow_stack_enabled(guest, _user_mode(guest, request))
    if request.user_shadow_stack and not guest.cr4 & CR4_CET:
        _refuse("user_shadow_stack", "WRUSS needs CR4.CET = 1")
    return Intent(
        kind=request.kind,
        user_mode=_user_mode(guest, request),
        shadow_stack=shadow_stack,
        explicit_with_ac=bool(guest.rflags & RFLAGS_AC) and not request.implicit_supervisor,
    )


def admit_physical(machine: Machine, ept_on: bool, request: PhysicalAccess) -> ShadowStack:
    """Which kind of shadow-stack access it is. Raises `InputError` as `admit_linear` does.

    Without EPT a guest-physical address is a host-physical one and must lie below MAXPHYADDR.
    """
    address = request.guest_physical_address
    if not ept_on and address >> machine.processor.maxphyaddr:
        raise InputError("out_of_range", "access.guest_physical_address", "beyond MAXPHYADDR, and EPT is off")
    _check_flags(machine.guest, request)
    if request.kind == "fetch" and (request.paging_structure or request.paging_write):
        _refuse("kind", "guest paging structures are never fetched")
    if not request.shadow_stack and not request.user_shadow_stack:
        return "none"
    return "user" if _user_mode(machine.guest, request) else "supervisor"


def _user_mode(guest: Guest, request: LinearAccess | PhysicalAccess) -> bool:
    return request.user_shadow_stack or (guest.cpl == 3 and not request.implicit_supervisor)


def _check_linear_address(paging: PagingConfiguration, address: int) -> None:
    if paging.linear_bits == 32:
        if address >> 32:
            message = "a linear address has 32 bits outside IA-32e mode"
            raise InputError("out_of_range", "access.linear_address", message)
        return
    sign = address >> paging.linear_bits - 1
    if sign not in (0, (1 << 65 - paging.linear_bits) - 1):
        message = f"{hex(address)} is not canonical for {paging.linear_bits} bits"
        raise InputError("non_canonical", "access.linear_address", message)


def _check_flags(guest: Guest, request: LinearAccess | PhysicalAccess) -> None:
    if request.kind == "fetch":
        for flag in ("shadow_stack", "user_shadow_stack", "implicit_supervisor"):
            if getattr(request, flag):
                _refuse(flag, "a fetch is none")
    if request.user_shadow_stack:
        if request.kind != "write":
            _refuse("user_shadow_stack", "WRUSS writes")
        if guest.cpl != 0:
            _refuse("user_shadow_stack", "WRUSS needs CPL 0")
        if request.implicit_supervisor:
            _refuse("implicit_supervisor", "WRUSS is an explicit access")


def _check_shadow_stack_enabled(guest: Guest, user_mode: bool) -> None:
    name, enables = ("ia32_u_cet", guest.ia32_u_cet) if user_mode else ("ia32_s_cet", guest.ia32_s_cet)
    if not (guest.cr4 & CR4_CET and enables & CET_SH_STK_EN):
        _refuse("shadow_stack", f"shadow stacks need CR4.CET = 1 and SH_STK_EN (bit 0) in {name}")
