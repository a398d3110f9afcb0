"""Work spread over processes.

In: a function, and how often it is to be called. Out: its results, in order.
Guarantee: a process that dies is an error, never a wait; whatever ends the caller (an exception, Ctrl-C, SIGTERM) ends
the processes at once and in silence, and if it is killed they end by themselves after the call they are in.
Trusted: no, checked by tests/unit/verifier/obligations/test_workers.py.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

T = TypeVar("T")

CONTEXT = multiprocessing.get_context("fork")
"""What the function needs is inherited, so it need not be sent."""


class WorkerDied(Exception):  # noqa: N818  (what happened, not what is wrong)
    """A process ended without an answer: `position` is what it was asked, `how` what ended it."""

    def __init__(self, position: int, how: str) -> None:
        super().__init__(position, how)
        self.position = position
        self.how = how


def spread(work: Callable[[int], T], count: int, jobs: int) -> Iterator[T]:
    """`work(0)` to `work(count - 1)`, in at most `jobs` processes; exceptions of `work` are raised here."""
    if jobs == 1 or count < 2:
        yield from map(work, range(count))
        return
    workers: list[_Worker] = []
    try:
        with _no_interrupt():
            for _ in range(min(jobs, count)):
                workers.append(_Worker(work, [worker.connection for worker in workers]))
        with _taking_along(workers):
            yield from _ordered(workers, count)
    finally:
        for worker in workers:
            worker.end()


def _ordered(workers: list[_Worker], count: int) -> Iterator[Any]:
    """Whoever is idle gets the next call; results are kept until their turn."""
    results: dict[int, Any] = {}
    calls = iter(range(count))
    for worker in workers:
        worker.ask(next(calls))
    busy: dict[object, _Worker] = {worker.connection: worker for worker in workers}
    for position in range(count):
        while position not in results:
            for ready in wait([worker.connection for worker in busy.values()]):
                worker = busy[ready]
                results[worker.position] = worker.answer()
                following = next(calls, None)
                if following is None:
                    del busy[ready]
                else:
                    worker.ask(following)
        yield results.pop(position)


class _Worker:
    """A process, our end of the connection to it, and what it was asked last."""

    def __init__(self, work: Callable[[int], object], others: list[Connection]) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.position = -1
        self._process = CONTEXT.Process(target=_serve, args=(work, theirs, [*others, self.connection]), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, position: int) -> None:
        self.position = position
        try:
            self.connection.send(position)
        except OSError:
            raise self._died() from None

    def answer(self) -> object:
        try:
            worked, value = self.connection.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if worked:
            return value
        raise value

    def _died(self) -> WorkerDied:
        self._process.join(10)
        code = self._process.exitcode
        if code is None or code >= 0:
            return WorkerDied(self.position, f"ended with exit status {code}")
        return WorkerDied(self.position, f"was ended by {signal.Signals(-code).name}")

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()


def _serve(work: Callable[[int], object], connection: Connection, inherited: list[Connection]) -> None:
    """What a process does: it answers until there is nobody left to ask."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:  # else a process would keep the connections of the others open
        other.close()
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(_answer(work, connection.recv()))


def _answer(work: Callable[[int], object], position: int) -> tuple[bool, object]:
    try:
        return True, work(position)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        error.add_note(f"{os.path.basename(last.filename)}:{last.lineno}")
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # whatever that exception makes of it
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return False, error


@contextlib.contextmanager
def _no_interrupt() -> Generator[None]:
    """Ctrl-C waits for the end, and never reaches processes that are started meanwhile: it is ours to end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _taking_along(workers: list[_Worker]) -> Generator[None]:
    """SIGTERM ends the processes, too."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not ours:
        yield
        return

    def end(number: int, _frame: object) -> None:
        for worker in workers:
            worker.kill()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
