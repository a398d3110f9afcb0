"""The small project with two versions whose every kind of cell differs somewhere.

In: a folder, and edits. Out: a copy of the project of `tests/golden/report/diff`, or the comparison of two versions.
Guarantee: nothing is cached.
Trusted: no, it serves tests.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from verifier.diff.compare import Versions, compare
from verifier.diff.model import Cell, Diff
from verifier.names.project import read_project
from verifier.names.series import Version
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.run import Plan
from verifier.types.load import open_library

HERE = Path(__file__).parents[3] / "golden" / "report" / "diff"


def copied(folder: Path, **edits: tuple[str, str]) -> Path:
    """A copy; each edit replaces a text in the file of that name (`kvm_spte` is `specs/kvm/spte.slat`)."""
    root = folder / "project"
    shutil.copytree(HERE, root, ignore=shutil.ignore_patterns("*.txt", "*.xml", "*.json", ".slat"))
    for word, (before, after) in edits.items():
        path = root / {"kvm_spte": "specs/kvm/spte.slat"}.get(word, f"proofs/decisions/{word}.slat")
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
    return root


def compared(root: Path, left: str = "old", right: str = "v5", budget: int | None = None) -> Diff:
    """The comparison of two series of a project."""
    library = open_library(read_project(root))
    versions = Versions(library.load(Version(left)), library.load(Version(right)), (left, right))
    return _compared(versions, Plan(Options(budget=budget)))


def compared_trees(left: Path, right: Path) -> Diff:
    """The comparison of the written versions of two trees."""
    before, after = (open_library(read_project(root)).written for root in (left, right))
    return _compared(Versions(before, after, ("before", "after")), Plan(Options()))


def _compared(versions: Versions, plan: Plan) -> Diff:
    return compare(versions, plan, Cache(HERE, False))


def cells(diff: Diff, name: str) -> dict[str, Cell]:
    """The cells of a decision by name."""
    (found,) = (decided for decided in diff.decisions if decided.name == name)
    return {cell.name: cell for cell in found.cells}


def verdicts(diff: Diff, name: str) -> set[str]:
    """The verdicts of a decision's cells."""
    return {cell.verdict for cell in cells(diff, name).values()}
