"""An escalation as it would be drawn on a whiteboard: entries, role, what EPT12 says, what KVM's entry says.

In: an `Escalation`. Out: a heading, and four lines of a name and a text.
Guarantee: every number is one that a replay has run.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.obligations.access_case import AccessCase, Escalation, Outcome
from verifier.reports.access_words import operation_words, outcome_words
from verifier.reports.walk_bits import entry_bits

LEVELS = {5: "PML5E", 4: "PML4E", 3: "PDPTE", 2: "PDE", 1: "PTE"}
RIGHTS = 1 << 10 | 7
CAUSES = ("fetch", "write")
"""Flags of an error code, the one that tells the access first."""


def heading(found: Escalation) -> str:
    """What L2 can do that L1 withholds."""
    return f"an escalation: L2 can {operation_words(found.ept12.operation)}"


def lines(found: Escalation) -> Iterator[tuple[str, str]]:
    """Entry bits, role, what the hardware says of the access, and what KVM makes of it."""
    mbec = "mbec" in found.ept12.controls
    entries = [f"{LEVELS[level]} {entry:#x} = {entry_bits('EPT', entry, mbec)}" for level, entry in found.ept12.entries]
    yield "EPT12", ", ".join(entries)
    yield "role", f"MBEC {_mbec(found.ept12)} in vmcs12, {_mbec(found.ept02)} in vmcs02, {found.role}"
    yield "hardware", f"{outcome_words(found.ept12.expected)} under EPT12{_qualification(found.ept12.expected)}"
    entry = found.ept02.entries[-1][1]
    cause = next((flag for flag in CAUSES if flag in found.cause.split()), "read")
    bits = entry_bits("EPT", entry & RIGHTS, "mbec" in found.ept02.controls)
    yield "KVM", f"after a {cause} EPT02 has SPTE {entry:#x} = {bits} …, and lets it pass"


def _qualification(expected: Outcome) -> str:
    return f", exit qualification {expected.qualification:#x}" if expected.defined else ""


def _mbec(walk: AccessCase) -> str:
    return "on" if "mbec" in walk.controls else "off"
