"""Diagnostics and layouts, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from golden.cases import run_case

from verifier.source import Source
from verifier.syntax.format import format_source
from verifier.syntax.mistakes import MISTAKES

HERE = Path(__file__).parent
FAILING = sorted(
    path
    for folder in ("parse/fail", "check/fail")
    for path in (HERE / folder).iterdir()
    if path.is_dir() or path.suffix == ".slat"
)
PASSING = sorted((HERE / "parse" / "pass").glob("*.slat"))


def compare(found: str, golden: Path, update: bool) -> None:
    if update:
        golden.write_text(found)
    assert golden.exists(), f"{golden.name} is missing: run pytest with --update-golden"
    assert found == golden.read_text()


@pytest.mark.parametrize("case", FAILING, ids=lambda path: path.stem)
def test_a_faulty_input_gets_exactly_these_diagnostics(case, tmp_path, request):
    found = run_case(case, tmp_path)
    code = case.name.split("-")[0]
    codes = set(re.findall(r"^(?:error|warning)\[([EW]\d+)\]", found, re.MULTILINE))
    assert codes == {code}, "the file's name is the code that it gets"
    compare(found, case.with_suffix(".txt"), request.config.getoption("--update-golden"))


@pytest.mark.parametrize("case", PASSING, ids=lambda path: path.stem)
def test_a_file_gets_exactly_this_layout(case, request):
    found = format_source(Source(case.name, case.read_text()))
    compare(found, case.with_suffix(".txt"), request.config.getoption("--update-golden"))


def test_every_known_mistake_is_met_by_a_golden_file():
    said = "".join(path.read_text() for path in (HERE / "parse" / "fail").glob("*.txt"))
    for mistake in MISTAKES:
        problem, advice = (re.escape(text).replace(r"\{found\}", ".+") for text in (mistake.problem, mistake.advice))
        wanted = re.compile(rf"error\[E101\]: {problem}\n(?:[^\n]+\n)+? *= help: {advice}\n")
        assert wanted.search(said), f"no golden file meets: {mistake.problem} / {mistake.advice}"
