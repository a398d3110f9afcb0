"""In: a machine. Out: `Run`, what one access carries through the model.

Guarantee: everything but the memory overlay and the trace stays as it was made.
Trusted: no, checked by tests/unit/models.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from models.sdm.ept.entry import TABLE_ADDRESS, EptConfiguration
from models.sdm.memory import PhysicalMemory
from models.sdm.requests import Circumstances
from models.sdm.trace import Step, Trace
from models.sdm.vmx.controls import Vmcs
from models.sdm.vmx.guest import Guest
from models.sdm.vmx.processor import Processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A processor in VMX non-root operation, its VMCS, its guest and host-physical memory.

    `memory` maps host-physical addresses (multiples of 8) to 64-bit words; what is not listed is 0.
    """

    processor: Processor
    vmcs: Vmcs
    guest: Guest
    memory: Mapping[int, int]


@dataclass(slots=True)
class Run:
    """One access under way.

    `ept` is EPT_OFF while EPT is off; `pdptes` are the PDPTE registers; `linear_address` is None where an
    exit saves no guest-linear address.
    """

    vmcs: Vmcs
    guest: Guest
    memory: PhysicalMemory
    ept: EptConfiguration
    circumstances: Circumstances
    pdptes: tuple[int, ...]
    linear_address: int | None
    trace: Trace | None

    @property
    def ept_root(self) -> int:
        """Host-physical address of the EPT root table."""
        return self.vmcs.eptp & TABLE_ADDRESS

    def step(self, stage: str, note: str, address: int | None = None, entry: int | None = None) -> None:
        """Appends a step to the trace, if there is one."""
        if self.trace is not None:
            self.trace.append(Step(stage, note, address, entry))
