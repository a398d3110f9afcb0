"""What a diagnostic is.

In: a code, a place and words. Out: frozen values that `render` turns into text.
Guarantee: every code has a page under `pages/` and a golden pair under `tests/golden/check`.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from verifier.source import Span


@dataclass(frozen=True, slots=True)
class Note:
    """A remark under a diagnostic; with a place if it points somewhere."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """The base of every error and warning: each kind is one dataclass with its own `code`.

    `span` is None only where no text exists to point at (a missing file, an option).
    """

    code: ClassVar[str] = "E000"
    severity: ClassVar[str] = "error"

    span: Span | None

    def message(self) -> str:
        """One sentence in lower case without a full stop; code and values in backticks."""
        raise NotImplementedError

    def label(self) -> str:
        """A few words beside the caret; empty for none."""
        return ""

    def notes(self) -> tuple[Note, ...]:
        return ()

    def help(self) -> str:
        """The way out, in one line; empty for none."""
        return ""


@dataclass(frozen=True, slots=True)
class Noted(Diagnostic):
    """Another diagnostic with one more remark."""

    inner: Diagnostic
    remark: str

    @property
    def code(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  (it is that of another)
        return self.inner.code

    @property
    def severity(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  (it is that of another)
        return self.inner.severity

    def message(self) -> str:
        return self.inner.message()

    def label(self) -> str:
        return self.inner.label()

    def notes(self) -> tuple[Note, ...]:
        return (*self.inner.notes(), Note(self.remark))

    def help(self) -> str:
        return self.inner.help()


class Diagnosed(Exception):  # noqa: N818  (it carries findings, it is not one)
    """Raised by a stage that cannot go on; carries every diagnostic of that stage."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(f"{len(self.diagnostics)} diagnostics")


def nearest(word: str, known: Iterable[str]) -> str:
    """A help line that offers the known words closest to `word`, or the empty string."""
    close = difflib.get_close_matches(word, sorted(set(known)), n=2, cutoff=0.6)
    if not close:
        return ""
    return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"


def shorten(text: str, limit: int = 40) -> str:
    """The text, cut to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
