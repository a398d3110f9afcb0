"""Two versions compared.

In: two series. Out: the time of `slat diff`, over that of z3 alone with the bare questions of the cells.
Guarantee: versions are loaded, definitions compared, cells decided, examples made small and replayed, and the document
is written; nothing comes from a cache.
Trusted: no.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench.claims import project
from bench.timing import Times, ratio, timed
from verifier.diff.compare import Versions, asked, comparable, compare
from verifier.diff.decisions import decision_modules
from verifier.names.project import Project
from verifier.names.series import Version
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.reports.diff_registry import FORMATS
from verifier.reports.run import run_of
from verifier.solvers.registry import BUDGETS, open_session
from verifier.types.load import open_library

FARTHEST = ("rfc", "v5")
"""The series of which most cells differ."""


def measure(words: tuple[str, ...]) -> str:
    """The ratio, and the time by the clock, which may be 30 s."""
    labels = (words[0], words[1]) if len(words) == 2 else FARTHEST
    found, whole, bare = project(), Times(), Times()
    with timed(whole):
        versions = _compare(found, labels)
    pairs, _ = comparable(versions, decision_modules(versions.right.program))
    for question in asked(pairs):
        for obligation in question.obligations.values():
            with timed(bare):
                open_session("z3", obligation.script.prelude, BUDGETS["z3"]).check(obligation.script.selectors)
    line = ratio("diff", whole, bare, 6)
    return f"{line}\n           {' and '.join(labels)} in {whole.wall:.1f} s by the clock (at most 30)"


def _compare(found: Project, labels: tuple[str, str]) -> Versions:
    """What `slat diff` does, its start-up apart."""
    library = open_library(found)
    versions = Versions(library.load(Version(labels[0])), library.load(Version(labels[1])), labels)
    diff = compare(versions, Plan(Options(), os.cpu_count() or 1), Cache(Path(), False))
    FORMATS["text"](diff, run_of(found, Options()))
    return versions
