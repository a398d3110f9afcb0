"""One access of a guest under EPT, and what the architecture makes of it.

In: a walk of an example that a replay has run. Out: what a test of such an access sets up, and what it expects.
Guarantee: data only, in the words of `specs/sdm/ept`; nothing of a solver and nothing of a test's harness.
Trusted: no: made by the replay, which has compared the specifications with the reference MMU.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`outcome` is a member of `EptOutcome`, or `#VE` or `#PF`; undefined bits of `qualification` are 0.

    `stage` tells where a translation of a linear address ends; it is empty for an access to EPT alone.
    """

    outcome: str
    qualification: int
    defined: int
    stage: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`kind` and `cause` are members of `EptAccessKind` and `EptAccessCause`; the truth values are of the guest's page.

    `paging` is CR0.PG; `user` whether user-mode code makes the access.
    """

    kind: str
    cause: str
    user: bool
    paging: bool
    user_mode: bool
    writable: bool
    execute_disable: bool


@dataclass(frozen=True, slots=True)
class AccessCase:
    """A walk of EPT: `walk` is its path in the example, `entries` are those used, by level (5 for a PML5E) downwards.

    `controls` are the truth values of `EptControls` that hold, `needs` and `lacks` the capabilities on which the
    outcome depends. `scenario` is the slat-scenario-1 document that was run; `maxphyaddr` is its width.
    """

    walk: str
    controls: tuple[str, ...]
    needs: tuple[str, ...]
    lacks: tuple[str, ...]
    maxphyaddr: int
    guest_physical: int
    entries: tuple[tuple[int, int], ...]
    operation: Operation
    expected: Outcome
    scenario: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """An access of L2 that EPT12 denies and EPT02 lets pass, once KVM has mapped the page for another one.

    `role` are the fields of the shadow root's role that are not 0, `cause` those of the other access's error code.
    """

    ept12: AccessCase
    ept02: AccessCase
    role: str
    cause: str
