"""The project's versions, loaded once for all tests of a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from verifier.names.project import read_project
from verifier.tables.table import Section
from verifier.tables.version import Definitions
from verifier.types.load import Library, open_library

ROOT = Path(__file__).parents[4]
SERIES = ROOT / "specs" / "kvm" / "series"


@cache
def library() -> Library:
    return open_library(read_project(ROOT))


def definitions(label: str) -> Definitions:
    """The definitions of a series, or of a prefix of one."""
    version = library().catalogue.version(label)
    assert version is not None
    return Definitions(library().load(version))


def regular() -> list[str]:
    """The series that were posted or merged."""
    return sorted(path.parent.name for path in SERIES.glob("*/series.toml"))


def rows(section: Section, key: str) -> list[dict[str, object]]:
    """The rows of a grid, by column."""
    (grid,) = [grid for grid in section.grids if grid.key == key]
    return [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]


def row(section: Section, key: str, **wanted: object) -> dict[str, object]:
    """The only row with these cells."""
    (found,) = [row for row in rows(section, key) if wanted.items() <= row.items()]
    return found
