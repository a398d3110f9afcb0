"""In: a trace of L2. Out: L2's VM exits by cause, with Restricted User Mode or MBEC, and what they cost L0.

Guarantee: which access exits is what the reference MMU says of it; everything else is counted from `Nesting`.
Trusted: no, checked by tests/unit/models/hyperv and tests/differential.

Restricted User Mode as modelled: L1 runs L2 under EPT_K or EPT_U. V1: a way out of user mode switches to EPT_K
before the kernel's first fetch. V2: a fetch in user mode that only EPT_K stops switches to EPT_U and is tried again.
That there are two EPTs is published; V1, V2 and one VM exit for each switch are assumptions.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from models.hyperv.l2 import L2, USER_EXECUTE, Ept
from models.hyperv.trace import Access, Event, OtherExit, Transition
from models.sdm import EptViolation, Outcome, Translated

Mode = Literal["Restricted User Mode", "MBEC"]
L2Cause = Literal["switch to EPT_U (V2)", "switch to EPT_K (V1)", "protection violated", "other exit of L2"]
L1Cause = Literal["VMRESUME by L1", "VMREAD by L1", "VMWRITE by L1"]
Cause = L2Cause | L1Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """What L1 does to handle one exit of L2. Each VMREAD, VMWRITE and VMRESUME of L1 is a VM exit of its own.

    With an enlightened VMCS the fields are in L1's memory, and only VMRESUME is left.
    """

    vmreads: int = 7
    vmwrites: int = 2
    enlightened_vmcs: bool = False


@dataclass(slots=True)
class Replay:
    """`exits` of L2 by cause; `eptp_writes`: how often L1 changed the EPT pointer; `done`: for each access."""

    exits: Counter[L2Cause] = field(default_factory=Counter[L2Cause])
    eptp_writes: int = 0
    done: list[bool] = field(default_factory=list[bool])


def replay(trace: Iterable[Event], l2: L2, mode: Mode) -> Replay:
    """Runs a trace that begins in the kernel."""
    run = _Run(l2, "MBEC" if mode == "MBEC" else "EPT_K")
    for event in trace:
        if isinstance(event, Access):
            run.access(event)
        elif isinstance(event, Transition):
            run.transition(event.cpl)
        else:
            run.other_exit(event)
    return run.result


def all_exits(replayed: Replay, nesting: Nesting) -> Counter[Cause]:
    """VM exits to L0 by cause, those of L1 included."""
    handled = replayed.exits.total()
    counts = Counter[Cause](replayed.exits)
    counts["VMRESUME by L1"] = handled
    if not nesting.enlightened_vmcs:
        counts["VMREAD by L1"] = handled * nesting.vmreads
        counts["VMWRITE by L1"] = handled * nesting.vmwrites + replayed.eptp_writes
    return counts


@dataclass(slots=True)
class _Run:
    l2: L2
    ept: Ept
    cpl: int = 0
    result: Replay = field(default_factory=Replay)

    def access(self, event: Access) -> None:
        outcome = self._attempt(event)
        if isinstance(outcome, EptViolation) and self._is_for_the_other_view(event):
            self._exit("switch to EPT_U (V2)", "EPT_U")
            outcome = self._attempt(event)
        if isinstance(outcome, EptViolation):
            self._exit("protection violated", self.ept)
        self.result.done.append(isinstance(outcome, Translated))

    def transition(self, cpl: int) -> None:
        if cpl != 3 and self.ept == "EPT_U":
            self._exit("switch to EPT_K (V1)", "EPT_K")
        self.cpl = cpl

    def other_exit(self, event: OtherExit) -> None:
        """An event that L1 injects enters the kernel; the switch to EPT_K then costs no exit of its own."""
        self._exit("other exit of L2", "EPT_K" if event.injects and self.ept == "EPT_U" else self.ept)
        if event.injects:
            self.cpl = 0

    def _attempt(self, event: Access) -> Outcome:
        return self.l2.attempt(self.ept, self.cpl, event.kind, event.page)

    def _is_for_the_other_view(self, event: Access) -> bool:
        umx = self.l2.pages[event.page].protection & USER_EXECUTE
        return self.ept == "EPT_K" and self.cpl == 3 and event.kind == "fetch" and umx != 0

    def _exit(self, cause: L2Cause, ept: Ept) -> None:
        """L1 handles an exit and runs L2 on under `ept`."""
        self.result.exits[cause] += 1
        self.result.eptp_writes += ept != self.ept
        self.ept = ept
