"""In: nothing. Out: the three kinds of access that the reference MMU performs.

Guarantee: requests are values; whether the machine's state admits one is decided by mmu.py.
Trusted: no, checked by tests/unit/models.
"""

from dataclasses import dataclass
from typing import Literal

AccessKind = Literal["read", "write", "rmw", "fetch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What surrounds an access; each flag is taken at its word.

    `event_delivery`: the access is part of delivering an event through the IDT (bars #VE).
    `asynchronous`: not caused by the execution of an instruction, nor by event delivery (bit 16).
    `nmi_unblocking_by_iret`: the access belongs to an IRET that unblocked NMIs (bit 12).
    `idt_vectoring_valid`: the exit would have valid IDT-vectoring information (bit 12 undefined).
    """

    event_delivery: bool = False
    asynchronous: bool = False
    nmi_unblocking_by_iret: bool = False
    idt_vectoring_valid: bool = False


ORDINARY = Circumstances()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAccess:
    """An access of one byte to a linear address (64 bits, canonical).

    `shadow_stack` makes it a shadow-stack access of the current privilege level, `user_shadow_stack` one
    of user mode at CPL 0 (WRUSS); `implicit_supervisor` is an access to a system data structure, which is
    a supervisor-mode access at any CPL.
    """

    kind: AccessKind
    linear_address: int
    shadow_stack: bool = False
    user_shadow_stack: bool = False
    implicit_supervisor: bool = False
    circumstances: Circumstances = ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalAccess:
    """An access of one byte to a guest-physical address: EPT alone, each flag taken at its word.

    `user_linear_address`, `page_writable` and `execute_disable` say what guest paging would have found for
    the linear address (bits 9 to 11 of the exit qualification; the first selects XU for fetches).
    `paging_structure`: the address holds a guest paging-structure entry (bit 8 clear). `paging_write`: a
    write that EPT paging-write control may allow. `linear_address_valid`: bit 7.
    """

    kind: AccessKind
    guest_physical_address: int
    user_linear_address: bool = False
    paging_structure: bool = False
    paging_write: bool = False
    linear_address_valid: bool = True
    page_writable: bool = True
    execute_disable: bool = False
    shadow_stack: bool = False
    user_shadow_stack: bool = False
    implicit_supervisor: bool = False
    circumstances: Circumstances = ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class PdpteLoad:
    """MOV to CR3 under PAE paging: loads the PDPTE registers from the guest-physical address in guest.cr3."""

    circumstances: Circumstances = ORDINARY


Request = LinearAccess | PhysicalAccess | PdpteLoad
