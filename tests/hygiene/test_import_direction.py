"""Imports point one way, and each foreign package has one home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT, imports, name, sources

LAYERS = [
    "files", "source", "diagnostics", "syntax", "names", "types", "core", "smt", "solvers", "obligations", "tables",
    "diff", "reports", "cli",
]  # fmt: skip
"""Each may import itself and what stands before it."""

HOMES = {
    "lark": "verifier/syntax/",
    "interegular": "verifier/syntax/",
    "z3": "verifier/solvers/z3_session.py",
    "bitwuzla": "verifier/solvers/bitwuzla_session.py",
    "click": "verifier/cli/",
    "tabulate": "verifier/reports/",
    "jinja2": "verifier/reports/",
    "markupsafe": "verifier/reports/html/",
    "pygments": "verifier/reports/lexer.py",
    "numpy": "models/",
}
"""The only place of the shipped code that may import each package."""


def layer(path: Path) -> int:
    part = name(path).split("/")[1].removesuffix(".py")
    return {"__init__": -1, "__main__": len(LAYERS)}.get(part, LAYERS.index(part) if part in LAYERS else -1)


def test_every_package_of_the_verifier_has_its_place_in_the_order():
    parts = {name(path).split("/")[1].removesuffix(".py") for path in sources("verifier")}
    assert parts - {"__init__", "__main__"} == set(LAYERS)


def test_imports_point_left_only():
    wrong = [
        str(found)
        for path in sources("verifier")
        for found in imports(path)
        if found.module.startswith("verifier.") and LAYERS.index(found.module.split(".")[1]) > layer(path)
    ]
    assert wrong == []


def test_the_reference_mmu_imports_nothing_of_the_verifier():
    assert [str(i) for path in sources("models") for i in imports(path) if i.module.startswith("verifier")] == []


def test_only_the_command_line_hands_in_the_reference_mmu():
    wrong = [
        str(found)
        for path in sources("verifier")
        for found in imports(path)
        if found.module.split(".")[0] == "models" and not name(path).startswith("verifier/cli/")
    ]
    assert wrong == []


def test_shipped_code_imports_nothing_of_the_tests():
    wrong = [
        str(found)
        for path in sources("verifier", "models")
        for found in imports(path)
        if found.module.split(".")[0] in ("tests", "programs", "bench", "pytest", "hypothesis", "cvc5")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", HOMES)
def test_a_foreign_package_is_imported_at_home_only(package: str):
    importing = [i for path in sources("verifier", "models") for i in imports(path)]
    users = {name(i.path) for i in importing if i.module.split(".")[0] == package}
    assert all(user.startswith(HOMES[package]) for user in users), users


def test_every_foreign_package_has_a_home():
    known = {*HOMES, "verifier", "models", *sys.stdlib_module_names}
    foreign = [
        str(i) for path in sources("verifier", "models") for i in imports(path) if i.module.split(".")[0] not in known
    ]
    assert foreign == []


def loaded_by(*words: str) -> set[str]:
    """The packages that a command line imports."""
    script = "import sys; from verifier.cli.main import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT)
    return {module.split(".")[0] for module in done.stderr.split()}


@pytest.mark.parametrize("words", [["--help"], ["prove", "--help"], ["check"], ["eval", "EptEntry { r: true }.raw"]])
def test_what_proves_nothing_loads_no_solver(words: list[str]):
    assert loaded_by(*words) & {"z3", "bitwuzla", "cvc5", "tabulate"} == set()
