"""In: what kind of access reaches EPT. Out: the rights it needs and the qualification bits it fixes.

Guarantee: an `EptAccess` holds all that an EPT walk must know of the access, and nothing of the tables.
Trusted: no, checked by tests/tables (qualification).

Source: SDM "Exit Qualification for EPT Violations", "EPT Violations", "Accessed and Dirty Flags for EPT".
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from models.sdm.ept.entry import EXECUTE, EXECUTE_USER, READ, WRITE, EptConfiguration
from models.sdm.requests import AccessKind, PhysicalAccess

# Bits of the exit qualification that the access alone decides.
Q_READ = 1 << 0
Q_WRITE = 1 << 1
Q_FETCH = 1 << 2
Q_LINEAR_ADDRESS_VALID = 1 << 7
Q_TRANSLATED = 1 << 8
Q_USER = 1 << 9
Q_WRITABLE = 1 << 10
Q_EXECUTE_DISABLE = 1 << 11
Q_SHADOW_STACK = 1 << 13


@dataclass(frozen=True, slots=True)
class EptAccess:
    """An access to one guest-physical address.

    `required` are bits of an EPT entry (0 R, 1 W, 2 X or XS, 10 XU) that must be 1 in all entries.
    `qualification` are the bits of the exit qualification known before the walk; those in `undefined`
    are not defined for this access and are 0. `writes` marks the page dirty. `unverified`: an EPT entry
    that mapped a guest paging-structure entry used lacks bit 58 (guest-paging verification).
    `supervisor_shadow_stack`: the rules that EPTP[7] puts on these accesses apply.
    """

    required: int
    qualification: int
    undefined: int = 0
    writes: bool = False
    paging_write: bool = False
    sub_page_eligible: bool = False
    supervisor_shadow_stack: bool = False
    unverified: bool = False


# kind -> rights, qualification bits 2:0, undefined bits, writes. Whether a read-modify-write sets bit 0 is
# implementation-specific.
DATA: Final[dict[AccessKind, tuple[int, int, int, bool]]] = {
    "read": (READ, Q_READ, 0, False),
    "write": (WRITE, Q_WRITE, 0, True),
    "rmw": (READ | WRITE, Q_WRITE, Q_READ, True),
    "fetch": (EXECUTE, Q_FETCH, 0, False),
}


# Decision: reading a guest entry on behalf of a shadow-stack access is no shadow-stack access (bit 13 clear).
GUEST_ENTRY_READ = EptAccess(required=READ, qualification=Q_READ | Q_LINEAR_ADDRESS_VALID)

# "Accesses to guest paging-structure entries are treated as writes" while EPTP[6] = 1, and bits 0 and 1 of
# the qualification are then both set.
GUEST_ENTRY_ACCESS_WITH_FLAGS = EptAccess(
    required=READ | WRITE,
    qualification=Q_READ | Q_WRITE | Q_LINEAR_ADDRESS_VALID,
    writes=True,
    paging_write=True,
)

# Decision: with EPTP[6] = 0 the update of a guest flag is a locked read-modify-write, so bit 0 of its
# qualification is implementation-specific and counts as undefined.
GUEST_FLAG_UPDATE = EptAccess(
    required=READ | WRITE,
    qualification=Q_WRITE | Q_LINEAR_ADDRESS_VALID,
    undefined=Q_READ,
    writes=True,
    paging_write=True,
)

# A PDPTE load by MOV to CR is a plain read without a linear address, EPTP[6] notwithstanding.
PDPTE_READ = EptAccess(required=READ, qualification=Q_READ)


def guest_entry_access(configuration: EptConfiguration) -> EptAccess:
    """The access that reads one guest paging-structure entry in a walk."""
    return GUEST_ENTRY_ACCESS_WITH_FLAGS if configuration.accessed_dirty else GUEST_ENTRY_READ


ShadowStack = Literal["none", "user", "supervisor"]


@lru_cache(maxsize=4096)
def final_access(
    configuration: EptConfiguration,
    kind: AccessKind,
    page_properties: int,
    shadow_stack: ShadowStack,
    unverified: bool,
) -> EptAccess:
    """The access to the translation of a linear address; `page_properties` are its bits 11:9."""
    qualification = Q_LINEAR_ADDRESS_VALID | Q_TRANSLATED | page_properties
    return _data_access(configuration, kind, qualification, shadow_stack, unverified)


def physical_access(configuration: EptConfiguration, request: PhysicalAccess, shadow_stack: ShadowStack) -> EptAccess:
    """The access that a `PhysicalAccess` describes, with EPT on."""
    qualification = 0
    if request.linear_address_valid:
        qualification = Q_LINEAR_ADDRESS_VALID
        if not request.paging_structure:
            qualification |= Q_TRANSLATED
    qualification |= page_properties(request.user_linear_address, request.page_writable, request.execute_disable)
    access = _data_access(configuration, request.kind, qualification, shadow_stack, False)
    if request.paging_structure and request.linear_address_valid and configuration.accessed_dirty:
        access = replace(
            access,
            required=READ | WRITE,
            qualification=qualification | Q_READ | Q_WRITE,
            undefined=0,
            writes=True,
        )
    paging = request.paging_structure or request.paging_write
    return replace(
        access,
        paging_write=request.paging_write,
        sub_page_eligible=access.sub_page_eligible and not paging,
    )


def page_properties(user: bool, writable: bool, execute_disable: bool) -> int:
    """Bits 11:9 of the qualification."""
    return (Q_USER if user else 0) | (Q_WRITABLE if writable else 0) | (Q_EXECUTE_DISABLE if execute_disable else 0)


def _data_access(
    configuration: EptConfiguration,
    kind: AccessKind,
    qualification: int,
    shadow_stack: ShadowStack,
    unverified: bool,
) -> EptAccess:
    required, reported, undefined, writes = DATA[kind]
    if kind == "fetch" and configuration.mode_based and qualification & Q_USER:
        required = EXECUTE_USER
    enforced = shadow_stack == "supervisor" and configuration.supervisor_shadow_stack
    return EptAccess(
        required=required,
        qualification=qualification | reported | (Q_SHADOW_STACK if shadow_stack != "none" else 0),
        undefined=undefined,
        writes=writes,
        sub_page_eligible=writes and not enforced,
        supervisor_shadow_stack=enforced,
        unverified=unverified,
    )
