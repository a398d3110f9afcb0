"""The formats in which results can be rendered.

In: a name. Out: a function from results to a document.
Guarantee: every format handles every kind of result.
Trusted: no.

To add one: a module with `render(results, details)` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from verifier.obligations.result import Result
from verifier.reports import json_report, markdown, text

Renderer = Callable[[list[Result], list[Result]], str]
"""From all results, and those that deserve a closer look, to a document."""

FORMATS: dict[str, Renderer] = {
    "text": text.render,
    "markdown": lambda results, details: markdown.render(results),
    "json": lambda results, details: json_report.render(results),
}
