"""Reports, word for word: every kind of result in every format."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from conformance.results import KINDS, RUN
from conformance.small import CLAIMS, WRONG, write

from verifier.cli.main import run
from verifier.cli.walk import FORMATS as WALK_FORMATS
from verifier.reports.diff_registry import FORMATS as DIFF_FORMATS
from verifier.reports.registry import FORMATS

HERE = Path(__file__).parent / "report"
SUFFIXES = {"json": "json.txt", "junit": "junit.xml", "sarif": "sarif.json", "c": "access_tests.c"}
VACUOUS = '\ninvariant too_careful per SDM "Keys" "A red key opens." for k: Key assume k.red && k.blue show opens(k)\n'
UNREACHABLE = (
    '\nwitness a_key_without_colour_opens per SDM "Keys" "Magic." for k: Key assume !k.red && !k.blue show opens(k)\n'
)


def doors(folder: Path) -> Path:
    """A project without series."""
    return write(folder, CLAIMS + WRONG + VACUOUS + UNREACHABLE)


def versions(folder: Path) -> Path:
    """A project with two series, and records of many truth values."""
    shutil.copytree(HERE / "versions", folder, dirs_exist_ok=True)
    return folder


PROJECTS = {".": (doors, ()), "versions": (versions, ("--series", "all"))}


def compare(golden: Path, found: str, request: pytest.FixtureRequest) -> None:
    """What is found is what was kept, or is kept if asked for."""
    if request.config.getoption("--update-golden"):
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_report_reads_exactly_so(project: str, form: str, tmp_path: Path, capfd, request):
    make, words = PROJECTS[project]
    root = make(tmp_path)
    assert run(["prove", "--root", str(root), "--no-cache", "--jobs", "1", "-v", "--format", form, *words]) == 1
    found = re.sub(r'("milliseconds"): \d+', r"\1: 0", capfd.readouterr().out)
    compare(HERE / project / SUFFIXES.get(form, f"{form}.txt"), found, request)


@pytest.mark.parametrize("form", DIFF_FORMATS)
def test_a_comparison_reads_exactly_so(form: str, capfd, request):
    words = ["diff", "old", "v5", "--root", str(HERE / "diff"), "--no-cache", "--jobs", "1", "--format", form]
    assert run(words) == 1
    compare(HERE / "diff" / SUFFIXES.get(form, f"{form}.txt"), capfd.readouterr().out, request)


@pytest.mark.parametrize("form", ["macros", "c"])
def test_a_counterexample_with_walks_reads_exactly_so(form: str, request):
    found = FORMATS[form]([KINDS["refuted"]], [KINDS["refuted"]], RUN)
    compare(HERE / "accesses" / SUFFIXES.get(form, f"{form}.txt"), found, request)


@pytest.mark.parametrize("form", WALK_FORMATS)
def test_a_walk_reads_exactly_so(form: str, capfd, request):
    assert run(["walk", "--format", form, str(HERE / "walk" / "scenario.json")]) == 0
    compare(HERE / "walk" / f"{form}.txt", capfd.readouterr().out, request)


def test_the_report_shows_a_counterexample_a_vacuous_claim_and_an_unreachable_witness():
    report = (HERE / "text.txt").read_text()
    for words in ("minimal counterexample", "VACUOUS, unneeded: k.blue", "unreachable", "NOT AS EXPECTED (proved)"):
        assert words in report


def test_the_reports_of_versions_show_what_is_not_modelled_and_the_truth_values_of_a_record_together():
    for form in ("text", "mail"):
        report = (HERE / "versions" / f"{form}.txt").read_text()
        for words in ("not modelled", "in v5", "   advanced_exit_info\n", "without execute_only accessed_dirty"):
            assert words in report
