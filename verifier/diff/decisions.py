"""Decisions: the functions that two versions are compared by, and the cells in which they are.

In: a loaded version. Out: a `Decision` for each module under `proofs/decisions` that has one.
Guarantee: every definition is that of the version; what cannot be evaluated there is `Unanswerable`, never a value.
Trusted: no, checked by tests/unit/verifier/diff.

A decision is a module: `fn decision` gives what is compared, each of the rules `accesses`, `modes` and `capabilities` a
cell for each of its clauses, and the rule `possible` says which inputs count. `fn evidence`, if there is one, is
shown beside the decision where versions differ. All of them share their inputs by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.names.resolve import Program
from verifier.tables.version import Definitions, Unanswerable
from verifier.types import typed
from verifier.types.load import Loaded

FOLDER = "proofs.decisions"
FUNCTION, POSSIBLE, EVIDENCE = "decision", "possible", "evidence"
AXES = ("accesses", "modes", "capabilities")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as one version has it."""

    module: str
    function: typed.Function
    possible: typed.Function
    axes: tuple[typed.Function, ...]
    evidence: typed.Function | None

    @property
    def name(self) -> str:
        return self.module.rsplit(".", 1)[-1]

    def cell(self, coordinates: tuple[str, ...]) -> tuple[typed.Function, ...]:
        """The conditions of a cell, a clause of each axis, and what is possible."""
        clauses = (_clause(axis, name) for axis, name in zip(self.axes, coordinates, strict=True))
        return (*clauses, self.possible)


def decision_modules(program: Program) -> list[str]:
    """The modules that hold a decision, by name."""
    found = (name for name in program.modules if name.rpartition(".")[0] == FOLDER)
    return sorted(name for name in found if any(d.name.text == FUNCTION for d in program.modules[name].tree.decls))


def decision(loaded: Loaded, module: str) -> Decision:
    """The decision of a module; raises `Unanswerable` if the version does not say what it needs."""
    definitions = Definitions(loaded)
    try:
        function, possible, *axes = (definitions.function(f"{module}.{name}") for name in (FUNCTION, POSSIBLE, *AXES))
    except Unanswerable as reason:
        raise Unanswerable(_stranger(loaded, module) or str(reason)) from None
    for rule, op in ((possible, "and"), *((axis, "or") for axis in axes)):
        if not isinstance(rule.body, typed.RuleBody) or rule.body.op != op:
            raise Unanswerable(f"`{rule.name}` is no rule with {'all' if op == 'and' else 'any'} of its clauses")
    return Decision(module, function, possible, tuple(axes), _evidence(definitions, module))


def _stranger(loaded: Loaded, module: str) -> str:
    """What of a module's text this version does not understand; empty if that is not the reason."""
    if module not in loaded.program.modules:
        return ""
    source = loaded.program.modules[module].tree.name.span.source
    errors = (d for d in loaded.checker.found if d.severity == "error" and d.span is not None)
    return next((d.message() for d in errors if d.span and d.span.source is source), "")


def _evidence(definitions: Definitions, module: str) -> typed.Function | None:
    """What is shown beside the decision, in a version that has it."""
    try:
        return definitions.function(f"{module}.{EVIDENCE}")
    except Unanswerable:
        return None


def clauses(axis: typed.Function) -> tuple[str, ...]:
    """The names of the clauses of an axis."""
    assert isinstance(axis.body, typed.RuleBody)
    return tuple(clause.name for clause in axis.body.clauses)


def _clause(axis: typed.Function, name: str) -> typed.Function:
    """The clause as a function of its own."""
    assert isinstance(axis.body, typed.RuleBody)
    clause = next(clause for clause in axis.body.clauses if clause.name == name)
    return replace(axis, name=f"{axis.name}.{name}", body=clause.condition)
