"""Work spread over processes: in order, and never a wait for somebody who is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifier.obligations.workers import WorkerDied, spread


@pytest.fixture(autouse=True)
def an_end_to_patience() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise AssertionError("no answer")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("count", "jobs"), [(0, 2), (1, 4), (2, 2), (20, 1), (20, 3), (3, 20)])
def test_results_come_in_order_whoever_finishes_first(count: int, jobs: int):
    def work(position: int) -> int:
        time.sleep((count - position) % 3 / 200)
        return position * position

    assert list(spread(work, count, jobs)) == [n * n for n in range(count)]


def test_several_processes_share_the_work_and_are_gone_afterwards():
    assert len(set(spread(lambda _: (time.sleep(0.05), os.getpid())[1], 8, 3))) == 3
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_is_an_error_that_says_what_it_was_at(number: signal.Signals):
    def work(position: int) -> int:
        if position == 3:
            os.kill(os.getpid(), number)
        return position

    with pytest.raises(WorkerDied) as raised:
        list(spread(work, 6, 2))
    assert (raised.value.position, raised.value.how) == (3, f"was ended by {number.name}")


def test_a_process_that_leaves_is_an_error():
    with pytest.raises(WorkerDied, match="ended with exit status 9"):
        list(spread(lambda _: os._exit(9), 2, 2))


def test_an_exception_is_raised_with_the_place_where_it_happened():
    def work(position: int) -> int:
        return 1 // (position - 2)

    with pytest.raises(ZeroDivisionError) as raised:
        list(spread(work, 4, 2))
    assert raised.value.__notes__ == [f"test_workers.py:{work.__code__.co_firstlineno + 1}"]


class Unportable(Exception):  # noqa: N818
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def test_an_exception_that_cannot_be_sent_is_told_in_words():
    def work(position: int) -> None:
        raise Unportable(position, position)

    with pytest.raises(RuntimeError, match=r"Unportable: . and ."):
        list(spread(work, 2, 2))


def test_whoever_stops_listening_ends_the_processes():
    results = spread(lambda position: position or time.sleep(0.01) or os.getpid(), 100, 2)
    child = next(results)
    results.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


# ---- signals

PROGRAM = """
import os, signal, sys, time
from verifier.obligations.workers import spread

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored

def work(position):
    os.write(2, b"%d\\n" % os.getpid())
    time.sleep(60 if position < 2 else 0)

try:
    list(spread(work, 4, 2))
except KeyboardInterrupt:
    sys.exit(130)
"""


def gone(child: int) -> bool:
    """Whether a process ends soon, or is dead and waits for somebody to bury it."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("whole_group", [False, True])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_everybody_without_a_word(number: signal.Signals, code: int, whole_group: bool):
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as run:
        assert run.stderr is not None
        children = [int(run.stderr.readline()) for _ in range(2)]
        (os.killpg if whole_group else os.kill)(run.pid, number)
        said = run.stderr.read()
    assert (said, run.returncode) == (b"", code)
    assert all(gone(child) for child in children)


def test_the_processes_of_a_caller_that_is_killed_end_after_their_call():
    program = PROGRAM.replace("60", "0.3")
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as run:
        assert run.stderr is not None
        children = [int(run.stderr.readline()) for _ in range(2)]
        run.kill()
        assert run.stderr.read() == b""
    assert all(gone(child) for child in children)
