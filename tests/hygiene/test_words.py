"""What files say: of themselves, to their readers, and what they must not say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tree import ROOT, files, folders, functions, name, sources, syntax

SHORT = 15
"""Lines up to which a module need not say what goes in and what comes out."""


def test_every_module_opens_with_what_it_guarantees():
    silent = [
        name(path)
        for path in sources("verifier", "models")
        if path.read_text("utf-8").count("\n") >= SHORT and "Guarantee" not in (ast.get_docstring(syntax(path)) or "")
    ]
    assert silent == []


def test_every_module_of_the_tests_and_benchmarks_says_what_it_is_about():
    silent = [
        name(path)
        for path in sources("tests", "bench")
        if path.read_text("utf-8").strip() and not ast.get_docstring(syntax(path))
    ]
    assert silent == []


CASES = ("tests/golden/parse/", "tests/golden/check/", "tests/golden/report/", "specs/kvm/series/known_bad/")
"""Below these every folder is one golden case, which its name describes."""


LAID_OUT = ("editors/vim/",)
"""Below these an editor says what lives where."""


def test_every_folder_says_what_lives_there():
    silent = [name(folder) for folder in folders() if not (folder / "README.md").exists()]
    assert [folder for folder in silent if not folder.startswith(CASES + LAID_OUT)] == []


# ---- tests


def asserting() -> set[str]:
    """The names of functions in the tests that assert, or that call one which does."""
    calls: dict[str, set[str]] = {}
    found: set[str] = set()
    for path in sources("tests"):
        for _, node in functions(path):
            called = calls.setdefault(node.name, set())
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Assert, ast.Raise)):
                    found.add(node.name)
                elif isinstance(inner, ast.Call):
                    target = inner.func
                    called.add(target.id if isinstance(target, ast.Name) else getattr(target, "attr", ""))
    found |= {"raises", "fail"}
    while more := {caller for caller, called in calls.items() if called & found} - found:
        found |= more
    return found


def test_every_test_can_fail():
    able = asserting()
    tests = [
        (path, node.name)
        for path in sources("tests")
        for _, node in functions(path)
        if node.name.startswith("test_") and path.name.startswith("test_")
    ]
    assert [f"{name(path)} {test}" for path, test in tests if test not in able] == []


def test_every_name_of_a_test_is_a_sentence():
    short = [
        f"{name(path)} {node.name}"
        for path in sources("tests")
        for _, node in functions(path)
        if node.name.startswith("test_") and path.name.startswith("test_") and node.name.count("_") < 3
    ]
    assert short == []


def test_no_two_files_of_tests_have_one_name():
    names = [path.name for path in sources("tests") if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names)), "pytest imports them by name"


# ---- words without a place here

TEXTS = (".py", ".md", ".slat", ".toml", ".lark", ".json", ".yml", ".yaml", ".c", ".h", ".S", ".sh", ".vim", "")
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(?:work|home|root|Users)/",
    "a task without an issue": r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b(?!.*#\d)",
    "a note that others cannot read": r"\bthe " + r"sheets?\b|\bdomain/" + r"[a-z-]+\.md|\bdesign/" + r"[a-z-]+\.md",
    "a conflict that was not resolved": r"^(?:<<<<<<<|>>>>>>>) ",
    "a diagnostic that was switched off without a word": r"#\s*type:\s*ignore(?!\[)|# pyright: ignore(?!\[)",
}


def readable() -> list[Path]:
    return [path for path in files() if path.suffix in TEXTS and path != Path(__file__)]


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_file_of_the_project_holds(kind: str):
    found = [
        f"{name(path)}:{number} {line.strip()[:80]}"
        for path in readable()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1)
        if re.search(FORBIDDEN[kind], line)
    ]
    assert found == []


def test_every_link_of_a_document_leads_somewhere():
    dead: list[str] = []
    for path in (p for p in files() if p.suffix == ".md"):
        text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (path.parent / target).exists():
                dead.append(f"{name(path)} -> {target}")
    assert dead == []


def test_the_files_that_these_tests_look_at_are_there():
    assert (ROOT / "pyproject.toml") in files()
    assert len(readable()) > 100
