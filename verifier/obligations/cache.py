"""What was proved before.

In: keys. Out: stored results. A run with nothing changed finds its results by the digest of all its inputs; an
obligation finds its verdict by its text, the solvers with their versions, and the budget.
Guarantee: a file is written whole or not at all, under a digest of its content; what cannot be read or written, or is
not what was written, is as if it were not there.
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
from verifier.obligations.explain import Reason
from verifier.obligations.minimize import Model
from verifier.obligations.prove import Options, Solved
from verifier.obligations.result import Citation, Example, Outcome, Result, Shown
from verifier.solvers.registry import BUDGETS

FOLDER = Path(".slat") / "cache"
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
    """The solvers with their versions and budgets."""
    words = [f"{name} {metadata.version(PACKAGES[name])} {BUDGETS[name]}" for name in options.solvers]
    return f"{' '.join(words)} {options.budget}"


class Cache:
    """Stored results under a project's root; with `enabled` false nothing is found or stored."""

    def __init__(self, root: Path, enabled: bool) -> None:
        self._folder = root / FOLDER
        self._enabled = enabled

    def _read(self, name: str) -> Any:
        if not self._enabled:
            return None
        try:
            seal, text = read_file(self._folder / name).decode().split("\n", 1)
        except (OSError, ValueError):
            return None
        return json.loads(text) if seal == digest((text,)) else None

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
        data = self._read(f"run-{key}")
        return None if data is None else [_result(entry) for entry in data]

    def store_run(self, key: str, results: list[Result]) -> None:
        self._write(f"run-{key}", [asdict(result) for result in results])

    def solved(self, key: str) -> Solved | None:
        """The solvers' word on an obligation; its transcript is not kept."""
        data = self._read(f"obligation-{key}")
        if data is None:
            return None
        model = data["model"]
        if model is not None:
            relevant = tuple((name, high, low) for name, high, low in model["relevant"])
            model = Model(model["numbers"], model["unique"], relevant)
        vacuous = None if data["vacuous"] is None else (data["vacuous"][0], data["vacuous"][1])
        return Solved(
            data["verdict"], vacuous, tuple(data["unneeded"]), tuple(data["assumed"]), tuple(data["used"]), model,
            data["rlimit"], data["milliseconds"], "",
        )  # fmt: skip

    def store_solved(self, key: str, solved: Solved) -> None:
        self._write(f"obligation-{key}", {**asdict(solved), "transcript": ""})


def _result(data: dict[str, Any]) -> Result:
    made: dict[str, Any] = dict(data)
    made["ids"] = tuple(data["ids"])
    made["citations"] = tuple(Citation(**c) for c in data["citations"])
    made["outcome"] = _outcome(data["outcome"])
    return Result(**made)


def _outcome(data: dict[str, Any]) -> Outcome:
    made: dict[str, Any] = dict(data)
    made["core"] = tuple(data["core"])
    made["solvers"] = tuple(data["solvers"])
    if data["example"] is not None:
        made["example"] = _example(data["example"])
    return Outcome(**made)


def _example(data: dict[str, Any]) -> Example:
    values = tuple(Shown(**shown) for shown in data["values"])
    because = tuple(Reason(**reason) for reason in data["because"])
    return Example(values, data["unique"], tuple(data["replayed"]), because)
