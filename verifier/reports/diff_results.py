"""What differs between two versions, as results: for the formats that know claims.

In: a `Diff`. Out: a result for each cell: that B decides as A does.
Guarantee: a cell that differs is not as expected; what neither version has, or what cannot be compared, is not
modelled; what a budget left open is unknown.
Trusted: no, checked by the conformance tests of the formats.
"""

from __future__ import annotations

from verifier.diff import model
from verifier.diff.model import Cell, Decided, Diff
from verifier.obligations.result import Outcome, Result

VERDICTS = {model.EQUIVALENT: "proved", model.UNKNOWN: "unknown"} | dict.fromkeys(model.DIFFERENT, "refuted")
NOT_MODELLED = "not_modelled"


def results(diff: Diff) -> list[Result]:
    """One for each cell, in the order of the decisions."""
    return [_result(diff, decided, cell) for decided in diff.decisions for cell in decided.cells]


def _result(diff: Diff, decided: Decided, cell: Cell) -> Result:
    file, _, line = decided.place.rpartition(":")
    verdict = VERDICTS.get(cell.verdict, NOT_MODELLED)
    found = cell.loses or cell.gains
    outcome = Outcome(verdict, None, (), found.example if found else None, ("z3",), 0, 0)
    return Result(
        "invariant",
        cell.name,
        (),
        decided.module,
        file,
        int(line),
        decided.statement,
        f"{diff.left}..{diff.right}",
        NOT_MODELLED if verdict == NOT_MODELLED else "proved",
        _reason(diff, cell),
        (),
        outcome,
    )


def _reason(diff: Diff, cell: Cell) -> str:
    """What the verdict says, with the names of the versions."""
    if cell.reason:
        return cell.reason
    match cell.verdict:
        case model.LESS | model.MORE:
            return f"{diff.right} is {cell.verdict} than {diff.left}"
        case model.INCOMPARABLE:
            return f"{diff.right} and {diff.left} each have what the other has not"
        case model.ONLY_LEFT:
            return f"only {diff.left} has this"
        case model.ONLY_RIGHT:
            return f"only {diff.right} has this"
        case model.DISJOINT:
            return f"{diff.left} and {diff.right} have nothing of this in common"
        case model.IMPOSSIBLE:
            return f"neither {diff.left} nor {diff.right} has this"
        case _:
            return ""
