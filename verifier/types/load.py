"""From a project's files to its typed core, in one version or another.

In: a project. Out: `Loaded`, with every diagnostic of every stage that could run.
Guarantee: a stage runs only if the ones before it found no error that it would stumble over. What a version shares
with the written one is the same object in both.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier.diagnostics.model import Diagnosed, Diagnostic, Noted
from verifier.names import errors
from verifier.names.amend import assemble, differences
from verifier.names.manuals import Manuals
from verifier.names.project import Project, module_name
from verifier.names.resolve import Program, resolve
from verifier.names.series import Catalogue, Version, home, read_catalogue, unknown_series
from verifier.source import Source
from verifier.syntax import tree
from verifier.syntax.parse import parse_file
from verifier.types import typed
from verifier.types.check import Checker, check, check_version

_NO_OBSTACLE = (errors.UnknownManual, errors.UnknownTitle, errors.Shadowed)  # types do not depend on these


@dataclass(frozen=True, slots=True)
class Loaded:
    """The modules and typed core of one version; `warnings` are all that was found.

    `version` is None for a project without series.
    """

    version: Version | None
    program: Program
    checked: typed.Checked
    warnings: tuple[Diagnostic, ...]
    checker: Checker


@dataclass(frozen=True, slots=True)
class Library:
    """A parsed project: the modules of `specs/` and `proofs/`, its series, and the written version loaded."""

    modules: tuple[tree.Module, ...]
    catalogue: Catalogue
    manuals: Manuals
    written: Loaded
    loaded: dict[Version, Loaded] = field(default_factory=dict[Version, Loaded])

    def load(self, version: Version) -> Loaded:
        """The typed core of a version; raises `Diagnosed` with errors if there is an error."""
        if version == self.written.version:
            return self.written
        if version not in self.loaded:
            self.loaded[version] = self._load(version)
        return self.loaded[version]

    def _load(self, version: Version) -> Loaded:
        assembled = assemble(self.modules, self.catalogue, version)
        program, found = resolve(list(assembled.modules.values()), self.manuals, assembled.unavailable)
        _stop_on_error([d for d in found if not isinstance(d, _NO_OBSTACLE)], version)
        known_bad = self.catalogue.series[version.series].known_bad
        written = self.written
        versions = (version, *self.catalogue.expected_as(version))
        checked, more, checker = check_version(program, written.checker, written.checked.claims, versions, known_bad)
        _stop_on_error(found + more, version)
        own = tuple(d for d in found + more if d.span is not None and home(d.span.source) is not None)
        return Loaded(version, program, checked, own, checker)

    def load_all(self) -> list[Diagnostic]:
        """Loads every series; returns all warnings, or raises `Diagnosed` with all errors."""
        found: dict[Diagnostic, None] = dict.fromkeys(self.written.warnings)
        wrong: list[Diagnostic] = []
        try:
            wrong.extend(differences(self.modules, self.catalogue) if self.catalogue.written else ())
        except Diagnosed as error:
            wrong.extend(error.diagnostics)
        for name in self.catalogue.series:
            try:
                found.update(dict.fromkeys(self.load(Version(name)).warnings))
            except Diagnosed as error:
                wrong.extend(error.diagnostics)
        if wrong:
            raise Diagnosed([*found, *wrong])
        return list(found)


def load(project: Project) -> Loaded:
    """The typed core of the written version; raises `Diagnosed` with errors and warnings if there is an error."""
    return open_library(project).written


def open_library(project: Project) -> Library:
    """The project with its series; raises `Diagnosed` as `load` does."""
    files, found = _parse(project)
    _stop_on_error(found)
    mine = [(source, file) for source, file in files if home(source) is not None]
    catalogue = read_catalogue(project.lists, mine)
    modules = [file for source, file in files if home(source) is None and isinstance(file, tree.Module)]
    program, more = resolve(modules, project.manuals)
    found += more
    found += (d for module in modules for d in unknown_series(module, catalogue))
    if not all(isinstance(d, _NO_OBSTACLE) for d in found if d.severity == "error"):
        raise Diagnosed(found)
    checked, more, checker = check(program)
    found += more
    _stop_on_error(found)
    version = Version(catalogue.written) if catalogue.written else None
    written = Loaded(version, program, checked, tuple(found), checker)
    return Library(tuple(modules), catalogue, project.manuals, written)


def _stop_on_error(found: list[Diagnostic], version: Version | None = None) -> None:
    if any(d.severity == "error" for d in found):
        raise Diagnosed([Noted(d.span, d, f"in series `{version.label}`") for d in found] if version else found)


def _parse(project: Project) -> tuple[list[tuple[Source, tree.File]], list[Diagnostic]]:
    files: list[tuple[Source, tree.File]] = []
    found: list[Diagnostic] = []
    for source in project.sources:
        try:
            file = parse_file(source)
        except Diagnosed as error:
            found.extend(error.diagnostics)
            continue
        files.append((source, file))
        wanted = module_name(source)
        if isinstance(file, tree.Module) and wanted not in (None, file.name.text):
            found.append(errors.ModuleName(file.name.span, file.name.text, wanted))
        if isinstance(file, tree.Patch) and home(source) is None:
            found.append(errors.OutOfPlace(file.name.span, f"`{file.name.text}` is a patch outside of every series"))
    return files, found
