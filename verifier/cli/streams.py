"""Standard streams that are closed, full, or whose reader is gone.

In: the streams that Python found. Out: streams that commands can use as if nothing were wrong with them.
Guarantee: standard output that takes no more is an error once, and no second one at the end of the process; standard
error that takes no more changes no exit code; no file that is opened later gets the number of a closed stream.
Trusted: no, checked by tests/conformance/test_streams.py.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import Any, TextIO

from verifier.cli.shared import fail, reason


def prepare() -> None:
    """Replaces standard output and standard error, once for a process."""
    for handle in range(3):  # in this order, so that what is opened gets the number that is missing
        try:
            os.fstat(handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDONLY)
    sys.stdout = _text(_Output(sys.stdout is None), sys.stdout)  # pyright: ignore[reportUnnecessaryComparison]
    sys.stderr = _text(_Remarks(2, "w", closefd=False), sys.stderr)


def _text(raw: io.FileIO, before: TextIO | None) -> TextIO:
    """A text stream; what its encoding lacks is written as escapes."""
    encoding = "utf-8" if before is None else before.encoding
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding, errors="backslashreplace", line_buffering=raw.isatty())


class _Output(io.FileIO):
    """Standard output: the first write that fails is an error, and what comes after it is lost."""

    def __init__(self, missing: bool) -> None:
        super().__init__(1, "w", closefd=False)
        self._missing = missing
        self._lost = False

    def write(self, b: Any, /) -> int:
        if self._lost:
            return len(b)
        try:
            return self._write(b)
        except BaseException:
            self._lost = True
            raise

    def _write(self, data: Any) -> int:
        if self._missing:
            raise fail("cannot write standard output: it is closed", "")
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            raise fail(f"cannot write standard output: {reason(error)}", "") from None
        return written


class _Remarks(io.FileIO):
    """Standard error: what cannot be written is lost."""

    def write(self, b: Any, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(b) or len(b)
        return len(b)
