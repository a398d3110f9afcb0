"""What can be wrong with a text before it is a tree. Codes E101 to E109.

In: places and words. Out: diagnostics.
Guarantee: each class has its own code, a page and a golden pair.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.diagnostics.model import Diagnostic, shorten


@dataclass(frozen=True, slots=True)
class Unexpected(Diagnostic):
    """A word that cannot stand where it does; `advice` is the way out if the mistake is a known one."""

    code = "E101"
    problem: str
    expected: tuple[str, ...]
    advice: str

    def message(self) -> str:
        return self.problem

    def label(self) -> str:
        if self.advice or not self.expected:
            return ""
        *others, last = self.expected
        return f"expected {', '.join(others)} or {last}" if others else f"expected {last}"

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class UnexpectedCharacter(Diagnostic):
    """A character that begins no word of the language."""

    code = "E102"
    found: str

    def message(self) -> str:
        shown = self.found if self.found.isprintable() else f"U+{ord(self.found):04X}"
        return f"`{shown}` begins no word of the language"

    def help(self) -> str:
        match self.found:
            case "'":
                return 'strings stand in double quotes: `"…"`'
            case "#":
                return "a comment begins with `//`"
            case "\ufeff":
                return "save the file without a byte order mark"
            case _ if not self.found.isascii():
                return "outside of strings and comments only ASCII is used"
            case _:
                return ""


@dataclass(frozen=True, slots=True)
class NotUtf8(Diagnostic):
    """A file whose bytes are not UTF-8; the span is the place of the first bad byte."""

    code = "E103"
    offset: int

    def message(self) -> str:
        return f"the file is not UTF-8: byte {self.offset} begins no character"

    def help(self) -> str:
        return "save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class TooDeep(Diagnostic):
    """An expression or type nested deeper than the language allows."""

    code = "E104"
    limit: int

    def message(self) -> str:
        return f"expressions nest at most {self.limit} deep"

    def help(self) -> str:
        return "name a part of it with `fn`"


@dataclass(frozen=True, slots=True)
class Mixed(Diagnostic):
    """Two operators side by side of which neither comes first."""

    code = "E105"
    first: str
    second: str

    def message(self) -> str:
        if self.first == self.second:
            return f"`{self.first}` cannot be repeated without parentheses"
        return f"`{self.first}` and `{self.second}` need parentheses between them"

    def help(self) -> str:
        one, other = self.first, self.second
        if {one, other} <= {"<", "<=", ">", ">=", "==", "!="}:
            return f"write `a {one} b && b {other} c`"
        return f"write `(a {one} b) {other} c` or `a {one} (b {other} c)`"


@dataclass(frozen=True, slots=True)
class LookAlike(Diagnostic):
    """An operator or a word of another language."""

    code = "E106"
    found: str
    advice: str

    def message(self) -> str:
        return f"`{self.found}` is not part of the language"

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class LongNumber(Diagnostic):
    """A number with more digits than any value has."""

    code = "E107"
    digits: int
    limit: int

    def message(self) -> str:
        return f"a number of {self.digits} digits is wider than any value"

    def help(self) -> str:
        return f"no number has more than {self.limit} digits"


@dataclass(frozen=True, slots=True)
class OpenString(Diagnostic):
    """A string without its closing quote."""

    code = "E108"

    def message(self) -> str:
        return "this string does not end"

    def help(self) -> str:
        return 'a string ends with `"` on the line on which it begins'


@dataclass(frozen=True, slots=True)
class RunTogether(Diagnostic):
    """Two words without a space between them."""

    code = "E109"
    first: str
    second: str

    def message(self) -> str:
        first, second = shorten(self.first), shorten(self.second)
        return f"`{first}{second}` reads as `{first} {second}`"

    def help(self) -> str:
        if self.first[0].isdigit():
            return "a number is decimal or `0x…`, and has no other letters in it"
        return "put a space between the words, or correct the spelling"
