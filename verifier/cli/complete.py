"""What the shell's Tab key offers.

In: the beginning of a word. Out: what may follow: claims, ids and paths, names of series, codes of diagnostics, files.
Guarantee: specifications with mistakes in them are looked through as well; no error is told, nothing is offered then.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from verifier.cli.shared import root_of
from verifier.diagnostics.model import Diagnosed
from verifier.diagnostics.pages import codes, title
from verifier.names.project import Project, module_name, read_project
from verifier.names.series import FOLDER, KNOWN_BAD, LIST

CLAIM = re.compile(r"^ *(?:invariant|witness) +(\w+)(?:\s+is\s+([A-Z]\w*(?:\s*,\s*[A-Z]\w*)*))?", re.MULTILINE)
PATCH = re.compile(r"^ *patch +(\w+\.\w+)", re.MULTILINE)
BITFIELD = re.compile(r"^ *bits +([A-Z]\w*) *:", re.MULTILINE)
DEFINITION = re.compile(r"^ *(?:bits|const|enum|fn|record|rule) +(\w+)", re.MULTILINE)
SETTINGS = re.compile(r"^ *record +(?:EptControls|KvmMmuRoleRegs)\b[^{]*\{([^}]*)\}", re.MULTILINE)


def claims(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names and ids of claims, and files."""
    project = _project(context)
    found: dict[str, None] = {}
    for source in () if project is None else project.sources:
        for name, ids in CLAIM.findall(source.text):
            found |= dict.fromkeys([name, *re.findall(r"\w+", ids)])
    return [*_offered(found, incomplete), CompletionItem(incomplete, type="file")]


def series(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of series, that of the written one, and `all`."""
    from verifier.obligations.versions import ALL  # which explaining and walking do without

    return _offered(sorted({ALL, *_series(context)}), incomplete)


def bases(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of series."""
    return _offered(sorted(set(_series(context))), incomplete)


def definitions(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of definitions under `specs/`, with their modules."""
    project = _project(context)
    found: dict[str, None] = {}
    for source in () if project is None else project.sources:
        module = module_name(source)
        if module is not None and not module.startswith("proofs."):
            found |= dict.fromkeys(f"{module}.{name}" for name in DEFINITION.findall(source.text))
    return _offered(found, incomplete)


def _series(context: click.Context) -> list[str]:
    project, names = _project(context), list[str]()
    for source in () if project is None else project.lists:
        place = source.name.removeprefix(f"{FOLDER}/").split("/")
        if len(place) == 2:
            names.append(place[0])
        elif place == [LIST]:
            names += _written(source.text)
    return names


def versions(context: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of series and known-bad versions, the patches of a series after its colon, and files."""
    project = _project(context)
    found: dict[str, None] = dict.fromkeys(item.value for item in series(context, param, incomplete))
    for source in () if project is None else project.sources:
        if patch := PATCH.search(source.text):
            name, _, words = patch[1].partition(".")
            found |= dict.fromkeys([words if name == KNOWN_BAD else f"{name}:{words}"])
    return [*_offered((word for word in found if word != "all"), incomplete), CompletionItem(incomplete, type="file")]


def gaps(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of gaps: the files under `vectors/` with a claim."""
    from verifier.cli.gaps import gap_sources, project_with_gaps  # which other commands do without

    try:
        project = project_with_gaps(root_of(context.params.get("root")))
    except Diagnosed:
        return []
    return _offered((name for name, source in gap_sources(project) if CLAIM.search(source.text)), incomplete)


def bitfields(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of bitfields, with their module if that was begun."""
    project = _project(context)
    found: dict[str, None] = {}
    for source in () if project is None else project.sources:
        module = f"{module_name(source)}." if "." in incomplete else ""
        found |= dict.fromkeys(module + name for name in BITFIELD.findall(source.text))
    return _offered(found, incomplete)


def settings(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What a role follows from: controls of EPT, or a guest's registers."""
    project = _project(context)
    before, _, word = incomplete.rpartition(",")
    found: dict[str, None] = {}
    for source in () if project is None else project.sources:
        for fields in SETTINGS.findall(source.text):
            found |= dict.fromkeys(f"{name}=" for name in re.findall(r"^ *(\w+): bool", fields, re.MULTILINE))
    return [CompletionItem(f"{before}{',' if before else ''}{name}") for name in found if name.startswith(word)]


def diagnostics(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes that have a page."""
    return [CompletionItem(code, help=title(code)) for code in codes() if code.startswith(incomplete.upper())]


def files(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Whatever the shell finds."""
    return [CompletionItem(incomplete, type="file")]


def _project(context: click.Context) -> Project | None:
    try:
        return read_project(root_of(context.params.get("root")))
    except Diagnosed:
        return None


def _written(text: str) -> list[str]:
    try:
        name = tomllib.loads(text).get("written")
    except tomllib.TOMLDecodeError:
        return []
    return [name] if isinstance(name, str) else []


def _offered(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]
