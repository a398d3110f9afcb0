"""In: guest paging-structure entries. Out: their words for a trace.

Guarantee: called only while a trace is kept; nothing here decides.
Trusted: no, checked by tests/unit/models.
"""

from models.sdm.paging.mode import (
    ACCESSED,
    DIRTY,
    EXECUTE_DISABLE,
    USER,
    WRITABLE,
    PagingConfiguration,
    PagingLevel,
    page_base,
)
from models.sdm.paging.rights import GuestPage
from models.sdm.trace import flag_names

FLAGS = ((WRITABLE, "R/W"), (USER, "U/S"), (ACCESSED, "A"), (EXECUTE_DISABLE, "XD"))
PAGE_FLAGS = ((WRITABLE, "R/W"), (USER, "U/S"), (ACCESSED, "A"), (DIRTY, "D"), (EXECUTE_DISABLE, "XD"))


def describe_entry(paging: PagingConfiguration, level: PagingLevel, entry: int) -> str:
    """A present entry without reserved bits: its flags and where it points."""
    if entry & level.page_mask:
        return f"{flag_names(entry, PAGE_FLAGS)} -> page {hex(page_base(level, entry))}"
    return f"{flag_names(entry, FLAGS)} -> table {hex(entry & paging.table_mask)}"


def describe_page(page: GuestPage) -> str:
    """The rights that the guest's tables give to a page."""
    mode = "user-mode" if page.user else "supervisor-mode"
    writable = "read/write" if page.writable else "read-only"
    executable = "execute-disable" if page.execute_disable else "executable"
    return f"{mode} address, {writable}, {executable}"
