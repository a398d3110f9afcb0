"""The gaps that `slat vectors` covers: the modules under `vectors/` that hold witnesses.

In: a project. Out: for each gap its witnesses, each of which shows a rule, and what its file says of it.
Guarantee: a word that names no gap is an error; so is each claim from which no cases follow, and all of them are told.
Gaps come in the order of their names, witnesses in that of the file.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verifier.cli.shared import fail
from verifier.diagnostics.model import Diagnosed, Diagnostic, nearest
from verifier.names.project import FOLDERS, GAPS, Project, read_project
from verifier.obligations.clauses import shows_a_rule
from verifier.source import Source, Span
from verifier.types import typed
from verifier.types.kinds import Layout

COMMENT = "//"
ENTRY = "sdm.ept.entry.EptEntry"
NEIGHBOUR = "neighbour"
"""The variable of a witness that is the entry of the next page, which the guest reads first."""


@dataclass(frozen=True, slots=True)
class Unfit(Diagnostic):
    """A claim of a gap from which no test follows."""

    code = "E605"
    problem: str
    advice: str

    def message(self) -> str:
        return self.problem

    def help(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True)
class Gap:
    """`about` is the comment at the head of its file."""

    name: str
    about: str
    witnesses: tuple[typed.Claim, ...]


def project_with_gaps(root: Path) -> Project:
    """The project at `root`, with the files under `vectors/` beside its specifications and claims."""
    if not (root / GAPS).is_dir():
        raise fail(f"there is no `{GAPS}` in `{root}`", "a gap is a file there, with witnesses that show a rule")
    return read_project(root, tops=(*FOLDERS, GAPS))


def gap_sources(project: Project) -> Iterator[tuple[str, Source]]:
    """The files under `vectors/`, by the names that they give to gaps."""
    for source in project.sources:
        parts = Path(source.name).with_suffix("").parts
        if parts[0] == GAPS:
            yield ".".join(parts[1:]), source


def gaps_of(project: Project, checked: typed.Checked, words: tuple[str, ...]) -> list[Gap]:
    """The gaps with these names; all of them for no words."""
    wrong = unfit_claims(checked)
    if wrong:
        raise Diagnosed(wrong)
    files = {name: source.name for name, source in gap_sources(project)}
    found = {gap.name: gap for gap in _gaps(project, checked)}
    for word in words:
        if word in files and word not in found:
            raise fail(f"`{files[word]}` holds no witness", "a gap shows rules: `witness NAME for … show RULE(…)`")
        if word not in found:
            raise fail(f"`{word}` is no gap", nearest(word, tuple(found)) or "`slat vectors --list` names them all")
    return [gap for name, gap in found.items() if not words or name in words]


def unfit_claims(checked: typed.Checked) -> list[Diagnostic]:
    """What is wrong with the claims under `vectors/`, as far as their types tell it."""
    claims = (claim for claim in checked.claims if claim.span.source.name.startswith(f"{GAPS}/"))
    return [Unfit(*found) for claim in claims for found in _wrong(claim)]


def _wrong(claim: typed.Claim) -> Iterator[tuple[Span, str, str]]:
    if claim.kind != "witness":
        yield claim.span, f"`{claim.name}` is no witness", "a case of a gap is an access that can be made: `witness`"
    if not shows_a_rule(claim):
        yield claim.show.span, f"`{claim.name}` shows no rule", "after `show` call one rule: its clauses are the cases"
    for param in claim.params:
        if param.name == NEIGHBOUR and not (isinstance(param.type, Layout) and param.type.name == ENTRY):
            yield claim.span, f"`{NEIGHBOUR}` is no `EptEntry`", "it is the entry that maps the next page"


def _gaps(project: Project, checked: typed.Checked) -> Iterator[Gap]:
    for name, source in gap_sources(project):
        claims = tuple(claim for claim in checked.claims if claim.span.source is source)
        if claims:
            yield Gap(name, _about(source.text), claims)


def _about(text: str) -> str:
    """The first comment of a file, on one line."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if not line.startswith(COMMENT)), len(lines))
    return " ".join(line.removeprefix(COMMENT).strip() for line in lines[:end])
