"""The claims of this project, ready to be decided.

In: names, ids or paths of claims (none for all). Out: their obligations.
Guarantee: the same claims in the same order as `slat prove` decides.
Trusted: no.
"""

from __future__ import annotations

from pathlib import Path

from verifier.names.project import Project, find_root, read_project
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.select import select
from verifier.smt.symbolize import Symbolizer
from verifier.types import typed
from verifier.types.load import load


def project() -> Project:
    """The project around the current directory."""
    return read_project(find_root(Path.cwd()))


def wanted(words: tuple[str, ...]) -> list[typed.Claim]:
    """The claims that `words` name, type-checked."""
    found = project()
    return select(load(found).checked.claims, words, found.root)


def obligations(words: tuple[str, ...]) -> list[Obligation]:
    symbolizer = Symbolizer()
    return [generate(claim, symbolizer) for claim in wanted(words)]
