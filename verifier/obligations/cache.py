"""What was proved before.

In: keys. Out: stored results. A run with nothing changed finds its results by the digest of all its inputs; an
obligation finds its verdict by its text, the solvers with their versions, and the budget.
Guarantee: a file is written whole or not at all, under a digest of its content; what cannot be read or written, is not
what was written, or is no answer to the question, is as if it were not there.
Trusted: yes: what is found is believed. Examples are replayed when an obligation is found, not when a whole run is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from verifier.files import read_file, write_file
from verifier.obligations.generate import Obligation
from verifier.obligations.prove import Options, Solved
from verifier.obligations.result import Result
from verifier.obligations.stored import restore
from verifier.solvers.registry import BUDGETS

FOLDER = Path(".slat") / "cache"
VERDICTS = ("proved", "refuted", "unknown", "not_modelled")
PACKAGES = {"z3": "z3-solver", "bitwuzla": "bitwuzla"}


def digest(parts: Iterable[str]) -> str:
    """A name for these texts."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")  # words may hold bytes that are no UTF-8
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:40]


@cache
def tool_digest() -> str:
    """A name for this version of slat: every source file of the package counts."""
    package = Path(__file__).parent.parent
    files = sorted(p for p in package.rglob("*") if p.suffix in (".py", ".lark"))
    return digest(text for p in files for text in (p.relative_to(package).as_posix(), p.read_text("utf-8")))


def solver_key(options: Options) -> str:
    """The solvers with their versions and budgets, and what is asked of them."""
    words = [f"{name} {metadata.version(PACKAGES[name])} {BUDGETS[name]}" for name in options.solvers]
    return f"{' '.join(words)} {options.budget} {options.explained}"


class Cache:
    """Stored results under a project's root; with `enabled` false nothing is found or stored."""

    def __init__(self, root: Path, enabled: bool) -> None:
        self._folder = root / FOLDER
        self._enabled = enabled

    def _read(self, kind: Any, name: str) -> Any:
        if not self._enabled:
            return None
        try:
            seal, text = read_file(self._folder / name).decode().split("\n", 1)
            return restore(kind, json.loads(text)) if seal == digest((text,)) else None
        except (OSError, ValueError, RecursionError):
            return None

    def _write(self, name: str, data: object) -> None:
        if not self._enabled:
            return
        try:
            text = json.dumps(data)
            write_file(self._folder / name, f"{digest((text,))}\n{text}".encode())
        except OSError:
            return

    def run(self, key: str) -> list[Result] | None:
        """The results of a whole run."""
        results: tuple[Result, ...] | None = self._read(tuple[Result, ...], f"run-{key}")
        if results is None or any(result.outcome.verdict not in VERDICTS for result in results):
            return None
        return list(results)

    def store_run(self, key: str, results: list[Result]) -> None:
        self._write(f"run-{key}", [asdict(result) for result in results])

    def solved(self, key: str, obligation: Obligation) -> Solved | None:
        """The solvers' word on an obligation; its transcript is not kept."""
        solved: Solved | None = self._read(Solved, f"obligation-{key}")
        return solved if solved is not None and solved.answers(obligation) else None

    def store_solved(self, key: str, solved: Solved) -> None:
        self._write(f"obligation-{key}", {**asdict(solved), "transcript": ""})
