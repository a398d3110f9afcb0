"""Every test here runs as `slat` does: with room for recursion, and with an end to its patience."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest
from fuzz.hostile import SECONDS


@pytest.fixture(autouse=True)
def as_slat_runs() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise AssertionError(f"no answer within {SECONDS} seconds")

    limit = sys.getrecursionlimit()
    before = signal.signal(signal.SIGALRM, give_up)
    sys.setrecursionlimit(20_000)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    sys.setrecursionlimit(limit)
