"""In: a version of KVM, a host, an L1 with its vmcs12, an L2. Out: what KVM's shadow MMU makes of L2's accesses.

Guarantee: the names here are the public interface of the model; README.md describes it. The pure functions have the
kernel's names and stand in the modules that README.md lists.
Trusted: no, checked by tests/tables, tests/unit/models/kvm and tests/differential.
"""

from models.kvm.capabilities import Host, Kvm, NestedMsrs, Parameters, UserSpace, hardware_setup
from models.kvm.l1_memory import Slot
from models.kvm.nested import Nested, Setting
from models.kvm.outcome import Answer, Emulated, Final, Fix, ReflectedExit, Stuck
from models.kvm.shadow_pages import SpteWrite
from models.kvm.version import NEWEST, OLD, RFC, V1, V3, V5, VERSIONS, Version
from models.kvm.vmcs02 import EntryFailure

__all__ = [
    "NEWEST",
    "OLD",
    "RFC",
    "V1",
    "V3",
    "V5",
    "VERSIONS",
    "Answer",
    "Emulated",
    "EntryFailure",
    "Final",
    "Fix",
    "Host",
    "Kvm",
    "Nested",
    "NestedMsrs",
    "Parameters",
    "ReflectedExit",
    "Setting",
    "Slot",
    "SpteWrite",
    "Stuck",
    "UserSpace",
    "Version",
    "hardware_setup",
]
