"""What can be wrong with names, modules and citations. Codes E301 to E319, W301 to W309.

In: places and words. Out: diagnostics.
Guarantee: each class has its own code, a page and a golden pair.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.diagnostics.model import Diagnostic, Note, nearest
from verifier.source import Span


@dataclass(frozen=True, slots=True)
class ModuleName(Diagnostic):
    """A file whose `module` line does not follow from its path."""

    code = "E301"
    found: str
    wanted: str

    def message(self) -> str:
        return f"this file holds module `{self.wanted}`, not `{self.found}`"

    def help(self) -> str:
        return f"write `module {self.wanted}`, or move the file"


@dataclass(frozen=True, slots=True)
class UnknownModule(Diagnostic):
    """`use` of a module that no file holds."""

    code = "E302"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no module `{self.name}`"

    def help(self) -> str:
        return nearest(self.name, self.known) or "modules are the files under `specs/` and `proofs/`"


@dataclass(frozen=True, slots=True)
class ImportCycle(Diagnostic):
    """Modules that use each other."""

    code = "E303"
    cycle: tuple[str, ...]

    def message(self) -> str:
        return "modules use each other: " + " -> ".join(f"`{name}`" for name in self.cycle)

    def help(self) -> str:
        return "move what both need into a module of its own"


@dataclass(frozen=True, slots=True)
class DuplicateName(Diagnostic):
    """Two declarations, fields, clauses, parameters or imports with one name; `verb` says what they are."""

    code = "E304"
    name: str
    first: Span
    verb: str = "declared"

    def message(self) -> str:
        return f"`{self.name}` is {self.verb} twice"

    def notes(self) -> tuple[Note, ...]:
        return (Note(f"first {self.verb} here", self.first),)


@dataclass(frozen=True, slots=True)
class AmbiguousName(Diagnostic):
    """Two used modules declare the same name; `ways` are names that mean one of them only."""

    code = "E305"
    name: str
    modules: tuple[str, ...]
    ways: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.name}` comes from {' and '.join(f'`{m}`' for m in self.modules)}"

    def help(self) -> str:
        if not self.ways:
            return "rename one of them, or use only one of the modules"
        return "write " + " or ".join(f"`{way}`" for way in self.ways)


@dataclass(frozen=True, slots=True)
class UnknownName(Diagnostic):
    """A name that nothing in scope declares; `elsewhere` are modules that do."""

    code = "E306"
    name: str
    what: str
    known: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()
    where: str = "here"

    def message(self) -> str:
        return f"there is no {self.what} `{self.name}` {self.where}"

    def help(self) -> str:
        if self.name.lower() in ("true", "false"):
            return f"write `{self.name.lower()}`"
        if self.elsewhere:
            return "write " + " or ".join(f"`use {module}`" for module in self.elsewhere)
        return nearest(self.name, self.known) or "a name comes from this module or from one that it uses"


@dataclass(frozen=True, slots=True)
class Shadowed(Diagnostic):
    """A name that hides another; `first` is None for one that belongs to the language."""

    code = "E307"
    name: str
    first: Span | None

    def message(self) -> str:
        return f"`{self.name}` already means something here"

    def notes(self) -> tuple[Note, ...]:
        if self.first is None:
            return (Note(f"`{self.name}` is a function of the language"),)
        return (Note("first declared here", self.first),)

    def help(self) -> str:
        return "choose another name"


@dataclass(frozen=True, slots=True)
class UnknownManual(Diagnostic):
    """A citation of a manual that `MANUALS.toml` does not list."""

    code = "E308"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`specs/MANUALS.toml` lists no manual `{self.name}`"

    def help(self) -> str:
        return nearest(self.name, self.known) or "known are " + ", ".join(f"`{n}`" for n in self.known)


@dataclass(frozen=True, slots=True)
class UnknownTitle(Diagnostic):
    """A citation of a section that the manual does not have."""

    code = "E309"
    manual: str
    title: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f'{self.manual} has no section "{self.title}"'

    def help(self) -> str:
        return nearest(self.title, self.known) or "add the section to `specs/MANUALS.toml` if the manual has it"


@dataclass(frozen=True, slots=True)
class Manuals(Diagnostic):
    """`MANUALS.toml` cannot be used."""

    code = "E310"
    problem: str

    def message(self) -> str:
        return f"`specs/MANUALS.toml`: {self.problem}"

    def help(self) -> str:
        return 'a manual is a table with `title`, `edition` and `sections = [{ title = "…" }, …]`'


@dataclass(frozen=True, slots=True)
class Recursion(Diagnostic):
    """Functions that call each other in a circle."""

    code = "E311"
    cycle: tuple[str, ...]

    def message(self) -> str:
        return "functions are total, so none calls itself: " + " -> ".join(f"`{n}`" for n in self.cycle)

    def help(self) -> str:
        return "use `all`, `any`, `meet` or `until` over a bounded list"


@dataclass(frozen=True, slots=True)
class UnknownSeries(Diagnostic):
    """A series, or a prefix of one, that does not exist."""

    code = "E312"
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no series `{self.name}`"

    def help(self) -> str:
        series, _, number = self.name.rpartition("_")
        if series in self.known and number.isdigit():
            return f"`{series}` has no patch {number}"
        return nearest(self.name, self.known) or "known are " + ", ".join(f"`{n}`" for n in self.known)


@dataclass(frozen=True, slots=True)
class UnknownPatch(Diagnostic):
    """A patch that a series does not have."""

    code = "E318"
    word: str
    series: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"series `{self.series}` has no patch `{self.word}`"

    def help(self) -> str:
        return f"its patches are {', '.join(self.known)}" if self.known else "it has none"


@dataclass(frozen=True, slots=True)
class SeriesList(Diagnostic):
    """A `series.toml` that cannot be used."""

    code = "E313"
    file: str
    problem: str

    def message(self) -> str:
        return f"`{self.file}`: {self.problem}"


@dataclass(frozen=True, slots=True)
class UnknownDefinition(Diagnostic):
    """A change of a definition that the module does not have in the version that is amended."""

    code = "E314"
    kind: str
    name: str
    module: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"there is no `{self.name}` in `{self.module}` to {_VERBS.get(self.kind, self.kind)}"

    def help(self) -> str:
        return nearest(self.name, self.known) or "write `add` for a definition that is new"


_VERBS = {"unavailable": "be unavailable"}


@dataclass(frozen=True, slots=True)
class DefinedAlready(Diagnostic):
    """`add` of a definition that the module has already."""

    code = "E315"
    name: str
    module: str
    first: Span

    def message(self) -> str:
        return f"`{self.module}` already has `{self.name}`"

    def notes(self) -> tuple[Note, ...]:
        return (Note("declared here in the version that is amended", self.first),)

    def help(self) -> str:
        return "write `replace`"


@dataclass(frozen=True, slots=True)
class SignatureChange(Diagnostic):
    """`replace` with another signature, or `reshape` with the same."""

    code = "E316"
    name: str
    first: Span
    differs: bool

    def message(self) -> str:
        return f"`{self.name}` {'gets another' if self.differs else 'keeps its'} signature"

    def notes(self) -> tuple[Note, ...]:
        return (Note("declared here in the version that is amended", self.first),)

    def help(self) -> str:
        return "write `reshape`" if self.differs else "write `replace`"


@dataclass(frozen=True, slots=True)
class OutOfPlace(Diagnostic):
    """A patch that is not where, or not what, its series says."""

    code = "E317"
    problem: str
    advice: str = "patches are files under `specs/kvm/series/NAME`, listed in its `series.toml`"

    def message(self) -> str:
        return self.problem

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class LeadsElsewhere(Diagnostic):
    """A definition that the patches of the written series leave unlike the one that `specs/kvm` holds."""

    code = "E319"
    name: str
    module: str
    series: str
    other: Span | None

    def message(self) -> str:
        return f"the patches of `{self.series}` lead to another `{self.name}` than `{self.module}` has"

    def notes(self) -> tuple[Note, ...]:
        return (Note("theirs stands here", self.other),) if self.other else (Note("they lead to none"),)

    def help(self) -> str:
        return "write the definition that the last patch leaves, in both places"


@dataclass(frozen=True, slots=True)
class Uncited(Diagnostic):
    """A declaration under `specs/` that cites nothing."""

    code = "W301"
    severity = "warning"
    name: str

    def message(self) -> str:
        return f"`{self.name}` cites no manual"

    def help(self) -> str:
        return f'write `per SDM "section title"` after `{self.name}`'


@dataclass(frozen=True, slots=True)
class UnusedImport(Diagnostic):
    """A module that is used but from which no name is taken."""

    code = "W302"
    severity = "warning"
    name: str

    def message(self) -> str:
        return f"nothing of `{self.name}` is needed here"

    def help(self) -> str:
        return "delete the line"
