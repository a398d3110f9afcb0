"""What can be wrong with types. Codes E201 to E220, W201.

In: places and words. Out: diagnostics.
Guarantee: each class has its own code, a page and a golden pair.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.diagnostics.model import Diagnostic, Note, nearest, shorten
from verifier.source import Span


@dataclass(frozen=True, slots=True)
class Mismatch(Diagnostic):
    """A value of one type where another is needed."""

    code = "E201"
    found: str
    wanted: str

    def message(self) -> str:
        found = self.found if self.found == "a number" else f"`{self.found}`"
        return f"this is {found}, but `{self.wanted}` is needed"

    def help(self) -> str:
        if self.found == "bool" and self.wanted.startswith("bits"):
            return "`if b then 1 else 0` turns a truth value into a number"
        if self.wanted == "bool":
            return "write `true` or `false`" if self.found == "a number" else "compare it: `… != 0`"
        if self.found.startswith("bits") and self.wanted.startswith("bits"):
            return "no width changes by itself: `extend(x, n)` widens, `x[high:low]` cuts"
        if self.wanted.startswith("bits"):
            return "`.raw` gives the bits of a bitfield or an enum"
        if self.found.startswith("bits") and self.wanted[0].isupper():
            return f"`{self.wanted}(…)` makes a bitfield of its bits"
        return ""


@dataclass(frozen=True, slots=True)
class WidthUnknown(Diagnostic):
    """A number, mask or `undefined` whose context gives it no width."""

    code = "E202"

    def message(self) -> str:
        return "nothing here says how wide this is"

    def help(self) -> str:
        return "put a value of known width beside it, or say the type: `let x: bits(64) = …`"


@dataclass(frozen=True, slots=True)
class TooWide(Diagnostic):
    """A number or bit position that does not fit its width."""

    code = "E203"
    value: str
    width: int

    def message(self) -> str:
        return f"`{shorten(self.value)}` does not fit in {self.width} bit{'s' if self.width != 1 else ''}"

    def help(self) -> str:
        if self.value.startswith("["):
            return f"the positions are 0 to {self.width - 1}" if self.width > 1 else "the only position is 0"
        return f"the greatest number is {(1 << self.width) - 1:#x}" if self.width <= 64 else ""


@dataclass(frozen=True, slots=True)
class Reversed(Diagnostic):
    """A range of bits whose first position is below its second."""

    code = "E204"
    high: int
    low: int

    def message(self) -> str:
        return f"`[{self.high}:{self.low}]` runs upwards"

    def help(self) -> str:
        return f"the manual's order is high to low: `[{self.low}:{self.high}]`"


@dataclass(frozen=True, slots=True)
class Overlap(Diagnostic):
    """Two fields of a layout that share a bit."""

    code = "E205"
    name: str
    other: str
    bit: int
    first: Span

    def message(self) -> str:
        return f"`{self.name}` and `{self.other}` both take bit {self.bit}"

    def notes(self) -> tuple[Note, ...]:
        return (Note(f"`{self.other}` is declared here", self.first),)


@dataclass(frozen=True, slots=True)
class BadDeclaration(Diagnostic):
    """A declaration that describes no type."""

    code = "E206"
    problem: str
    advice: str = ""

    def message(self) -> str:
        return self.problem

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class NotExhaustive(Diagnostic):
    """A match that misses a case."""

    code = "E207"
    missing: str

    def message(self) -> str:
        return "no arm covers the other numbers" if self.missing == "_" else f"no arm covers `{self.missing}`"

    def help(self) -> str:
        if self.missing == "_":
            return "add a last `case _ : …` for all that remain"
        return f"add `case {self.missing} : …`, or a last `case _ : …` for all that remain"


@dataclass(frozen=True, slots=True)
class OverlappingArms(Diagnostic):
    """Two arms of a match that cover the same case."""

    code = "E208"
    example: str
    first: Span

    def message(self) -> str:
        return f"`{self.example}` is covered twice"

    def notes(self) -> tuple[Note, ...]:
        return (Note("the other arm is here", self.first),)

    def help(self) -> str:
        return "arms do not overlap, so their order says nothing; name the cases of this arm"


@dataclass(frozen=True, slots=True)
class UnusedArm(Diagnostic):
    """A final `case _` for which nothing remains."""

    code = "E209"

    def message(self) -> str:
        return "the other arms cover every case"

    def help(self) -> str:
        return "delete this arm"


@dataclass(frozen=True, slots=True)
class ArgumentCount(Diagnostic):
    """A call with too few or too many arguments, or an arm with too few or too many patterns."""

    code = "E210"
    name: str
    found: int
    wanted: int
    declared: Span | None

    def message(self) -> str:
        what = "pattern" if self.name == "case" else "argument"
        return f"`{self.name}` takes {self.wanted} {what}{'s' if self.wanted != 1 else ''}, not {self.found}"

    def notes(self) -> tuple[Note, ...]:
        if self.declared is None:
            return ()
        here = "the match is here" if self.name == "case" else f"`{self.name}` is declared here"
        return (Note(here, self.declared),)


@dataclass(frozen=True, slots=True)
class NotCallable(Diagnostic):
    """A call of something that is no function."""

    code = "E211"
    what: str

    def message(self) -> str:
        return f"`{self.what}` is no function"

    def help(self) -> str:
        if not self.what[0].isupper():
            return ""
        return f"a constant stands alone, and a record is given as `{self.what} {{ field: value }}`"


@dataclass(frozen=True, slots=True)
class NotAValue(Diagnostic):
    """A function, type or module where a value is needed."""

    code = "E212"
    what: str
    name: str

    def message(self) -> str:
        return f"`{self.name}` is a {self.what}, not a value"

    def help(self) -> str:
        return f"call it: `{self.name}(…)`" if self.what == "function" else ""


@dataclass(frozen=True, slots=True)
class Needs(Diagnostic):
    """An operator applied to a value of a kind that it does not take."""

    code = "E213"
    operator: str
    wanted: str
    found: str

    def message(self) -> str:
        return f"`{self.operator}` works on {self.wanted}, and this is `{self.found}`"


@dataclass(frozen=True, slots=True)
class UnknownField(Diagnostic):
    """A field that the type does not have."""

    code = "E214"
    type_name: str
    field: str
    known: tuple[str, ...]
    declared: Span | None

    def message(self) -> str:
        return f"`{self.type_name}` has no {self._what} `{self.field}`"

    def label(self) -> str:
        return f"unknown {self._what}"

    @property
    def _what(self) -> str:
        return "member" if self.field[0].isupper() else "field"

    def notes(self) -> tuple[Note, ...]:
        if self.declared is None:
            return ()
        return (Note(f"`{self.type_name}` is declared at {self.declared.place}"),)

    def help(self) -> str:
        return nearest(self.field, self.known) or "it has " + ", ".join(f"`{k}`" for k in self.known)


@dataclass(frozen=True, slots=True)
class MissingField(Diagnostic):
    """A record literal that leaves fields out."""

    code = "E215"
    type_name: str
    missing: tuple[str, ...]

    def message(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.missing)
        return f"`{self.type_name}` also needs {names}"

    def help(self) -> str:
        return "a record is given whole; only in a bitfield an omitted field is 0"


@dataclass(frozen=True, slots=True)
class UnusedParameter(Diagnostic):
    """A parameter that the body never mentions."""

    code = "W201"
    severity = "warning"
    name: str

    def message(self) -> str:
        return f"`{self.name}` is never used"

    def help(self) -> str:
        return f"delete it, or call it `_{self.name}` if the signature must keep it"


@dataclass(frozen=True, slots=True)
class OutOfRange(Diagnostic):
    """A list position that not every such list has."""

    code = "E217"
    position: int
    kind: str

    def message(self) -> str:
        if ".." not in self.kind:
            return f"`{self.kind}` has no element {self.position}"
        return f"`{self.kind}` need not have an element {self.position}"

    def help(self) -> str:
        if ".." not in self.kind:
            return "elements count from 0"
        return f"`any(e at i in xs: i == {self.position} && …)` speaks of an element that may be missing"


@dataclass(frozen=True, slots=True)
class CallsTooDeep(Diagnostic):
    """Functions that call functions that call functions, further than the language allows."""

    code = "E218"
    limit: int

    def message(self) -> str:
        return f"functions call functions at most {self.limit} deep"

    def help(self) -> str:
        return "let one function do what several do, or go through a list with `all`, `any` or `until`"


@dataclass(frozen=True, slots=True)
class EnumFromBits(Diagnostic):
    """A number turned into an enum that has no member for some numbers."""

    code = "E219"
    name: str

    def message(self) -> str:
        return f"not every number of its width is a member of `{self.name}`"

    def help(self) -> str:
        return "`match` on the number and say what the others mean"


@dataclass(frozen=True, slots=True)
class ShiftAway(Diagnostic):
    """A shift by the width or more, which gives 0 whatever is shifted."""

    code = "E220"
    count: str
    width: int

    def message(self) -> str:
        return f"a shift by `{shorten(self.count)}` leaves nothing of {self.width} bit{'s' if self.width != 1 else ''}"

    def help(self) -> str:
        return "`extend(x, n)` widens before a shift to the left"
