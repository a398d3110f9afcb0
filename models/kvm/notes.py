"""In: what KVM looked at and did. Out: steps of a trace.

Guarantee: without a trace nothing is made; nothing here decides.
Trusted: no, checked by tests/unit/models/kvm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.kvm.asm_vmx import EXIT_REASON_EPT_MISCONFIG
from models.kvm.gpte import gpte_access, is_last_gpte
from models.kvm.masks import ShadowMasks
from models.kvm.pferr import pferr_names
from models.kvm.shadow_pages import SpteWrite
from models.kvm.spte import SPTE_ADDRESS, is_access_track_spte, is_last_spte, is_shadow_present_pte
from models.kvm.version import Version
from models.kvm.walk import LEVEL_NAMES, WalkFault
from models.sdm.trace import Step, Trace

RIGHTS = ((1 << 0, "R"), (1 << 1, "W"), (1 << 2, "XS"), (1 << 10, "XU"))


def acc_names(version: Version, access: int) -> str:
    """ACC_* bits by name: "READ|EXEC|USER_EXEC", "ALL", "0"."""
    acc = version.acc
    if access == acc.all:
        return "ALL"
    names = ((acc.read, "READ"), (acc.write, "WRITE"), (acc.exec, "EXEC"), (acc.user_exec, "USER_EXEC"))
    return "|".join(name for mask, name in names if mask and access & mask) or "0"


def note_exit(trace: Trace | None, reason: int, qualification: int | None, address: int) -> None:
    """L2 exits to L0."""
    if trace is None:
        return
    misconfigured = reason == EXIT_REASON_EPT_MISCONFIG
    what = "EPT misconfiguration" if misconfigured else f"EPT violation, qualification {hex(qualification or 0)}"
    trace.append(Step("L0 exit", f"{what}: KVM handles it", address))


def note_error_code(trace: Trace | None, error_code: int) -> None:
    """The error code that KVM makes of the exit."""
    if trace is not None:
        trace.append(Step("KVM", f"error code {hex(error_code)} = {pferr_names(error_code)}"))


@dataclass(frozen=True, slots=True)
class GpteRead:
    """KVM read an entry of EPT12 of a level at L1's address `at`; `rights` is the AND with those above it."""

    level: int
    at: int
    entry: int | None
    rights: int


def note_gpte(trace: Trace | None, version: Version, read: GpteRead) -> None:
    """An entry of EPT12."""
    if trace is None:
        return
    stage, entry = f"EPT12 {LEVEL_NAMES[read.level]}", read.entry
    if entry is None:
        trace.append(Step(stage, "L1 has no memory there", read.at))
        return
    rights = " ".join(name for mask, name in RIGHTS if entry & mask) or "no rights"
    kind = "page" if is_last_gpte(entry, read.level) else "table"
    so_far = acc_names(version, gpte_access(version, read.rights))
    note = f"{rights} -> {kind} {hex(entry & SPTE_ADDRESS)}; rights so far: {so_far}"
    trace.append(Step(stage, note, read.at, entry))


def note_walk_fault(trace: Trace | None, fault: WalkFault) -> None:
    """EPT12 denies the access: L1 is told."""
    if trace is not None:
        trace.append(Step("KVM", f"EPT12 {LEVEL_NAMES[fault.level]}: {fault.why}; reflected to L1"))


def note_result(trace: Trace | None, masks: ShadowMasks, result: str, written: Sequence[SpteWrite]) -> None:
    """What KVM wrote, and what follows."""
    if trace is None:
        return
    for write in written:
        note = describe_spte(masks, write.after, write.level)
        trace.append(Step(f"SPTE {LEVEL_NAMES[write.level]}", note, write.address, write.after))
    again = result in ("fixed", "spurious")
    trace.append(Step("KVM", f"{result}: L2 tries again" if again else f"{result}: L0 emulates the access"))


def describe_spte(masks: ShadowMasks, spte: int, level: int) -> str:
    """An SPTE in words."""
    if not is_shadow_present_pte(spte):
        return "MMIO" if spte & 7 else "not present"
    rights = " ".join(name for mask, name in RIGHTS if spte & mask) or "no rights"
    if is_access_track_spte(masks, spte):
        rights = "access-tracked"
    kind = "page" if is_last_spte(spte, level) else "table"
    return f"{rights} -> {kind} {hex(spte & SPTE_ADDRESS)}"
