"""Every file of a project, with the program in which it is read.

In: a library. Out: `File`s with their declarations: modules in the version that they belong to, a patch in the version
that ends with it.
Guarantee: every source is there once, in the order of the names.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.names.amend import assemble
from verifier.names.resolve import Program, resolve
from verifier.names.series import ListedPatch, Series, Version
from verifier.source import Source, Span
from verifier.syntax import tree
from verifier.types.load import Library


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A declaration of `module` that spans `span`, or what a patch does to one: `change` is empty in a module.

    `decl` is None for a definition that is removed, or that nobody has seen.
    """

    module: str
    name: tree.Word
    decl: tree.Decl | None
    change: str
    span: Span

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name.text}"


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A source, read in `program`. `series` is None in `specs/` and `proofs/` themselves; `patch` for a patch only."""

    source: Source
    tree: tree.File
    program: Program
    entries: tuple[Entry, ...]
    series: Series | None = None
    patch: ListedPatch | None = None

    @property
    def imports(self) -> tuple[tree.Path, ...]:
        """The modules that it names: those that it uses, and those that it amends."""
        if isinstance(self.tree, tree.Module):
            return self.tree.uses
        return tuple(path for amend in self.tree.amends for path in (amend.target, *amend.uses))


def files_of(library: Library) -> list[File]:
    """The files, by name; raises `Diagnosed` if a version cannot be assembled."""
    found = [_module(module, library.written.program, None) for module in library.modules]
    for series in library.catalogue.series.values():
        found += _of_series(library, series)
    return sorted(found, key=lambda file: file.source.name)


def _of_series(library: Library, series: Series) -> Iterator[File]:
    if series.modules:
        program = _program(library, Version(series.name), [module.name.text for module in series.modules])
        yield from (_module(module, program, series) for module in series.modules)
    for patch in series.patches:
        amended = [amend.target.text for amend in patch.tree.amends]
        program = _program(library, Version(series.name, patch.number), amended)
        yield File(patch.tree.span.source, patch.tree, program, tuple(_changes(patch.tree)), series, patch)


def _program(library: Library, version: Version, wanted: list[str]) -> Program:
    """The wanted modules of a version, and all that they use."""
    made = assemble(library.modules, library.catalogue, version)
    reached: dict[str, tree.Module] = {}
    while wanted:
        name = wanted.pop()
        if name not in reached:
            reached[name] = made.modules[name]
            wanted += [use.text for use in made.modules[name].uses]
    program, _ = resolve(list(reached.values()), library.manuals, made.unavailable)
    return program


def _module(module: tree.Module, program: Program, series: Series | None) -> File:
    name = module.name.text
    entries = tuple(Entry(name, decl.name, decl, "", decl.span) for decl in module.decls)
    return File(module.span.source, module, program, entries, series)


def _changes(patch: tree.Patch) -> Iterator[Entry]:
    for amend in patch.amends:
        for change in amend.changes:
            yield Entry(amend.target.text, change.name, change.decl, change.kind, change.span)
