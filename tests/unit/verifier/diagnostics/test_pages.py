"""The pages of `slat explain`: complete, and their examples true."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from excerpts import completed
from golden.cases import Said, make_project, slat

import verifier
from verifier.diagnostics.model import Diagnostic
from verifier.diagnostics.pages import codes, read_page, title


def diagnostics() -> list[type[Diagnostic]]:
    """Every kind of diagnostic with a code of its own, wherever in the package it is."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(verifier.__path__, "verifier.")
               if m.name != "verifier.__main__"]  # fmt: skip
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Diagnostic) and kind.__module__ == module.__name__
        and isinstance(vars(kind).get("code"), str) and kind is not Diagnostic
    ]  # fmt: skip


DIAGNOSTICS = diagnostics()
CODES = codes()
GOLDEN = Path(__file__).parents[3] / "golden"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(section: str, folder: Path) -> Said:
    """Writes the files and runs the commands of a page's section: `walk` for a scenario, `check` if it has none."""
    make_project(folder)
    said = None
    for kind, path, text in BLOCK.findall(section):
        if kind == "json":
            (folder / "scenario.json").write_text(completed(text))
            said = slat(folder, "walk", "scenario.json")
            continue
        if kind != "console":
            file = folder / (path or "proofs/example.slat")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            continue
        for line in text.splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("slat "):
                said = slat(folder, *shlex.split(command)[1:])
            else:
                subprocess.run(["sh", "-c", command], cwd=folder, check=True)
    return said or slat(folder, "check")


def test_every_diagnostic_has_a_page_and_every_page_a_diagnostic():
    assert sorted(kind.code for kind in DIAGNOSTICS) == CODES


def test_no_two_diagnostics_share_a_code():
    assert len({kind.code for kind in DIAGNOSTICS}) == len(DIAGNOSTICS)


def test_every_diagnostic_has_a_golden_file():
    golden = {path.name.split("-")[0] for path in GOLDEN.glob("*/fail/*.txt")}
    assert {kind.code for kind in DIAGNOSTICS} <= golden


@pytest.mark.parametrize("code", CODES)
def test_the_broken_example_of_a_page_gives_exactly_its_code(code, tmp_path):
    broken, _ = read_page(code).split("## Fixed")
    said = follow(broken, tmp_path)
    assert set(said.codes) == {code}, said.err
    assert said.exit_code == (2 if code.startswith("E") else 0)


@pytest.mark.parametrize("code", CODES)
def test_the_fixed_example_of_a_page_is_clean(code, tmp_path):
    fixed = read_page(code).split("## Fixed")[1]
    said = follow(fixed, tmp_path)
    assert (said.exit_code, said.codes) == (0, []), said.err


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_a_title_a_reason_and_two_examples(code):
    page = read_page(code)
    assert re.fullmatch(
        rf"# {code}: [^\n]+\n\n.+?\n\n## Broken\n\n```.+?```\n\n## Fixed\n\n```.+?```\n", page, re.DOTALL
    )
    assert not title(code).endswith(".")
    assert all(len(line) <= 120 for line in page.splitlines())
