"""Modules and their scopes.

In: the trees of all files and the manuals. Out: a `Program`: each module with the declarations it sees.
Guarantee: `use` has no cycle, no module declares a name twice, each citation names a listed section.
Trusted: no, checked by the golden diagnostics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from verifier.diagnostics.model import Diagnostic
from verifier.names import errors
from verifier.names.manuals import Manuals
from verifier.source import Span
from verifier.syntax import tree


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declaration and the module that holds it."""

    module: str
    decl: tree.Decl

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.decl.name.text}"

    def place_of(self, name: str) -> Span:
        """Where the declaration introduces `name`: its own, or that of an enum's member."""
        return next(word.span for word in _introduced(self.decl) if word.text == name)


@dataclass(frozen=True, slots=True)
class ResolvedModule:
    """A module's tree; `scope` maps each visible name to one symbol, or to several that clash."""

    name: str
    tree: tree.Module
    scope: dict[str, tuple[Symbol, ...]]


@dataclass(frozen=True, slots=True)
class Program:
    """Every module in an order in which each comes after those that it uses.

    `unavailable` says why, for each definition (by qualified name) whose present form nobody has seen.
    """

    modules: dict[str, ResolvedModule]
    unavailable: Mapping[str, str] = field(default_factory=dict[str, str])

    def declaring(self, name: str) -> tuple[str, ...]:
        """The modules that declare `name`, claims apart."""
        return tuple(
            symbol.module
            for symbol in self.symbols()
            if not isinstance(symbol.decl, tree.Claim) and any(word.text == name for word in _introduced(symbol.decl))
        )

    def symbols(self) -> Iterator[Symbol]:
        for module in self.modules.values():
            for decl in module.tree.decls:
                yield Symbol(module.name, decl)


def resolve(
    files: list[tree.Module], manuals: Manuals, unavailable: Mapping[str, str] | None = None
) -> tuple[Program, list[Diagnostic]]:
    """The program of these modules and everything that is wrong with names in them."""
    found: list[Diagnostic] = []
    trees: dict[str, tree.Module] = {}
    for file in files:
        if file.name.text in trees:
            found.append(errors.DuplicateName(file.name.span, file.name.text, trees[file.name.text].name.span))
        else:
            trees[file.name.text] = file
    order = _order(trees, found)
    modules: dict[str, ResolvedModule] = {}
    for name in order:
        file = trees[name]
        found.extend(_duplicates(file))
        found.extend(_citations(file, manuals))
        used = _used(file, trees)
        found.extend(_hiding(file, used))
        modules[name] = ResolvedModule(name, file, {**used, **_own(file)})
    return Program(modules, unavailable or {}), found


def _order(trees: dict[str, tree.Module], found: list[Diagnostic]) -> list[str]:
    order: list[str] = []
    state: dict[str, bool] = {}  # False: being visited, True: done

    def visit(name: str, via: tuple[str, ...]) -> None:
        state[name] = False
        for use in trees[name].uses:
            target = use.text
            if target not in trees:
                found.append(errors.UnknownModule(use.span, target, tuple(trees)))
            elif target not in state:
                visit(target, (*via, target))
            elif not state[target]:
                cycle = via[via.index(target) :] if target in via else (name,)
                found.append(errors.ImportCycle(use.span, (*cycle, target)))
        state[name] = True
        order.append(name)

    for name in sorted(trees):
        if name not in state:
            visit(name, (name,))
    return order


def _own(file: tree.Module) -> dict[str, tuple[Symbol, ...]]:
    """The names that the module itself declares."""
    return {name.text: (Symbol(file.name.text, decl),) for decl in file.decls for name in _introduced(decl)}


def _hiding(file: tree.Module, used: dict[str, tuple[Symbol, ...]]) -> Iterator[Diagnostic]:
    """The module's declarations that hide one of a module that it uses."""
    for decl in file.decls:
        for name in _introduced(decl):
            if name.text in used:
                yield errors.Shadowed(name.span, name.text, used[name.text][0].place_of(name.text))


def _used(file: tree.Module, trees: dict[str, tree.Module]) -> dict[str, tuple[Symbol, ...]]:
    """The names of the modules that it uses, claims apart."""
    scope: dict[str, tuple[Symbol, ...]] = {}
    for used in dict.fromkeys(use.text for use in file.uses):
        target = trees.get(used)
        for decl in target.decls if target else ():
            if isinstance(decl, tree.Claim):
                continue
            for name in _introduced(decl):
                symbol = Symbol(used, decl)
                scope[name.text] = (*scope.get(name.text, ()), symbol)
    return scope


def _introduced(decl: tree.Decl) -> Iterator[tree.Word]:
    """The names that a declaration brings into scope: its own, and an enum's members."""
    yield decl.name
    if isinstance(decl, tree.Enum):
        for member in decl.members:
            yield member.name


def _duplicates(file: tree.Module) -> Iterator[Diagnostic]:
    yield from _repeated(file.uses, "used")
    yield from _repeated([name for decl in file.decls for name in _introduced(decl)])
    for decl in file.decls:
        yield from _repeated([part.name for part in _parts(decl)])


def _parts(
    decl: tree.Decl,
) -> tuple[tree.Field | tree.BitField | tree.Param | tree.Clause, ...]:
    match decl:
        case tree.Record() | tree.Bits():
            return decl.fields
        case tree.Fn() | tree.Claim():
            return decl.params
        case tree.Rule():
            return (*decl.params, *decl.clauses)
        case tree.Enum() | tree.Const():
            return ()


def _repeated(names: Iterable[tree.Word | tree.Path], verb: str = "declared") -> Iterator[Diagnostic]:
    first: dict[str, tree.Word | tree.Path] = {}
    for name in names:
        if name.text in first:
            yield errors.DuplicateName(name.span, name.text, first[name.text].span, verb)
        else:
            first[name.text] = name


def cites_of(decl: tree.Decl) -> tuple[tree.Cite, ...]:
    """Every citation in a declaration, those of a rule's clauses included."""
    clauses = decl.clauses if isinstance(decl, tree.Rule) else ()
    return (*decl.about.cites, *(cite for clause in clauses for cite in clause.cites))


def _citations(file: tree.Module, manuals: Manuals) -> Iterator[Diagnostic]:
    in_proofs = file.name.text.split(".")[0] == "proofs"
    for decl in file.decls:
        cites = cites_of(decl)
        if not cites and not in_proofs:
            yield errors.Uncited(decl.name.span, decl.name.text)
        for cite in cites:
            manual = manuals.get(cite.manual.text)
            if manual is None:
                yield errors.UnknownManual(cite.manual.span, cite.manual.text, tuple(manuals))
            elif cite.title not in manual.sections:
                yield errors.UnknownTitle(cite.span, manual.name, cite.title, tuple(manual.sections))
