"""In: an access that EPT denies, and what the walk saw. Out: the EPT violation, or the #VE it becomes.

Guarantee: undefined bits of the qualification are 0 and absent from its mask.
Trusted: no, checked by tests/tables (qualification) and tests/unit/models.

Source: SDM "Exit Qualification for EPT Violations".
"""

from dataclasses import dataclass

from models.sdm.ept.access import Q_LINEAR_ADDRESS_VALID, Q_TRANSLATED, EptAccess
from models.sdm.ept.entry import SUPERVISOR_SHADOW_STACK, SUPPRESS_VE, EptPage
from models.sdm.outcome import EptViolation, VirtualizationException
from models.sdm.run import Run
from models.sdm.vmx.controls import NMI_EXITING, VIRTUAL_NMIS
from models.sdm.vmx.virtualization_exception import deliver

Q_USER_EXECUTABLE = 1 << 6
Q_PAGE_PROPERTIES = 7 << 9
Q_NMI_UNBLOCKING = 1 << 12
Q_SHADOW_STACK_PAGE = 1 << 14
Q_GUEST_PAGING_VERIFICATION = 1 << 15
Q_ASYNCHRONOUS = 1 << 16

# Bits 0-5, 7, 8, 13, 15 and 16 are defined for every EPT violation.
DEFINED_ALWAYS = 0x3F | Q_LINEAR_ADDRESS_VALID | Q_TRANSLATED | 1 << 13 | 1 << 15 | Q_ASYNCHRONOUS
FINAL_LINEAR = Q_LINEAR_ADDRESS_VALID | Q_TRANSLATED


@dataclass(frozen=True, slots=True)
class Denial:
    """Why EPT denies an access: at an entry that is not present, or through the page that a walk reached.

    `entry` is the entry that decides on suppress-#VE: the one that is not present, else the one that maps
    the page; None if the guest-physical address is too wide for the walk. `verification`: guest-paging
    verification alone denies the access.
    """

    entry: int | None
    page: EptPage | None = None
    verification: bool = False


def violation(run: Run, address: int, access: EptAccess, denial: Denial) -> EptViolation | VirtualizationException:
    """The outcome of a denied access to the guest-physical `address`."""
    qualification, defined = _qualification(run, access, denial)
    # Decision: an address too wide for the walk has no entry that could be convertible, so it exits.
    if run.ept.convertible and denial.entry is not None and not denial.entry & SUPPRESS_VE:
        found = EptViolation(address, run.linear_address, qualification, defined, {})
        exception = deliver(run, found)
        if exception is not None:
            return exception
    return EptViolation(address, run.linear_address, qualification, defined, run.memory.changed())


def _qualification(run: Run, access: EptAccess, denial: Denial) -> tuple[int, int]:
    """The exit qualification and the mask of its defined bits."""
    configuration = run.ept
    qualification, defined = event_bits(run)
    qualification |= access.qualification
    defined |= DEFINED_ALWAYS & ~access.undefined
    if configuration.mode_based:
        defined |= Q_USER_EXECUTABLE
    if configuration.advanced_information and access.qualification & FINAL_LINEAR == FINAL_LINEAR:
        defined |= Q_PAGE_PROPERTIES
    # Bits 6:3 are the AND over all entries used; they stay 0 if one of them is not present.
    if denial.page is not None:
        rights = denial.page.above & denial.page.entry
        qualification |= (rights & 7) << 3 | (rights >> 10 & 1) << 6
        if configuration.supervisor_shadow_stack:
            defined |= Q_SHADOW_STACK_PAGE
            if denial.page.entry & SUPERVISOR_SHADOW_STACK:
                qualification |= Q_SHADOW_STACK_PAGE
    if denial.verification:
        qualification |= Q_GUEST_PAGING_VERIFICATION
    return qualification & defined, defined


def event_bits(run: Run) -> tuple[int, int]:
    """Bits 12 and 16, which EPT violations and SPP events share: values and mask of the defined ones."""
    qualification, defined = 0, Q_ASYNCHRONOUS
    if run.circumstances.asynchronous:
        qualification |= Q_ASYNCHRONOUS
    # SDM "Information About NMI Unblocking Due to IRET".
    nmis_blocked_by_iret = not run.vmcs.pin_controls & NMI_EXITING or run.vmcs.pin_controls & VIRTUAL_NMIS
    if nmis_blocked_by_iret and not run.circumstances.idt_vectoring_valid:
        defined |= Q_NMI_UNBLOCKING
        if run.circumstances.nmi_unblocking_by_iret:
            qualification |= Q_NMI_UNBLOCKING
    return qualification, defined
