"""What differs between two versions, for programs (slat-diff-1).

In: a `Diff`, and what the run was of. Out: a JSON document in a stable order.
Guarantee: the keys are those of docs/DIFF.md; no time, no place of a machine.
Trusted: no, checked against its schema by the conformance tests.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from verifier.diff import model
from verifier.diff.model import Cell, Change, Decided, Diff, Instance, Reached
from verifier.reports.json_report import example_document
from verifier.reports.run import Run

SCHEMA = "slat-diff-1"


def render(diff: Diff, run: Run) -> str:
    """The document."""
    found = Counter(cell.verdict for decided in diff.decisions for cell in decided.cells)
    document = {
        "schema": SCHEMA,
        "a": diff.left,
        "b": diff.right,
        "specifications": run.revision,
        "solvers": list(run.solvers),
        "definitions": [_change(change) for change in diff.changes],
        "claims": [_reached(reached) for reached in diff.reached],
        "decisions": [_decided(decided) for decided in diff.decisions],
        "summary": {"definitions": len(diff.changes), "claims": len(diff.reached)}
        | {_key(verdict): found[verdict] for verdict in model.VERDICTS},
    }
    return json.dumps(document, indent=2) + "\n"


def _key(words: str) -> str:
    """A verdict, or the kind of a change, as one word."""
    return words.lower().replace(" ", "_")


def _change(change: Change) -> dict[str, Any]:
    return {
        "module": change.module,
        "name": change.name,
        "what": change.what,
        "change": _key(change.kind),
        "a": change.left,
        "b": change.right,
    }


def _reached(reached: Reached) -> dict[str, Any]:
    return {
        "module": reached.module,
        "name": reached.name,
        "ids": list(reached.ids),
        "place": reached.place,
        "through": list(reached.by),
    }


def _decided(decided: Decided) -> dict[str, Any]:
    return {
        "name": decided.name,
        "module": decided.module,
        "statement": decided.statement,
        "place": decided.place,
        "ordered": decided.ordered,
        "axes": [axis.name for axis in decided.axes],
        "definitions": list(decided.rests_on),
        "cells": [_cell(decided, cell) for cell in decided.cells],
    }


def _cell(decided: Decided, cell: Cell) -> dict[str, Any]:
    named = zip((axis.name for axis in decided.axes), cell.coordinates, strict=True)
    return {
        **dict(named),
        "verdict": _key(cell.verdict),
        "reason": cell.reason or None,
        "a_has_more": _instance(cell.loses),
        "b_has_more": _instance(cell.gains),
    }


def _instance(instance: Instance | None) -> dict[str, Any] | None:
    if instance is None:
        return None
    said = [{"version": one.label, "what": one.what, "value": one.value} for one in instance.said]
    return example_document(instance.example) | {"said": said}
