"""From a project's files to its typed core.

In: a project. Out: `Loaded`, with every diagnostic of every stage that could run.
Guarantee: a stage runs only if the ones before it found no error that it would stumble over.
Trusted: no.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors
from verifier.names.project import Project, module_name
from verifier.names.resolve import Program, resolve
from verifier.syntax import tree
from verifier.syntax.parse import parse_file
from verifier.types import typed
from verifier.types.check import check

_NO_OBSTACLE = (errors.UnknownManual, errors.UnknownTitle, errors.Shadowed)  # types do not depend on these


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project's modules and typed core; `warnings` are all that was found."""

    program: Program
    checked: typed.Checked
    warnings: tuple[Diagnostic, ...]


def load(project: Project) -> Loaded:
    """The typed core of a project; raises `Diagnosed` with errors and warnings if there is an error."""
    modules, found = _parse(project)
    _stop_on_error(found)
    program, more = resolve(modules, project.manuals)
    found += more
    if not all(isinstance(d, _NO_OBSTACLE) for d in found if d.severity == "error"):
        raise Diagnosed(found)
    checked, more = check(program)
    found += more
    _stop_on_error(found)
    return Loaded(program, checked, tuple(found))


def _stop_on_error(found: list[Diagnostic]) -> None:
    if any(d.severity == "error" for d in found):
        raise Diagnosed(found)


def _parse(project: Project) -> tuple[list[tree.Module], list[Diagnostic]]:
    modules: list[tree.Module] = []
    found: list[Diagnostic] = []
    for source in project.sources:
        try:
            file = parse_file(source)
        except Diagnosed as error:
            found.extend(error.diagnostics)
            continue
        if isinstance(file, tree.Module):
            modules.append(file)
            wanted = module_name(source)
            if wanted not in (None, file.name.text):
                found.append(errors.ModuleName(file.name.span, file.name.text, wanted))
    return modules, found
