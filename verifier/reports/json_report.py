"""Results as `slat-prove-1`.

In: results. Out: a JSON document in a stable order.
Guarantee: the keys are those of the published interface; times stand in `milliseconds` only.
Trusted: no, checked against its schema.
"""

from __future__ import annotations

import json

from verifier.obligations.result import Example, Result
from verifier.reports import escalation
from verifier.reports.summary import summarize


def render(results: list[Result]) -> str:
    """The document."""
    summary = summarize(results)
    counts = {
        name: getattr(summary, name)
        for name in ("claims", "proved", "refuted", "unknown", "not_as_expected", "vacuous")
    }
    document = {"schema": "slat-prove-1", "results": [_result(r) for r in results], "summary": counts}
    return json.dumps(document, indent=2) + "\n"


def _result(r: Result) -> dict[str, object]:
    outcome = r.outcome
    example = None if outcome.example is None else example_document(outcome.example)
    return {
        "name": r.name,
        "kind": r.kind,
        "ids": list(r.ids),
        "module": r.module,
        "file": r.file,
        "line": r.line,
        "statement": r.statement,
        "series": r.series,
        "expect": r.expect,
        "verdict": outcome.verdict,
        "as_expected": r.as_expected,
        "vacuous": outcome.vacuous,
        "solvers": list(outcome.solvers),
        "rlimit": outcome.rlimit,
        "milliseconds": outcome.milliseconds,
        "citations": [{"manual": c.manual, "title": c.title} for c in r.citations],
        "core": list(outcome.core),
        "counterexample": example if r.kind == "invariant" else None,
        "example": example if r.kind == "witness" else None,
    }


def example_document(example: Example) -> dict[str, object]:
    """The values of an example, and why they are one."""
    found = example.escalation
    return {
        "values": {shown.name: shown.raw for shown in example.values},
        "matters": [shown.name for shown in example.values if shown.matters],
        "assumed": [shown.name for shown in example.values if shown.assumed],
        "minimal": True,
        "unique": example.unique,
        "replayed": list(example.replayed),
        "contradicted_by": list(example.contradicted_by),
        "escalation": None if found is None else {"access": escalation.heading(found), **dict(escalation.lines(found))},
        "because": [{"text": b.text, "value": b.value, "place": b.place, "cite": b.cite} for b in example.because],
    }
