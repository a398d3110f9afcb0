"""The formats in which results can be rendered.

In: a name. Out: a function from results to a document.
Guarantee: every format handles every kind of result.
Trusted: no, checked by the conformance tests of the formats.

To add one: a module with a function from results, those that deserve a closer look, and what the run was of (whichever
of them it needs) to a document, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from verifier.obligations.result import Result
from verifier.reports import c_report, json_report, junit, ktap, macros, mail, markdown, sarif, text
from verifier.reports.run import Run

Renderer = Callable[[list[Result], list[Result], Run], str]
"""From all results, those that deserve a closer look, and what the run was of, to a document."""

FORMATS: dict[str, Renderer] = {
    "text": lambda results, details, run: text.render(results, details),
    "mail": mail.render,
    "markdown": lambda results, details, run: markdown.render(results),
    "json": lambda results, details, run: json_report.render(results),
    "junit": lambda results, details, run: junit.render(results, run),
    "sarif": lambda results, details, run: sarif.render(results, run),
    "ktap": ktap.render,
    "macros": macros.render,
    "c": c_report.render,
}
