"""What every comparison prints, and how a failing case is made small.

SLAT_SEED repeats the random cases of a run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
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
    """Cases with one scalar cleared or one key left out, then with one bit cleared.

    A case is a flag, a number, or a tuple, dictionary or dataclass of cases; all else stays as it is.
    """
    match case:
        case bool() | int():
            yield from _simpler_numbers(case)
        case tuple():
            for position, part in enumerate(case):
                for simpler in simpler_cases(part):
                    yield (*case[:position], simpler, *case[position + 1 :])
        case dict():
            for key in case:
                yield type(case)({k: v for k, v in case.items() if k != key})
            for key, part in case.items():
                yield from (type(case)({**case, key: simpler}) for simpler in simpler_cases(part))
        case _ if is_dataclass(case) and not isinstance(case, type):
            for field in fields(case):
                for simpler in simpler_cases(getattr(case, field.name)):
                    yield replace(case, **{field.name: simpler})
        case _:
            return


def _simpler_numbers(case: int) -> Iterator[int]:
    if case:
        yield type(case)(0)
        bits = (1 << bit for bit in range(0 if isinstance(case, bool) else case.bit_length()) if case >> bit & 1)
        yield from (case & ~bit for bit in bits if case & ~bit)
