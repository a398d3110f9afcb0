"""The reference MMU against Bochs in this process, and the whole comparison of the two.

In: nothing; random walks. Out: one ratio, and a time.
Guarantee: both sides make the same accesses on the same memory: for Bochs a VM entry, the access and the exit.
Trusted: no.
"""
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
# (the comparison belongs to the tests.)

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from bench.timing import Times, ratio, timed

CASES = 20_000
SEED = 1
LIMIT = 3.0
COMPARISON_LIMIT = 30
DIFFERENTIAL = Path(__file__).parents[1] / "tests" / "differential"


def measure(words: tuple[str, ...] = ()) -> str:
    """The ratio of processor times, or why Bochs cannot be run here."""
    del words
    sys.path.insert(0, str(DIFFERENTIAL))
    from bochs import build, machine
    from bochs.compare import disagreements
    from bochs.generate import walks
    from bochs.reference import runs
    from bochs.walk import case

    from models.sdm import access

    if reason := build.missing():
        return f"machines   not measured: {reason}"
    cases = [case(walk) for walk in walks(Random(SEED), CASES)]
    accesses = [run for one in cases for run in runs(one)]
    machine.run(cases[:10])  # compiles the program and starts Bochs
    ours, theirs, whole = Times(), Times(), Times()
    with timed(theirs):
        machine.run(cases)
    with timed(ours):
        for run, request in accesses:
            access(run, request)
    with timed(whole):
        found = disagreements(walks(Random(SEED), CASES))
    line = ratio("machines", ours, theirs, LIMIT)
    compared = f"{CASES} walks compared in {whole.wall:.1f} s (at most {COMPARISON_LIMIT}), {len(found)} disagreements"
    return f"{line}\n           {len(accesses)} accesses; {compared}"
