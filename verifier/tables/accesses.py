"""Accesses, and the error codes with which KVM looks them up.

In: an MMU. Out: each kind of access in each mode, with its index into `permissions[]`.
Guarantee: indices are computed by the specification: for EPT from the exit qualification of a violation, for NPT and a
guest's own tables from a page-fault error code.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.core.values import Value
from verifier.tables.host import VCPU
from verifier.tables.mmus import Mmu
from verifier.tables.version import Definitions, flags, make

QUALIFICATION, PFERR = "sdm.ept.qualification.EptViolationQualification", "kvm.asm_kvm_host.Pferr"
INDEX = "kvm.mmu.permission_index"


@dataclass(frozen=True, slots=True)
class Mode:
    """Who accesses; `letter` is short for it. `error` and `qualification` are bits of error code and qualification."""

    letter: str
    name: str
    error: tuple[str, ...] = ()
    qualification: tuple[str, ...] = ()
    cpl: int = 0
    ac: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """`code` is the error code that `vcpu` looks up, at `index` of `permissions[]`."""

    kind: str
    mode: Mode
    vcpu: Value
    code: Value
    index: int


READ, WRITE, FETCH = ("read", ()), ("write", ("write",)), ("fetch", ("fetch",))
"""A kind of access, and the bits that it sets in a page-fault error code."""

TRANSLATED = ("linear_address_valid", "translation")
SUPERVISOR = Mode("S", "supervisor", (), TRANSLATED)
USER = Mode("U", "user", ("user",), (*TRANSLATED, "user_mode_address"), cpl=3)
PAGE_TABLE = Mode("T", "guest page table", (), ("linear_address_valid",))
FLAGGED = Mode("A", "supervisor with EFLAGS.AC", ac=True)
IMPLICIT = Mode("I", "implicit supervisor", ("implicit_access",), ac=True)
MODES = {
    "ept": (SUPERVISOR, USER, PAGE_TABLE),
    "npt": (SUPERVISOR, USER),
    "guest": (SUPERVISOR, FLAGGED, IMPLICIT, USER),
}
"""The modes that are told apart, by the kind of MMU."""


def accesses(version: Definitions, mmu: Mmu) -> Iterator[Access]:
    """The accesses that an MMU of this kind sees; nothing is fetched from a page table, or implicitly."""
    for kind, bits in (READ, WRITE, FETCH):
        for mode in MODES[mmu.kind.word]:
            if kind == "fetch" and mode in (PAGE_TABLE, IMPLICIT):
                continue
            vcpu = make(version.record(VCPU), mmu=mmu.value, cpl=mode.cpl, ac=mode.ac)
            code = _error_code(version, mmu, (*bits, *mode.error), (kind, *mode.qualification))
            yield Access(kind, mode, vcpu, code, version.number(INDEX, vcpu=vcpu, access=code))


def _error_code(version: Definitions, mmu: Mmu, bits: tuple[str, ...], qualification: tuple[str, ...]) -> Value:
    """The error code that KVM looks up for an access."""
    if mmu.kind.word == "ept":
        seen = flags(version.layout(QUALIFICATION), *qualification)
        return version.call("kvm.common.vmx_handle_ept_violation", mmu=mmu.value, exit_qualification=seen)
    code = flags(version.layout(PFERR), *bits)
    if mmu.kind.word == "npt":
        gmet = bool(mmu.settings.get("gmet", 0))
        return version.call("kvm.svm.svm_translate_nested_gpa", access=code, vmcb12_gmet=gmet)
    return code
