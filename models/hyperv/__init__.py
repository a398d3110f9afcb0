"""In: a trace of L2. Out: VM exits by cause under Restricted User Mode and under MBEC.

Guarantee: the names here are the public interface; README.md describes it.
Trusted: no, checked by tests/unit/models/hyperv and tests/differential.
"""

from models.hyperv.exits import Nesting, Replay, all_exits, replay
from models.hyperv.l2 import L2, NO_PAGING, NO_SMEP, SMEP, Page, Registers
from models.hyperv.report import report
from models.hyperv.trace import Access, OtherExit, Transition, Workload, trace

__all__ = [
    "L2",
    "NO_PAGING",
    "NO_SMEP",
    "SMEP",
    "Access",
    "Nesting",
    "OtherExit",
    "Page",
    "Registers",
    "Replay",
    "Transition",
    "Workload",
    "all_exits",
    "replay",
    "report",
    "trace",
]
