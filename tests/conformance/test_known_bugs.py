"""Every mistake that reviewers found in KVM turns a claim red that holds in v5, and its example fits one screen."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from verifier.cli.main import run
from verifier.names.project import read_project
from verifier.names.series import names
from verifier.syntax import tree
from verifier.types.load import Library, open_library

ROOT = Path(__file__).parents[2]
SCREEN = 45
WITHOUT = {9: "is no mistake", 20: "is in v5 itself"}
"""Findings of I1 to I28 that no version of `known_bad` has, and why; the map says more."""

LIBRARY = open_library(read_project(ROOT))
BAD = sorted(s.name for s in LIBRARY.catalogue.series.values() if s.known_bad)


@dataclass(frozen=True)
class Decided:
    """Results by version and claim, and what the report says of a claim in a version."""

    results: dict[str, dict[str, dict[str, Any]]]
    reports: dict[tuple[str, str], list[str]]


def naming(library: Library) -> list[str]:
    """The claims that name a known-bad version."""
    claims = library.written.checked.claims
    return sorted(c.name for c in claims if any(names(c.expects, bad) for bad in BAD))


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Decided:
    file = tmp_path_factory.mktemp("known_bugs") / "results.json"
    series = [word for name in ("v5", *BAD) for word in ("--series", name)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run(["prove", "--root", str(ROOT), "-v", "--json", str(file), *series, *naming(LIBRARY)]) == 0
    results: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in ("v5", *BAD)}
    for result in json.loads(file.read_text())["results"]:
        results[result["series"] or "v5"][result["name"]] = result
    return Decided(results, reports(said.getvalue()))


def reports(text: str) -> dict[tuple[str, str], list[str]]:
    """The lines of each refutation in a report, by version and claim."""
    found: dict[tuple[str, str], list[str]] = {}
    for block in text.split("\n\n"):
        head = re.match(r"refuted +(\w+) +expected .* in (\w+)\n", block)
        if head is not None:
            found[head[2], head[1]] = block.split("\n")
    return found


def refutations(decided: Decided, bad: str) -> list[dict[str, Any]]:
    """The claims that are refuted in a version and hold in v5."""
    return [
        result
        for name, result in decided.results[bad].items()
        if result["verdict"] == "refuted" and decided.results["v5"][name]["verdict"] == "proved"
    ]


@pytest.mark.parametrize("number", sorted(set(range(1, 29)) - set(WITHOUT)))
def test_every_finding_has_a_claim_that_its_mistake_refutes_and_v5_satisfies(number: int, decided: Decided):
    versions = [bad for bad in BAD if bad.startswith(f"i{number:02}_")]
    assert any(f"I{number}" in found["ids"] for bad in versions for found in refutations(decided, bad))


@pytest.mark.parametrize("bad", BAD)
def test_every_known_bad_version_is_on_v5_and_refutes_a_claim_that_holds_there(bad: str, decided: Decided):
    assert LIBRARY.catalogue.series[bad].base == "v5"
    assert refutations(decided, bad), f"no claim expects a refutation in {bad}"


@pytest.mark.parametrize("bad", BAD)
def test_the_example_of_a_known_bad_version_fits_one_screen(bad: str, decided: Decided):
    for found in refutations(decided, bad):
        assert len(decided.reports[bad, found["name"]]) <= SCREEN, found["name"]


def kernels_words(bad: str) -> set[str]:
    """What the specifications of KVM declare in a version, under the kernel's names: functions, fields, members."""
    version = LIBRARY.catalogue.version(bad)
    assert version is not None
    words: set[str] = set()
    for name, module in LIBRARY.load(version).program.modules.items():
        for decl in module.tree.decls if name.startswith("kvm.") else ():
            words.add(decl.name.text)
            match decl:
                case tree.Bits() | tree.Record():
                    words |= {field.name.text for field in decl.fields}
                case tree.Enum():
                    words |= {member.name.text for member in decl.members}
                case _:
                    pass
    return words


@pytest.mark.parametrize("bad", BAD)
def test_the_example_of_a_known_bad_version_is_in_the_words_of_kvm(bad: str, decided: Decided):
    known = kernels_words(bad)
    for found in refutations(decided, bad):
        report = decided.reports[bad, found["name"]]
        example = report[next(i for i, line in enumerate(report) if "counterexample" in line) :]
        assert "  the claim fails because" in example, found["name"]
        assert set(re.findall(r"\w+", "\n".join(example))) & known, found["name"]


def test_findings_without_a_version_have_none():
    assert [bad for bad in BAD if int(bad[1:3]) in WITHOUT] == []
