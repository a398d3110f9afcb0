"""The files of a project.

In: a directory. Out: its root, the sources under `specs/` and `proofs/` (and `vectors/`, for who asks), the lists of
series, and the manuals.
Guarantee: sources come in the order of their names; nothing is written.
Trusted: no, checked by tests on faulty trees.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.files import files_below, read_file
from verifier.names.manuals import Manuals, read_manuals
from verifier.names.series import FOLDER, LIST, home
from verifier.source import Source
from verifier.syntax.parse import decode

FOLDERS = ("specs", "proofs")
GAPS = "vectors"
"""What untested cases are written in: read by `slat vectors` alone, and laid out and checked like the others."""
MANUALS = Path("specs") / "MANUALS.toml"


@dataclass(frozen=True, slots=True)
class Project:
    """A tree of specifications: its root, its sources, the manuals they cite, the `series.toml` files of its series."""

    root: Path
    sources: tuple[Source, ...]
    manuals: Manuals
    lists: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable(Diagnostic):
    """A file or directory that cannot be read."""

    code = "E601"
    path: str
    problem: str

    def message(self) -> str:
        return f"cannot read `{self.path}`: {self.problem[:1].lower()}{self.problem[1:]}"


@dataclass(frozen=True, slots=True)
class NoProject(Diagnostic):
    """No `specs/MANUALS.toml` here or above."""

    code = "E602"
    path: str

    def message(self) -> str:
        return f"no `specs/MANUALS.toml` in `{self.path}` or above it"

    def help(self) -> str:
        return "run slat inside a checkout, or name one with `--root DIR`"


def find_root(start: Path) -> Path:
    """The nearest directory at or above `start` that holds `specs/MANUALS.toml`."""
    for directory in (start, *start.parents):
        if os.path.isfile(directory / MANUALS):  # false too for what may not be looked at
            return directory
    raise Diagnosed([NoProject(None, str(start))])


def read_source(path: Path, name: str) -> Source:
    """The source in the file `path`, reported as `name`."""
    try:
        return decode(name, read_file(path))
    except OSError as error:
        raise Diagnosed([unreadable(error, name)]) from None


def unreadable(error: OSError, name: str) -> Unreadable:
    """What the system says of a file or directory that is reported as `name`."""
    return Unreadable(None, name, error.strerror or str(error))


def specifications_below(folder: Path, found: list[Diagnostic], root: Path | None = None) -> list[Path]:
    """Every `.slat` file below a folder; `found` gets what cannot be looked at."""
    return files_below(
        folder, ".slat", lambda error: found.append(unreadable(error, _name(Path(error.filename), root)))
    )


def _name(path: Path, root: Path | None) -> str:
    """How a file is reported."""
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else str(path)


def read_project(root: Path, extra: tuple[Path, ...] = (), tops: tuple[str, ...] = FOLDERS) -> Project:
    """Every `.slat` file under `specs/` and `proofs/`, or `tops`, and the files of `extra` that lie elsewhere."""
    found: list[Diagnostic] = []
    sources: list[Source] = []
    folders = [root / folder for folder in tops if (root / folder).is_dir()]
    inside = [path for folder in folders for path in specifications_below(folder, found, root)]
    known = {os.path.realpath(path) for path in inside}
    outside = [path for path in extra if os.path.realpath(path) not in known]
    lists = [path for path in files_below(root / FOLDER, ".toml", lambda error: None) if path.name == LIST]
    for path in (*sorted(inside), *outside, *lists):
        try:
            sources.append(read_source(path, _name(path, root)))
        except Diagnosed as error:
            found.extend(error.diagnostics)
    manuals_file = read_source(root / MANUALS, MANUALS.as_posix())
    if found:
        raise Diagnosed(found)
    split = len(sources) - len(lists)
    return Project(root, tuple(sources[:split]), read_manuals(manuals_file.text), tuple(sources[split:]))


def module_name(source: Source) -> str | None:
    """The module that a source of the project must hold; None for one elsewhere or of a series."""
    parts = Path(source.name).with_suffix("").parts
    if Path(source.name).is_absolute() or parts[0] not in (*FOLDERS, GAPS) or home(source) is not None:
        return None
    return ".".join(parts[1:] if parts[0] == "specs" else parts)
