"""In: a linear access and the page that the guest's tables give it. Out: whether paging allows it, and the
error code of the page fault if not.

Guarantee: the decision reads guest state alone; EPT takes no part in it.
Trusted: no, checked by tests/tables (access rights) and tests/unit/models.

Source: SDM "Determination of Access Rights", "Protection Keys", "Page-Fault Exceptions".
"""

from dataclasses import dataclass

from models.sdm.paging.mode import DIRTY, PROTECTION_KEY_SHIFT, WRITABLE, PagingConfiguration
from models.sdm.requests import AccessKind
from models.sdm.vmx.guest import Guest

# Bits of the page-fault error code.
PF_PRESENT = 1 << 0
PF_WRITE = 1 << 1
PF_USER = 1 << 2
PF_RESERVED = 1 << 3
PF_FETCH = 1 << 4
PF_PROTECTION_KEY = 1 << 5
PF_SHADOW_STACK = 1 << 6


@dataclass(frozen=True, slots=True)
class Intent:
    """A linear access as paging sees it.

    `user_mode`: CPL = 3 and not an implicit supervisor access, or WRUSS. `explicit_with_ac`: an explicit
    supervisor access while RFLAGS.AC = 1, which SMAP lets pass.
    """

    kind: AccessKind
    user_mode: bool
    shadow_stack: bool
    explicit_with_ac: bool

    @property
    def writes(self) -> bool:
        """Whether this is a write; a read-modify-write is one."""
        return self.kind in ("write", "rmw")


@dataclass(frozen=True, slots=True)
class GuestPage:
    """What a complete guest walk found.

    `user` and `writable` are the AND of U/S and R/W over the entries that have them, `execute_disable` the
    OR of XD; `above_writable` is the AND of R/W without the last entry, `entry` (0 if CR0.PG = 0, where there
    is none). `pat_index` selects an entry of IA32_PAT, or is None for WB. `unverified`: the EPT entry that
    maps one of the entries used lacks bit 58.
    """

    guest_physical_address: int
    user: bool
    writable: bool
    execute_disable: bool
    above_writable: bool
    entry: int
    pat_index: int | None
    unverified: bool


def denied(paging: PagingConfiguration, guest: Guest, intent: Intent, page: GuestPage) -> bool:
    """Whether the access rights of the page deny the access."""
    if intent.shadow_stack:
        return not _shadow_stack_allowed(intent, page) or key_denies(paging, guest, intent, page)
    match intent.kind:
        case "fetch":
            return not _fetch_allowed(paging, intent, page)
        case "read":
            return not _read_allowed(paging, intent, page) or key_denies(paging, guest, intent, page)
        case "write" | "rmw":
            return not _write_allowed(paging, intent, page) or key_denies(paging, guest, intent, page)


def _read_allowed(paging: PagingConfiguration, intent: Intent, page: GuestPage) -> bool:
    if intent.user_mode:
        return page.user
    return not page.user or not paging.smap or intent.explicit_with_ac


def _write_allowed(paging: PagingConfiguration, intent: Intent, page: GuestPage) -> bool:
    if not _read_allowed(paging, intent, page):
        return False
    return page.writable or (not intent.user_mode and not paging.write_protect)


def _fetch_allowed(paging: PagingConfiguration, intent: Intent, page: GuestPage) -> bool:
    if page.execute_disable:
        return False
    return page.user if intent.user_mode else not (paging.smep and page.user)


def _shadow_stack_allowed(intent: Intent, page: GuestPage) -> bool:
    """Only shadow-stack pages, and only those of the access's own mode: writable but for the last entry."""
    marked = page.above_writable and not page.entry & WRITABLE and bool(page.entry & DIRTY)
    return marked and page.user == intent.user_mode


def key_denies(paging: PagingConfiguration, guest: Guest, intent: Intent, page: GuestPage) -> bool:
    """Whether the page's protection key denies a data access (SDM "Protection Keys").

    Decision: shadow-stack accesses obey keys as data accesses do.
    """
    if intent.kind == "fetch":
        return False
    if not (paging.user_keys if page.user else paging.supervisor_keys):
        return False
    key = page.entry >> PROTECTION_KEY_SHIFT & 15
    rights = (guest.pkru if page.user else guest.pkrs) >> 2 * key
    if rights & 1:
        return True
    return bool(rights & 2 and intent.writes and (intent.user_mode or paging.write_protect))


def error_code(paging: PagingConfiguration, intent: Intent, cause: int) -> int:
    """The error code of a page fault; `cause` holds P, RSVD and PK, which the walk decides."""
    code = cause
    if intent.writes:
        code |= PF_WRITE
    if intent.user_mode:
        code |= PF_USER
    if intent.kind == "fetch" and paging.reports_fetches:
        code |= PF_FETCH
    if intent.shadow_stack:
        code |= PF_SHADOW_STACK
    return code
