"""One access of a guest, and what the processor made of it.

In: nothing. Out: `Case` (what Bochs is asked), `Observation` (what it answered) and `Capabilities` (what it can do).
Guarantee: both are plain values; fields have the SDM's encodings and widths.
Trusted: yes, these are only names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """The kind of access that the guest makes: four bytes of data, one instruction, or MOV to CR3 under PAE."""

    READ = "read"
    WRITE = "write"
    RMW = "rmw"
    FETCH = "fetch"
    LOAD_PDPTES = "load_pdptes"


@dataclass(frozen=True, slots=True)
class Controls:
    """VM-execution controls of the VMCS (SDM "VM-Execution Control Fields"), as they are written there."""

    eptp: int
    primary: int
    secondary: int
    tertiary: int = 0
    ve_information_address: int = 0
    sppt_pointer: int = 0


@dataclass(frozen=True, slots=True)
class Guest:
    """Guest state: 64-bit registers, CPL 0 or 3, and the four PDPTE fields of the VMCS."""

    cr0: int
    cr3: int
    cr4: int
    efer: int
    cpl: int
    rflags: int = 0x2
    pdptes: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Case:
    """One VM entry and the one access that follows it.

    `memory` maps host-physical addresses (multiples of 8, below 2^40) to 64-bit words; all else is zero. It
    lists every word that the access may change. A fetch starts the guest at `linear_address`, where memory must
    hold an instruction of `image.instruction`. For every other kind `linear_address` goes into RBX, and the
    guest starts in the page at linear address `code`, which the case's tables must map to `image.CODE_PAGE`;
    so two accesses happen, the fetch of the instruction first.
    """

    controls: Controls
    guest: Guest
    memory: Mapping[int, int]
    kind: Access
    linear_address: int
    code: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """How the guest ended: `entry_error` is set, or else the VM-exit fields are those of the exit.

    `entry_error` is the VM-instruction error (SDM "VM Instruction Error Numbers"); 0 if there was none. Then
    `exit_reason` has bit 31 set if the VM entry failed later. `exception` is the VM-exit interruption information and
    `error_code` its error code. What an exit does not define is 0. `value` is EAX at the exit. `changed` has the words
    of `Case.memory` that differ afterwards, with their new values.
    """

    entry_error: int
    exit_reason: int
    exit_qualification: int
    guest_physical_address: int
    guest_linear_address: int
    exception: int
    error_code: int
    value: int
    changed: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the processor reports: physical-address width in bits, and capability MSRs (SDM "VMX Capability
    Reporting Facility")."""

    maxphyaddr: int
    ept_vpid_cap: int
    procbased_ctls: int
    procbased_ctls2: int
    procbased_ctls3: int
