"""The formats in which what differs can be rendered.

In: a name. Out: a function from a `Diff` to a document.
Guarantee: every format handles every kind of cell.
Trusted: no, checked by the conformance tests of the formats.

To add one: a module with a function from a `Diff` and what the run was of to a document, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from verifier.diff.model import Diff
from verifier.reports import diff_json, junit, ktap, sarif
from verifier.reports.diff_results import results
from verifier.reports.diff_table import table
from verifier.reports.run import Run
from verifier.reports.table_markdown import render_table_markdown
from verifier.reports.table_text import render_table, render_table_mail
from verifier.tables.table import Provenance

Renderer = Callable[[Diff, Run], str]

FORMATS: dict[str, Renderer] = {
    "text": lambda diff, run: render_table(table(diff), False),
    "mail": lambda diff, run: render_table_mail(table(diff), _provenance(run)),
    "markdown": lambda diff, run: render_table_markdown(table(diff)),
    "json": diff_json.render,
    "junit": lambda diff, run: junit.render(results(diff), run),
    "sarif": lambda diff, run: sarif.render(results(diff), run),
    "ktap": lambda diff, run: ktap.render(results(diff), [], run),
}


def render_on_terminal(diff: Diff) -> str:
    """The text with colour."""
    return render_table(table(diff), True)


def _provenance(run: Run) -> Provenance:
    further = (("Solver", " and ".join(run.solvers)), ("Budget", f"{' and '.join(run.budget)} for each question"))
    return Provenance(f"{run.revision} (digest of specs/ and proofs/)", run.tool, " ".join(run.command), further)
