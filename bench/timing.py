"""Times and their ratios.

In: two measured times. Out: one line.
Guarantee: processor and wall time are both shown; the ratio that counts is that of processor times.
Trusted: no.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Times:
    """Seconds: by the clock, and of this process and its children on a processor."""

    wall: float = 0.0
    processor: float = 0.0


def _processor() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def timed(into: Times) -> Generator[None]:
    """Adds what its block takes to `into`."""
    wall, processor = time.perf_counter(), _processor()
    yield
    into.wall += time.perf_counter() - wall
    into.processor += _processor() - processor


def ratio(name: str, measured: Times, peer: Times, limit: float) -> str:
    """`name`: the ratio, its limit, and the times that it was made of."""
    found = measured.processor / peer.processor
    return (
        f"{name:<10} {found:6.2f}  (at most {limit}; by the clock {measured.wall / peer.wall:.2f}; "
        f"{measured.processor:.2f} s over {peer.processor:.2f} s)"
    )
