"""The gaps that `slat vectors` covers: the modules under `vectors/` that hold witnesses.

In: a project. Out: for each gap its witnesses, each of which shows a rule, and what its file says of it.
Guarantee: a word that names no gap is an error; gaps come in the order of their names, witnesses in that of the file.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verifier.cli.shared import fail
from verifier.diagnostics.model import nearest
from verifier.names.project import FOLDERS, GAPS, Project, read_project
from verifier.obligations.clauses import shows_a_rule
from verifier.source import Source
from verifier.types import typed

COMMENT = "//"


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
        if source.name.startswith(f"{GAPS}/"):
            yield Path(source.name).stem, source


def gaps_of(project: Project, checked: typed.Checked, words: tuple[str, ...]) -> list[Gap]:
    """The gaps with these names; all of them for no words."""
    found = {gap.name: gap for gap in _gaps(project, checked)}
    for word in words:
        if word not in found:
            raise fail(f"`{word}` is no gap", nearest(word, tuple(found)) or "`slat vectors --list` names them all")
    return [gap for name, gap in found.items() if not words or name in words]


def _gaps(project: Project, checked: typed.Checked) -> Iterator[Gap]:
    for name, source in gap_sources(project):
        claims = [claim for claim in checked.claims if claim.span.source is source]
        for claim in claims:
            _check(claim)
        if claims:
            yield Gap(name, _about(source.text), tuple(claims))


def _check(claim: typed.Claim) -> None:
    if claim.kind != "witness" or not shows_a_rule(claim):
        raise fail(
            f"`{claim.name}` ({claim.span.place}) shows no rule", "each claim of a gap is a witness that shows one"
        )


def _about(text: str) -> str:
    """The first comment of a file, on one line."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if not line.startswith(COMMENT)), len(lines))
    return " ".join(line.removeprefix(COMMENT).strip() for line in lines[:end])
