"""In: what kind of access reaches EPT. Out: the rights it needs and the qualification bits it fixes.

Guarantee: an `EptAccess` holds all that an EPT walk must know of the access, and nothing of the tables.
Trusted: no, checked by tests/tables (qualification).

Source: SDM "Exit Qualification for EPT Violations", "EPT Violations", "Accessed and Dirty Flags for EPT".
"""

from dataclasses import dataclass
from typing import Final

from models.sdm.ept.entry import EXECUTE, EXECUTE_USER, READ, WRITE, EptConfiguration
from models.sdm.requests import AccessKind

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


def fetch_right(configuration: EptConfiguration, user_linear_address: bool) -> int:
    """The bit that governs a fetch: with MBE, XU for user-mode linear addresses."""
    return EXECUTE_USER if configuration.mode_based and user_linear_address else EXECUTE


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
