"""Results as SARIF 2.1.0.

In: results, and what the run was of. Out: a log with one run: a rule for each claim, a result for each verdict.
Guarantee: what is not as expected is an error, what a budget left open is open, what was expected not to be modelled
does not apply. A refutation that is expected is a note: viewers show it, and nothing fails. No times, no places of a
machine.
Trusted: no, checked against a schema by the conformance tests of the formats.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from urllib.parse import quote

from verifier.obligations.explain import Reason
from verifier.obligations.result import Result
from verifier.reports.json_report import example_document
from verifier.reports.plain import full_name, verdict_sentence
from verifier.reports.run import Run, facts, reproduce
from verifier.reports.summary import standing

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"

Object = dict[str, object]


def render(results: list[Result], run: Run) -> str:
    """The document."""
    rules = {_rule_id(result): result for result in results}
    places = {name: index for index, name in enumerate(rules)}
    tool, _, version = run.tool.partition(" ")
    driver: Object = {"name": tool, "version": version, "rules": [_rule(result) for result in rules.values()]}
    found = [
        _result(result, places[_rule_id(result)], words)
        for result, words in zip(results, reproduce(results, run), strict=True)
    ]
    log: Object = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": found,
        "properties": facts(results, run),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [log]}, indent=2) + "\n"


def _rule_id(result: Result) -> str:
    return f"{result.module}.{result.name}"


def _rule(result: Result) -> Object:
    rule: Object = {"id": _rule_id(result), "name": result.name}
    if result.statement:
        rule["shortDescription"] = {"text": result.statement}
    if result.citations:
        rule["help"] = {"text": "; ".join(f'{cite.manual} "{cite.title}"' for cite in result.citations)}
    if result.ids:
        rule["properties"] = {"tags": list(result.ids)}
    return rule


def _result(result: Result, rule: int, words: list[str]) -> Object:
    kind, level = _kind_and_level(result)
    example = result.outcome.example
    found: Object = {
        "ruleId": _rule_id(result),
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": {"text": _message(result)},
        "locations": [_location(result.file, result.line)],
        "partialFingerprints": {"claim/v1": full_name(result)},
    }
    if example is not None and any(reason.place for reason in example.because):
        found["relatedLocations"] = [_related(reason) for reason in example.because if reason.place]
    found["properties"] = {
        "series": result.series,
        "expect": result.expect,
        "verdict": result.outcome.verdict,
        "vacuous": result.outcome.vacuous,
        "core": list(result.outcome.core),
        "example": None if example is None else example_document(example),
        "reproduce": " ".join(words),
    }
    return found


def _kind_and_level(result: Result) -> tuple[str, str]:
    """A result of another kind than `fail` has the level `none`: so says the standard."""
    match standing(result):
        case "pass":
            return ("fail", "note") if result.outcome.verdict == "refuted" else ("pass", "none")
        case "fail":
            return "fail", "error"
        case "open":
            return "open", "none"
        case "skip":
            return "notApplicable", "none"


def _message(result: Result) -> str:
    series = f" in {result.series}" if result.series else ""
    reason = f" Because {result.reason}." if result.reason and result.outcome.verdict == result.expect else ""
    return f"{result.name}{series}: {verdict_sentence(result)}. {result.statement}{reason}".rstrip()


def _related(reason: Reason) -> Object:
    file, _, line = reason.place.rpartition(":")
    said = f"{reason.text} = {reason.value}" if reason.value else reason.text
    return {**_location(file, int(line)), "message": {"text": f"{said} {reason.cite}".rstrip()}}


def _location(file: str, line: int) -> Object:
    artifact = {"uri": quote(file, errors="surrogateescape"), "uriBaseId": ROOT}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}
