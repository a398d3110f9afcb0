"""The processor under KVM, and a vCPU on it.

In: a version, and what the processor lacks. Out: values of `KvmHost` and `KvmVcpu`.
Guarantee: a host has all that the version's record names, but for what was said.
Trusted: no.
"""

from __future__ import annotations

from verifier.core.values import Value
from verifier.tables.version import Definitions, make

HOST, VCPU = "kvm.host.KvmHost", "kvm.mmu.KvmVcpu"


def everything(version: Definitions, without: str = "") -> Value:
    """A host that has everything, with every parameter on, but for one thing."""
    kind = version.record(HOST)
    return make(kind, **{field.name: field.name != without for field in kind.fields})


def l2_vcpu(version: Definitions, host: Value, l1: Value) -> Value:
    """A vCPU while L2 runs under controls that L1 selects."""
    return version.call("kvm.shadow.l2_vcpu", host=host, l1=l1)
