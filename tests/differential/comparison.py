"""What every comparison prints, and how a failing case is made small.

SLAT_SEED repeats the random cases of a run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

import pytest


def seed() -> int:
    """SLAT_SEED, or a new one."""
    return int(os.environ.get("SLAT_SEED") or SystemRandom().getrandbits(32))


def say(capsys: pytest.CaptureFixture[str], name: str, cases: int, disagreements: int) -> None:
    """One line, also where pytest captures output."""
    with capsys.disabled():
        print(f"\n{name}: {cases} cases, {disagreements} disagreements")


def shrink(case: Any, fails: Callable[[Any], bool]) -> Any:
    """A failing case in which no flag and no bit can be cleared without making it pass."""
    while (simpler := next((c for c in simpler_cases(case) if fails(c)), None)) is not None:
        case = simpler
    return case


def simpler_cases(case: Any) -> Iterator[Any]:
    """Cases with one scalar cleared, then with one bit cleared; a case is a tuple of cases, a flag or a number."""
    if isinstance(case, tuple):
        for position, part in enumerate(case):
            for simpler in simpler_cases(part):
                yield (*case[:position], simpler, *case[position + 1 :])
    elif case:
        yield type(case)(0)
        if not isinstance(case, bool):
            yield from (
                case & ~(1 << bit) for bit in range(case.bit_length()) if case >> bit & 1 and case & ~(1 << bit)
            )
