"""Counterexamples and examples as EPT access tests in C.

In: results, those that deserve a closer look, and what the run was of. Out: one C file with a table for each of these.
Guarantee: what is expected is what the specifications and the reference MMU agreed on; an access that no access test
makes is named, with the reason.
Trusted: no, checked by the conformance tests of the formats and by tests/access_tests.
"""

from __future__ import annotations

from verifier.obligations.result import Result
from verifier.reports.access_test_words import Untestable, members
from verifier.reports.access_tests import Case, Test, document
from verifier.reports.access_words import access_words
from verifier.reports.plain import full_name, verdict_sentence
from verifier.reports.run import Run, facts, reproduce


def render(results: list[Result], details: list[Result], run: Run) -> str:
    """The file; a result without a table is a line in a comment."""
    closer = {full_name(result) for result in details}
    tests: list[Test] = []
    others: list[str] = []
    for result, command in zip(results, reproduce(results, run), strict=True):
        sentence = f"{full_name(result)}: {verdict_sentence(result)}"
        if full_name(result) in closer:
            tests.append(_test(result, [sentence, result.statement, f"$ {' '.join(command)}"]))
        else:
            others.append(sentence)
    heading = ["EPT access tests by slat prove --format c."]
    heading += [f"{name}: {said}" for name, said in facts(results, run).items()]
    return document([*heading, *([""] if others else []), *others], tests)


def _test(result: Result, about: list[str]) -> Test:
    example, cases = result.outcome.example, list[Case]()
    accesses = () if example is None else example.accesses
    for access in accesses:
        words = access_words(access)
        try:
            cases.append(Case(f"{full_name(result)}, {words}", words, members(access)))
        except Untestable as reason:
            about.append(f"No test of {words}: {reason}.")
    if not accesses:
        about.append("No test: there is no access to EPT in it.")
    name = result.name + (f"_{result.series}" if result.series else "")
    return Test(name, [line for line in about if line], cases)
