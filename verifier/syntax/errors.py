"""What can be wrong with a text before it is a tree. Codes E101 to E109."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.diagnostics.model import Diagnostic


@dataclass(frozen=True, slots=True)
class UnexpectedToken(Diagnostic):
    """The parser met a token that no rule allows here."""

    code = "E101"
    found: str
    expected: tuple[str, ...]
    advice: str

    def message(self) -> str:
        return f"unexpected `{self.found}`" if self.found else "the file ends too early"

    def label(self) -> str:
        if not self.expected:
            return "not expected here"
        if len(self.expected) == 1:
            return f"expected {self.expected[0]}"
        return f"expected {', '.join(self.expected[:-1])} or {self.expected[-1]}"

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class UnexpectedCharacter(Diagnostic):
    """A character that begins no token."""

    code = "E102"
    found: str

    def message(self) -> str:
        shown = self.found if self.found.isprintable() else f"U+{ord(self.found):04X}"
        return f"`{shown}` begins no word of the language"

    def help(self) -> str:
        if self.found == '"':
            return "a string ends on the line on which it begins"
        return ""


@dataclass(frozen=True, slots=True)
class NotUtf8(Diagnostic):
    """A file whose bytes are not UTF-8; the span covers the text before the first bad byte's line."""

    code = "E103"
    offset: int

    def message(self) -> str:
        return f"the file is not UTF-8: byte {self.offset} begins no character"

    def help(self) -> str:
        return "save the file as UTF-8"
