"""The vectorised decision over the scalar one, and a sweep of the permission core.

In: nothing. Out: one ratio, and a time.
Guarantee: both decide the same walks; memory for the scalar walks is laid out beforehand.
Trusted: no.
"""

from __future__ import annotations

import numpy as np

from bench.timing import Times, timed
from models.sdm import Circumstances, Guest, PhysicalAccess, Vmcs
from models.sdm.ept.access import physical_access
from models.sdm.ept.entry import configure
from models.sdm.ept.vectorised import VIOLATION, Words, decide
from models.sdm.ept.walk import translate
from models.sdm.memory import PhysicalMemory
from models.sdm.run import Run

ROOT = 0x600000
CAPABILITIES, MBE_AND_EPT = 0x6734141, 1 << 22 | 1 << 1
GUEST = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
SCALAR, COMBINATIONS = 1 << 16, 1 << 24
FASTER, ROUNDS, SWEEP_LIMIT = 30, 10, 10


def patterns(count: int) -> Words:
    """The first `count` combinations of R, W, X, XU, accessed and dirty in four entries, a walk a column."""
    number = np.arange(count, dtype=np.uint64)
    rows = [number >> np.uint64(6 * level) & np.uint64(63) for level in range(4)]
    spread = [
        row & np.uint64(7) | (row & np.uint64(8)) << np.uint64(7) | (row & np.uint64(48)) << np.uint64(4)
        for row in rows
    ]
    addresses = (np.arange(4, dtype=np.uint64) + np.uint64(0x700)) << np.uint64(12)
    return np.stack(spread) | addresses[:, None]


def measure(words: tuple[str, ...] = ()) -> str:
    """The ratio of processor times for one walk, and the time of the sweep."""
    del words
    configuration = configure(40, CAPABILITIES, 0x1E, MBE_AND_EPT, 0)
    fetch = physical_access(configuration, PhysicalAccess(kind="fetch", guest_physical_address=0), "none")
    vmcs = Vmcs(eptp=ROOT, primary_controls=0, secondary_controls=0)
    entries = patterns(SCALAR)
    tables = (ROOT, 0x700000, 0x701000, 0x702000)
    memories: list[dict[int, int]] = [dict(zip(tables, column, strict=True)) for column in entries.T.tolist()]
    scalar, vectorised, sweep = Times(), Times(), Times()
    with timed(scalar):
        for memory in memories:
            run = Run(vmcs, GUEST, PhysicalMemory(memory), configuration, Circumstances(), (), None, None)
            translate(run, 0, fetch)
    with timed(vectorised):
        for _ in range(ROUNDS):
            decide(configuration, fetch, entries)
    everything = patterns(COMBINATIONS)
    with timed(sweep):
        violations = np.count_nonzero(decide(configuration, fetch, everything).outcome == VIOLATION)
    faster = scalar.processor / vectorised.processor * ROUNDS
    line = f"sweep      {faster:6.0f}  times as fast as the scalar walk (at least {FASTER})"
    done = f"2^24 combinations in {sweep.wall:.1f} s (at most {SWEEP_LIMIT})"
    return f"{line}\n           {done}, {violations} of them violations"
