"""In: a workload in numbers. Out: the trace of L2 that it stands for, and L2's pages.

Guarantee: the same workload gives the same trace; what happens at a rate is spread evenly.
Trusted: no, checked by tests/unit/models/hyperv.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from models.hyperv.l2 import KERNEL_EXECUTE, READ, USER_EXECUTE, WRITE, Page
from models.sdm import AccessKind


@dataclass(frozen=True, slots=True)
class Access:
    """An access to a page at the present CPL."""

    kind: AccessKind
    page: int


@dataclass(frozen=True, slots=True)
class Transition:
    """L2 goes on at this CPL: a system call, an exception, or the return from one."""

    cpl: int


@dataclass(frozen=True, slots=True)
class OtherExit:
    """A VM exit of L2 that has nothing to do with MBEC. L1 may answer it with an event: L2 goes on at CPL 0."""

    injects: bool = False


Event = Access | Transition | OtherExit

KERNEL_CODE, KERNEL_DATA, USER_DATA = 0, 1, 2
VERIFIED_USER_CODE = 3
USER_CODE = range(4, 12)
WRITABLE_USER_CODE = range(12, 16)
STANDARD_PAGES = (
    Page(protection=READ | KERNEL_EXECUTE | USER_EXECUTE, user=False, writable=False),
    Page(protection=READ | WRITE | USER_EXECUTE, user=False),
    Page(protection=READ | WRITE | USER_EXECUTE, user=True),
    Page(protection=READ | KERNEL_EXECUTE | USER_EXECUTE, user=True, writable=False),
    *(Page(protection=READ | USER_EXECUTE, user=True, writable=False) for _ in USER_CODE),
    *(Page(protection=READ | WRITE | USER_EXECUTE, user=True) for _ in WRITABLE_USER_CODE),
)
"""Memory under HVCI: KMX for verified code alone, which nothing may write; UMX everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Rates are per second and for all virtual processors together; shares are in percent.

    `round_trips`: from user mode into the kernel and back. `other_exits`: exits of L2 without MBEC's doing, of
    which `injecting` percent meet user mode and are answered with an event. `verified`: of the stays in user mode,
    those whose code is in pages with KMX. `writable`: of the others, those in pages that user mode may write.
    `milliseconds`: how much of a second is replayed.
    """

    round_trips: int = 35_000
    other_exits: int = 25_000
    injecting: int = 20
    verified: int = 0
    writable: int = 10
    milliseconds: int = 20

    def __post_init__(self) -> None:
        for name in ("injecting", "verified", "writable"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name}: {getattr(self, name)} is no share in percent")
        if self.in_all(self.round_trips) < 1:
            raise ValueError(f"{self.milliseconds} ms hold no round trip")

    def in_all(self, per_second: int) -> int:
        """How often it happens in what is replayed."""
        return per_second * self.milliseconds // 1000


def due(number: int, times: int, of: int) -> int:
    """How many of `times` events fall on turn `number` of `of`, spread evenly."""
    return (number + 1) * times // of - number * times // of


def trace(workload: Workload) -> Iterator[Event]:
    """L2's events; it begins and ends in the kernel."""
    turns = workload.in_all(workload.round_trips)
    exits = workload.in_all(workload.other_exits)
    injecting = exits * workload.injecting // 100
    for turn in range(turns):
        yield from _in_user_mode(workload, turn)
        for _ in range(due(turn, injecting, turns)):
            yield OtherExit(injects=True)
            yield from _in_kernel(turn)
            yield from _in_user_mode(workload, turn)
        yield Transition(0)
        yield from _in_kernel(turn)
        for _ in range(due(turn, exits - injecting, turns)):
            yield OtherExit()


def _in_user_mode(workload: Workload, turn: int) -> Iterator[Event]:
    yield Transition(3)
    yield Access("fetch", _user_code(workload, turn))
    yield Access("read", USER_DATA)
    yield Access("write", USER_DATA)


def _in_kernel(turn: int) -> Iterator[Event]:
    yield Access("fetch", KERNEL_CODE)
    yield Access("rmw", KERNEL_DATA)
    yield Access("write" if turn % 2 else "read", USER_DATA)


def _user_code(workload: Workload, turn: int) -> int:
    if due(turn, workload.verified, 100):
        return VERIFIED_USER_CODE
    pages = WRITABLE_USER_CODE if due(turn, workload.writable, 100) else USER_CODE
    return pages[turn % len(pages)]
