"""How an access ends, in terms that both sides can give.

In: a `Case` and Bochs' `Observation` of it. Out: an `Ending`.
Guarantee: what the architecture leaves to the program's own exits (VMCALL, the exception bitmap) is gone; two
endings agree if and only if nothing that was compared differs.
Trusted: no, checked by test_harness.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .case import Access, Case, Observation

PAGE_FAULT, GENERAL_PROTECTION, VIRTUALIZATION_EXCEPTION = 14, 13, 20
VMCALL_EXIT = 18
LINEAR = 1 << 7  # of the exit qualification: the guest-linear address is valid


class Kind(Enum):
    """What an access ends in; the value is the basic exit reason that shows it, or the vector less 100."""

    ALLOWED = VMCALL_EXIT
    CONTROL_FAILURE = -1  # VMfailValid
    ENTRY_FAILURE = 33
    EPT_VIOLATION = 48
    EPT_MISCONFIGURATION = 49
    SPP_EVENT = 66
    PAGE_FAULT = PAGE_FAULT - 100
    GENERAL_PROTECTION = GENERAL_PROTECTION - 100
    VIRTUALIZATION_EXCEPTION = VIRTUALIZATION_EXCEPTION - 100
    OTHER = -2


def _nothing() -> dict[int, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an access.

    `code` is the exit qualification, the #PF error code or the VM-instruction error. `value` is what a read or a
    fetch found. A part that an ending does not have is None. `changed` are the words of memory that differ afterwards.
    `page` is the guest-physical address of an access that was allowed; only the reference MMU can tell, so it is
    never compared.
    """

    kind: Kind
    code: int = 0
    guest_physical_address: int | None = None
    guest_linear_address: int | None = None
    value: int | None = None
    changed: Mapping[int, int] = field(default_factory=_nothing)
    page: int | None = field(default=None, compare=False)


def difference(expected: Ending, observed: Ending) -> str | None:
    """Names the first part that differs, or None."""
    if expected.kind is not observed.kind:
        return f"{expected.kind.name} against {observed.kind.name}"
    if wrong := expected.code ^ observed.code:
        return f"bits {wrong:#x} of {expected.code:#x} against {observed.code:#x}"
    for part in ("guest_physical_address", "guest_linear_address", "value"):
        ours, theirs = getattr(expected, part), getattr(observed, part)
        if ours != theirs:
            return f"{part} {ours} against {theirs}"
    if expected.changed != observed.changed:
        return f"memory {_words(expected.changed)} against {_words(observed.changed)}"
    return None


def observed(case: Case, observation: Observation) -> Ending:
    """What Bochs says."""
    qualification, changed = observation.exit_qualification, observation.changed
    physical, linear = observation.guest_physical_address, observation.guest_linear_address
    kind = _kind(observation)
    match kind:
        case Kind.CONTROL_FAILURE:
            return Ending(kind, observation.entry_error, changed=changed)
        case Kind.ALLOWED:
            finds = case.kind in (Access.READ, Access.FETCH)
            return Ending(kind, value=observation.value if finds else None, changed=changed)
        case Kind.PAGE_FAULT:  # a VM exit because of #PF has the linear address as its qualification
            return Ending(kind, observation.error_code, guest_linear_address=qualification, changed=changed)
        case Kind.VIRTUALIZATION_EXCEPTION:
            return virtualization_exception(case, changed)
        case Kind.EPT_VIOLATION:
            return Ending(kind, qualification, physical, linear if qualification & LINEAR else None, changed=changed)
        case Kind.SPP_EVENT:
            return Ending(kind, qualification, physical, linear, changed=changed)
        case Kind.EPT_MISCONFIGURATION:
            return Ending(kind, qualification, physical, changed=changed)
        case Kind.GENERAL_PROTECTION:
            return Ending(kind, changed=changed)
        case Kind.ENTRY_FAILURE:
            return Ending(kind, qualification, changed=changed)
        case Kind.OTHER:
            return Ending(kind, observation.exception << 32 | observation.exit_reason, changed=changed)


def _kind(observation: Observation) -> Kind:
    if observation.entry_error:
        return Kind.CONTROL_FAILURE
    number = observation.exit_reason & 0xFFFF
    if observation.exit_reason == 0 and observation.exception >> 31:
        number = (observation.exception & 0xFF) - 100
    return Kind(number) if number in {kind.value for kind in Kind} else Kind.OTHER


def virtualization_exception(case: Case, changed: Mapping[int, int]) -> Ending:
    """#VE: the exit's information lies in memory, and is taken out of there."""
    words = dict(changed)

    def take(offset: int) -> int:
        address = case.controls.ve_information_address + offset
        return words.pop(address, case.memory.get(address, 0))

    qualification, linear, physical = take(8), take(16), take(24)  # SDM "Virtualization Exceptions"
    return Ending(Kind.VIRTUALIZATION_EXCEPTION, qualification, physical, linear, changed=words)


def _words(words: Mapping[int, int]) -> str:
    return "{" + ", ".join(f"{address:#x}: {word:#x}" for address, word in sorted(words.items())) + "}"
