"""In: EPT entries and accesses. Out: their words for a trace.

Guarantee: called only while a trace is kept; nothing here decides.
Trusted: no, checked by tests/unit/models.
"""

from models.sdm.ept.access import EptAccess
from models.sdm.ept.entry import (
    ACCESSED,
    DIRTY,
    EXECUTE,
    EXECUTE_USER,
    IGNORE_PAT,
    PAGING_WRITE,
    READ,
    SUB_PAGE_WRITE,
    SUPERVISOR_SHADOW_STACK,
    SUPPRESS_VE,
    TABLE_ADDRESS,
    VERIFY_GUEST_PAGING,
    WRITE,
    EptConfiguration,
    EptLevel,
    EptPage,
)
from models.sdm.ept.memory_type import NAMES
from models.sdm.trace import EPT_VIOLATIONS, flag_names

MODE_BASED_RIGHTS = ((READ, "R"), (WRITE, "W"), (EXECUTE, "XS"), (EXECUTE_USER, "XU"))
PLAIN_RIGHTS = ((READ, "R"), (WRITE, "W"), (EXECUTE, "X"))


def describe_rights(configuration: EptConfiguration, word: int) -> str:
    """The rights that a word (or an AND of words) grants: "R W XS XU", "none"."""
    return flag_names(word, MODE_BASED_RIGHTS if configuration.mode_based else PLAIN_RIGHTS)


def describe_entry(configuration: EptConfiguration, level: EptLevel, entry: int, so_far: int) -> str:
    """A present, well-configured entry: rights, other flags in force, where it points, rights so far."""
    maps_page = bool(entry & level.page_mask)
    flags = tuple(flag for flag, in_force in _flags(configuration, level, maps_page) if in_force)
    text = describe_rights(configuration, entry)
    if any(entry & mask for mask, _ in flags):
        text += f" {flag_names(entry, flags)}"
    if maps_page:
        memory_type = NAMES[entry >> 3 & 7]
        text += f" {memory_type} -> page {hex(entry & level.page_address)}"
    else:
        text += f" -> table {hex(entry & TABLE_ADDRESS)}"
    return f"{text}; rights so far: {describe_rights(configuration, so_far)}"


def _flags(
    configuration: EptConfiguration, level: EptLevel, maps_page: bool
) -> tuple[tuple[tuple[int, str], bool], ...]:
    return (
        ((ACCESSED, "A"), configuration.accessed_dirty),
        ((DIRTY, "D"), configuration.accessed_dirty and maps_page),
        ((IGNORE_PAT, "IPAT"), maps_page),
        ((VERIFY_GUEST_PAGING, "VGP"), configuration.guest_paging_verification and maps_page),
        ((PAGING_WRITE, "PWA"), configuration.paging_write_control and maps_page),
        ((SUPERVISOR_SHADOW_STACK, "SSS"), configuration.supervisor_shadow_stack and maps_page),
        ((SUB_PAGE_WRITE, "SPP"), configuration.sub_page_write and level.number == 1),
        ((SUPPRESS_VE, "SVE"), configuration.convertible and maps_page),
    )


def describe_access(configuration: EptConfiguration, access: EptAccess, page: EptPage, missing: int) -> str:
    """What the access needs, what the walk grants, and what follows."""
    granted = describe_rights(configuration, page.above & page.entry)
    if not missing:
        return f"granted: {granted}; allowed ({EPT_VIOLATIONS})"
    needed = describe_rights(configuration, access.required)
    lacking = describe_rights(configuration, missing)
    return f"needed: {needed}; granted: {granted}; lacking: {lacking}; denied ({EPT_VIOLATIONS})"
