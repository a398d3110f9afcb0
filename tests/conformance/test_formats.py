"""Every registered format handles every kind of result, and is what its name says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import small
from results import EVERY, HOSTILE, KINDS, RUN, SERIES

from verifier.cli.main import run
from verifier.obligations.result import Result
from verifier.reports.plain import full_name, verdict_sentence
from verifier.reports.registry import FORMATS
from verifier.reports.run import reproduce
from verifier.reports.summary import standing

HERE = Path(__file__).parent
SARIF = json.loads((HERE / "sarif-2.1.0-subset.schema.json").read_text())
ALL = list(EVERY.values())
FEW = [*KINDS.values(), *SERIES.values()]
NEW = ("mail", "junit", "sarif", "ktap", "macros", "c")
"""Formats that promise to print whatever a specification says."""


def rendered(form: str, results: list[Result], details: list[Result] | None = None) -> str:
    """The document, which is the same twice."""
    documents = {FORMATS[form](results, results if details is None else details, RUN) for _ in range(2)}
    assert len(documents) == 1
    return documents.pop()


# ---- every format


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", EVERY)
def test_every_format_handles_every_kind_of_result(form: str, kind: str):
    one = EVERY[kind]
    for document in (rendered(form, [one]), rendered(form, [one], [])):
        assert document.endswith("\n")
        assert one.name in document
        assert form == "json" or "987654" not in document, "a time"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_names_every_claim_and_every_series(form: str):
    document = rendered(form, FEW)
    assert all(result.name in document for result in FEW)
    assert form == "markdown" or all(result.series in document for result in SERIES.values())


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_handles_no_results(form: str):
    assert rendered(form, []).endswith("\n")


@pytest.mark.parametrize("form", NEW)
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_printed_can_be_printed(form: str, kind: str):
    document = rendered(form, [result for name, result in EVERY.items() if name.startswith(kind)])
    document.encode()
    assert all(char.isprintable() for char in document if char not in "\n\t")


# ---- mail


def commands(mail: str) -> list[str]:
    """The commands in a mail, with the lines of each joined as a shell joins them."""
    joined = re.sub(r" \\\n +", " ", mail)
    return re.findall(r"(?<!\S)slat prove .*(?=\n)", joined.partition("\nTool")[2])


@pytest.mark.parametrize("closely", [True, False])
def test_a_mail_has_72_columns_and_nothing_that_programs_take_for_something_else(closely: bool):
    lines = rendered("mail", ALL, None if closely else []).splitlines()
    assert max(map(len, lines)) <= 72
    assert all(line == line.rstrip() for line in lines)
    assert [line for line in lines if re.match(r"From |>|-- ?$|---|\.$|diff |Index: ", line)] == []


@pytest.mark.parametrize("closely", [True, False])
def test_a_mail_has_one_command_for_each_result(closely: bool):
    mail = rendered("mail", FEW, None if closely else [])
    assert sorted(commands(mail)) == sorted(" ".join(words) for words in reproduce(FEW, RUN))


def test_a_mail_says_what_the_run_was_of():
    head = rendered("mail", FEW).split("\n\n")[1]
    for words in (RUN.revision, "v5, rfc_11", *RUN.solvers, *RUN.budget, RUN.tool):
        assert words in head


def test_a_claim_whose_name_is_taken_twice_is_named_with_its_module():
    one = KINDS["proved"]
    other = EVERY["proved, in v5"]
    assert [words[2] for words in reproduce([one, other], RUN)] == [one.name, one.name]
    elsewhere = replace(one, module="proofs.windows")
    assert [words[2] for words in reproduce([one, elsewhere], RUN)] == [full_name(one), full_name(elsewhere)]


def test_the_command_of_a_mail_gives_the_same_paragraph_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    root = small.write(tmp_path, small.CLAIMS + small.WRONG)

    def mail(*words: str) -> str:
        run(["prove", "--root", str(root), "--jobs", "1", "--format", "mail", *words])
        return capfd.readouterr().out

    whole = mail("-v", "--solver", "all", "--rlimit", "10000000")
    paragraphs = whole.split("\n\n")[2:]
    assert len(paragraphs) == 6
    for paragraph in paragraphs:
        (command,) = re.findall(r"\$ slat prove ((?:\\\n|.)*)", paragraph)
        again = mail(*command.replace("\\\n", "").split())
        assert again.split("\n\n")[1] == whole.split("\n\n")[1]
        assert again.split("\n\n")[2].strip() == paragraph.strip()


def test_a_mail_is_the_same_wherever_the_project_lies(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    mails: set[str] = set()
    for place in ("here", "a/much/longer/place/over/there"):
        root = small.write(tmp_path / place)
        assert run(["prove", "--root", str(root), "--jobs", "1", "--format", "mail", "-v"]) == 0
        mails.add(capfd.readouterr().out)
    assert len(mails) == 1
    assert str(tmp_path) not in mails.pop()


def test_the_revision_is_another_one_as_soon_as_a_text_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    found: list[str] = []
    for claims in (small.CLAIMS, small.CLAIMS, small.CLAIMS + "// a word\n"):
        root = small.write(tmp_path, claims)
        assert run(["prove", "--root", str(root), "--jobs", "1", "--format", "mail", "D1"]) == 0
        found += re.findall(r"Specifications +(\w+)", capfd.readouterr().out)
    assert found[0] == found[1] != found[2]


# ---- JUnit


def outcomes_of_junit(document: str) -> dict[str, str]:
    """What a reader of JUnit XML makes of each test case."""
    root = ElementTree.fromstring(document)
    cases = {f"{case.get('classname')}.{case.get('name')}": case for case in root.iter("testcase")}
    elements = {"failure": "fail", "error": "open", "skipped": "skip"}
    found = {
        name: next((kind for element, kind in elements.items() if case.find(element) is not None), "pass")
        for name, case in cases.items()
    }
    kinds = list(found.values())
    for counted in (root, *root.iter("testsuite")):
        assert counted.get("name")
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        str(number) for number in (len(kinds), kinds.count("fail"), kinds.count("open"), kinds.count("skip"))
    ]
    assert sum(int(suite.get("tests", 0)) for suite in root.iter("testsuite")) == len(kinds)
    return found


def test_junit_passes_what_is_as_expected_and_nothing_else():
    assert outcomes_of_junit(rendered("junit", FEW)) == {full_name(result): standing(result) for result in FEW}


@pytest.mark.parametrize("kind", EVERY)
def test_junit_is_well_formed_whatever_a_specification_says(kind: str):
    root = ElementTree.fromstring(rendered("junit", [EVERY[kind]]))
    assert root.tag == "testsuites"


# ---- SARIF


def test_the_schema_of_sarif_is_a_schema():
    assert SARIF["properties"]["version"] == {"const": "2.1.0"}
    jsonschema.Draft202012Validator.check_schema(SARIF)


@pytest.mark.parametrize("kind", [*EVERY, "no results", "all"])
def test_sarif_follows_its_schema_and_indexes_its_rules(kind: str):
    results = ALL if kind == "all" else [EVERY[kind]] if kind in EVERY else []
    document = json.loads(rendered("sarif", results))
    jsonschema.Draft202012Validator(SARIF).validate(document)
    (log,) = document["runs"]
    rules = [rule["id"] for rule in log["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert [rules[found["ruleIndex"]] for found in log["results"]] == [found["ruleId"] for found in log["results"]]


def test_sarif_fails_for_what_is_not_as_expected_only():
    (log,) = json.loads(rendered("sarif", FEW))["runs"]
    levels = {"fail": "error", "open": "none", "skip": "none"}
    kinds = {"fail": "fail", "open": "open", "skip": "notApplicable"}
    for result, found in zip(FEW, log["results"], strict=True):
        note = standing(result) == "pass" and result.outcome.verdict == "refuted"
        assert found["level"] == levels.get(standing(result), "note" if note else "none")
        assert found["kind"] == kinds.get(standing(result), "fail" if note else "pass")
        assert found["properties"]["series"] == result.series


# ---- KTAP


@dataclass(frozen=True)
class Line:
    """A result line of KTAP: `directive` and `data` are empty if there are none."""

    ok: bool
    name: str
    directive: str
    data: str


RESULT = re.compile(r"(ok|not ok) ([0-9]+)(?: (?:- )?([^#]*))?(?: # ?(?:(SKIP|XFAIL|TIMEOUT|ERROR)\b ?)?(.*))?")


def parse_ktap(text: str) -> list[Line]:
    """The result lines of a flat KTAP document; whatever is none of the four kinds of line is refused."""
    version, plan, *rest = text.splitlines()
    assert version == "KTAP version 1"
    planned = re.fullmatch(r"1\.\.([0-9]+)", plan)
    assert planned is not None
    found: list[Line] = []
    for line in rest:
        if line.startswith("# "):
            continue
        match = RESULT.fullmatch(line)
        assert match is not None, line
        assert int(match[2]) == len(found) + 1
        found.append(Line(match[1] == "ok", (match[3] or "").strip(), match[4] or "", match[5] or ""))
    assert len(found) == int(planned[1])
    return found


def outcome_of_ktap(line: Line) -> str:
    """What a test framework makes of a line."""
    special = {"SKIP": "skip", "TIMEOUT": "open"}
    return special.get(line.directive, "pass" if line.ok else "fail")


def test_ktap_passes_what_is_as_expected_and_nothing_else():
    lines = parse_ktap(rendered("ktap", FEW))
    assert {line.name: outcome_of_ktap(line) for line in lines} == {full_name(r): standing(r) for r in FEW}
    assert all(not line.ok for line in lines if line.directive == "TIMEOUT"), "the protocol says so"


@pytest.mark.parametrize("kind", EVERY)
def test_ktap_parses_whatever_a_specification_says(kind: str):
    (line,) = parse_ktap(rendered("ktap", [EVERY[kind]]))
    assert line.name == full_name(EVERY[kind])


def test_ktap_explains_what_is_no_plain_pass_before_its_line():
    for result in FEW:
        *head, last = rendered("ktap", [result], []).splitlines()
        said = any(line == f"# {result.name}: {verdict_sentence(result)}" for line in head)
        assert said == (verdict_sentence(result) != "proved"), last


@pytest.mark.parametrize(
    "text",
    [
        "TAP version 13\n1..0\n",
        "KTAP version 1\n1..1\n",
        "KTAP version 1\n1..1\nok 2 a\n",
        "KTAP version 1\n1..1\nhello\nok 1 a\n",
    ],
)
def test_the_parser_of_ktap_can_say_no(text: str):
    with pytest.raises(AssertionError):
        parse_ktap(text)
