"""Results as JUnit XML.

In: results, and what the run was of. Out: a document with a test suite for each file and a test case for each result.
Guarantee: well-formed whatever a specification says. A refutation that is expected passes; what a budget left open is
an error; what is not modelled, and was expected not to be, is skipped. No times: the same results give the same bytes.
Trusted: no, checked by golden reports and the conformance tests of the formats.
"""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as Xml

from verifier.obligations.result import Result
from verifier.reports.plain import MAIL_WIDTH, about, printable, verdict_sentence
from verifier.reports.run import Run, facts, reproduce
from verifier.reports.summary import standing


def render(results: list[Result], run: Run) -> str:
    """The document."""
    root = Xml.Element("testsuites", _counts(run.program, results))
    commands = reproduce(results, run)
    pairs = zip(results, commands, strict=True)
    for file, group in groupby(pairs, key=lambda pair: printable(pair[0].file)):
        found = list(group)
        suite = Xml.SubElement(root, "testsuite", _counts(file, [result for result, _ in found]))
        properties = Xml.SubElement(suite, "properties")
        for name, text in facts(results, run).items():
            Xml.SubElement(properties, "property", {"name": name, "value": text})
        for result, words in found:
            _case(suite, result, words)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _counts(name: str, results: list[Result]) -> dict[str, str]:
    found = [standing(result) for result in results]
    names = {"failures": "fail", "errors": "open", "skipped": "skip"}
    return {"name": name, "tests": str(len(found))} | {
        word: str(sum(one == kind for one in found)) for word, kind in names.items()
    }


def _case(suite: Xml.Element, result: Result, words: list[str]) -> None:
    """The test case, with what is wrong with it, or what is to be seen."""
    series = f" [{result.series}]" if result.series else ""
    names = {"classname": result.module, "name": f"{result.name}{series}", "file": printable(result.file)}
    case = Xml.SubElement(suite, "testcase", {**names, "line": str(result.line)})
    sentence = verdict_sentence(result)
    text = "\n".join([sentence, *about(result, MAIL_WIDTH), f"  $ {' '.join(words)}"])
    match standing(result):
        case "pass":
            if result.outcome.example is not None:
                Xml.SubElement(case, "system-out").text = text
        case "fail":
            kind = "vacuous" if result.outcome.vacuous is not None else result.outcome.verdict
            Xml.SubElement(case, "failure", {"message": sentence, "type": kind}).text = text
        case "open":
            Xml.SubElement(case, "error", {"message": sentence, "type": "budget"}).text = text
        case "skip":
            Xml.SubElement(case, "skipped", {"message": printable(f"{sentence}: {result.reason}")})
