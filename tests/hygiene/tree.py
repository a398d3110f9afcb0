"""The files of the project, and what their syntax says.

In: nothing. Out: paths, imports and functions.
Guarantee: what is generated or downloaded (folders with a dot, caches, builds) is left out.
Trusted: no, it serves tests.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_LEFT_OUT = ("__pycache__", "build")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def folders() -> tuple[Path, ...]:
    """Every folder that holds a file, the root included."""
    found: list[Path] = []
    for name, inner, files in os.walk(ROOT):
        inner[:] = sorted(d for d in inner if d[0] != "." and d not in _LEFT_OUT and not d.endswith(".egg-info"))
        if files:
            found.append(Path(name))
    return tuple(found)


@cache
def files() -> tuple[Path, ...]:
    """Every file in them, but those with a dot in front."""
    return tuple(
        path for folder in folders() for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."
    )


@cache
def sources(*tops: str) -> tuple[Path, ...]:
    """The Python files under these top folders."""
    return tuple(path for path in files() if path.suffix == ".py" and name(path).split("/")[0] in tops)


def name(path: Path) -> str:
    """The path as it is written in lists of exceptions."""
    return path.relative_to(ROOT).as_posix()


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@dataclass(frozen=True)
class Import:
    """`module` is imported on `line` of `path`."""

    path: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{name(self.path)}:{self.line} imports {self.module}"


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions too."""
    for node in ast.walk(syntax(path)):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Import(path, node.lineno, alias.name)
            case ast.ImportFrom():
                assert node.level == 0, f"{name(path)}:{node.lineno} imports relatively"
                yield Import(path, node.lineno, str(node.module))
                if node.module in ("verifier", "models"):
                    for alias in node.names:
                        yield Import(path, node.lineno, f"{node.module}.{alias.name}")
            case _:
                pass


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """Every function and method of a file with its dotted name."""

    def below(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield f"{prefix}{child.name}", child
                    yield from below(child, f"{prefix}{child.name}.")
                case ast.ClassDef():
                    yield from below(child, f"{prefix}{child.name}.")
                case _:
                    yield from below(child, prefix)

    return below(syntax(path), "")
