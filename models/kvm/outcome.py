"""In: nothing. Out: everything that an access of L2 can end in, beside what models/sdm has.

Guarantee: `Answer.final` is one of `Translated`, `PageFault`, `GeneralProtection`, `ReflectedExit`, `Emulated`,
`EntryFailure` and `Stuck`.
Trusted: no, checked by tests/unit/models/kvm.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from models.kvm.fetch import Result
from models.kvm.shadow_pages import SpteWrite
from models.kvm.vmcs02 import EntryFailure
from models.sdm import GeneralProtection, PageFault, Translated


@dataclass(frozen=True, slots=True)
class ReflectedExit:
    """L1 sees an exit: EPT violation (48) with a qualification, or EPT misconfiguration (49) with 0."""

    exit_reason: int
    exit_qualification: int
    guest_physical_address: int


@dataclass(frozen=True, slots=True)
class Emulated:
    """L0, or its user space, performs the access: L1 has no memory there ("mmio"), or only read-only memory, or it is
    a table that KVM shadows."""

    why: str
    guest_physical_address: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """L2 makes no progress: the same exit for ever, or an error that KVM gives up on."""

    because: str
    guest_physical_address: int


Final = Translated | PageFault | GeneralProtection | ReflectedExit | Emulated | EntryFailure | Stuck


@dataclass(frozen=True, slots=True)
class Fix:
    """One exit to L0 after which L2 tried again. `qualification` is None for a misconfiguration."""

    exit_reason: int
    qualification: int | None
    guest_physical_address: int
    error_code: int
    result: Result


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an access. `sptes`: every one that KVM wrote, in order; `memory_written`: every word of L0's
    memory that differs afterwards, SPTEs among them; `warnings`: what KVM would log."""

    final: Final
    fixes: tuple[Fix, ...]
    sptes: tuple[SpteWrite, ...]
    memory_written: Mapping[int, int]
    warnings: tuple[str, ...]
