"""Every format of `slat diff` handles every kind of cell, and is what its name says."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from diffs import ALL, DIFF_RUN, EVERY, diff

from verifier.cli.diff import exit_code
from verifier.diff import model
from verifier.reports.diff_registry import FORMATS

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "slat-diff-1.schema.json").read_text())
SARIF = json.loads((HERE / "sarif-2.1.0-subset.schema.json").read_text())


def rendered(form: str, found: model.Diff) -> str:
    """The document, which is the same twice."""
    documents = {FORMATS[form](found, DIFF_RUN) for _ in range(2)}
    assert len(documents) == 1
    return documents.pop()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("verdict", EVERY)
def test_every_format_of_a_comparison_handles_every_kind_of_cell(form: str, verdict: str):
    document = rendered(form, EVERY[verdict])
    assert document.endswith("\n")
    assert all(char.isprintable() for char in document if char not in "\n\t")
    assert any(word in document for word in ("by night", "by_night"))
    assert form not in ("text", "mail", "markdown") or verdict in document


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_a_comparison_handles_no_decision(form: str):
    assert rendered(form, diff()).endswith("\n")


def test_the_json_of_a_comparison_is_what_its_schema_says():
    document = json.loads(rendered("json", ALL))
    jsonschema.validate(document, SCHEMA)
    summary = document["summary"]
    assert all(summary[verdict.lower().replace(" ", "_")] == 2 for verdict in model.VERDICTS)
    assert document["a"] == "v3"


def test_a_mail_of_a_comparison_has_at_most_72_columns_and_its_command():
    lines = rendered("mail", ALL).splitlines()
    assert max(map(len, lines)) <= 72
    assert "Reproduce       slat diff v3 v5 --rlimit 7" in lines
    assert any(line.startswith("Solver          z3 1.2.3") for line in lines)


def test_sarif_of_a_comparison_has_an_error_for_each_cell_that_differs():
    document = json.loads(rendered("sarif", ALL))
    jsonschema.validate(document, SARIF)
    results = document["runs"][0]["results"]
    assert sum(result["level"] == "error" for result in results) == 2 * len(model.DIFFERENT)


def test_junit_of_a_comparison_counts_differences_as_failures():
    root = ElementTree.fromstring(rendered("junit", ALL))
    assert root.attrib["name"] == "slat diff"
    counts = {word: int(root.attrib[word]) for word in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 20, "failures": 2 * len(model.DIFFERENT), "errors": 2, "skipped": 4}


def test_ktap_of_a_comparison_has_a_line_for_each_cell():
    lines = rendered("ktap", ALL).splitlines()
    assert lines[:2] == ["KTAP version 1", "1..20"]
    assert sum(line.startswith(("ok ", "not ok ")) for line in lines) == 20
    assert sum(line.startswith("not ok ") for line in lines) == 2 * len(model.DIFFERENT) + 2


def test_a_difference_is_exit_1_and_what_is_open_is_exit_3():
    codes = {verdict: exit_code(found) for verdict, found in EVERY.items()}
    assert codes == {
        **dict.fromkeys(model.DIFFERENT, 1),
        **dict.fromkeys((model.UNKNOWN, model.NOT_MODELLED), 3),
        **dict.fromkeys((model.EQUIVALENT, model.IMPOSSIBLE), 0),
    }
    assert exit_code(ALL) == 1
