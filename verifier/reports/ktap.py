"""Results as the kernel's test protocol, KTAP version 1.

In: results, and what the run was of. Out: a version line, a plan, and for each result its line, with diagnostics before
it for what is no plain pass and for what deserves a closer look.
Guarantee: a refutation that is expected is `ok`; what a budget left open is `not ok` with TIMEOUT; what is not
modelled, and was expected not to be, is skipped.
Trusted: no, checked by golden reports and the conformance tests of the formats.

Source: LINUX "The Kernel Test Anything Protocol (KTAP), version 1".
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.obligations.result import Result
from verifier.reports.plain import MAIL_WIDTH, about, full_name, verdict_sentence
from verifier.reports.run import Run, facts, reproduce
from verifier.reports.summary import standing


def render(results: list[Result], details: list[Result], run: Run) -> str:
    """The document."""
    closer = {full_name(result) for result in details}
    lines = ["KTAP version 1", f"1..{len(results)}"]
    lines += [f"# {name}: {text}" for name, text in facts(results, run).items()]
    for number, (result, words) in enumerate(zip(results, reproduce(results, run), strict=True), start=1):
        lines += _diagnostics(result, words, full_name(result) in closer)
        lines.append(_line(number, result))
    return "\n".join(lines) + "\n"


def _diagnostics(result: Result, words: list[str], closely: bool) -> Iterator[str]:
    closely = closely or standing(result) in ("fail", "open")
    sentence = verdict_sentence(result)
    if closely or sentence != "proved":
        yield f"# {result.name}: {sentence}"
    if closely:
        yield from (f"# {line}" for line in about(result, MAIL_WIDTH))
        yield f"#   $ {' '.join(words)}"


def _line(number: int, result: Result) -> str:
    name = full_name(result)
    match standing(result):
        case "pass":
            return f"ok {number} {name}"
        case "fail":
            return f"not ok {number} {name}"
        case "open":
            return f"not ok {number} {name} # TIMEOUT the budget of a question ran out"
        case "skip":
            return f"ok {number} {name} # SKIP not modelled"
