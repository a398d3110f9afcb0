"""From a claim to what is asked of a solver.

In: a checked claim. Out: an `Obligation`: a script that is satisfiable exactly if a counterexample (of an
invariant) or an example (of a witness) exists.
Guarantee: a claim is proved only if its script has no model.
Trusted: yes; every model is replayed on the interpreter.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.smt import terms
from verifier.smt.script import Goal, Script, write_script
from verifier.smt.symbolic import Leaf, Symbolic, scalar, unknown
from verifier.smt.symbolize import Symbolizer
from verifier.smt.terms import Term
from verifier.types import typed


@dataclass(frozen=True, slots=True)
class Obligation:
    """A claim and its script."""

    claim: typed.Claim
    script: Script


def generate(claim: typed.Claim, symbolizer: Symbolizer) -> Obligation:
    """The obligation of `claim`."""
    leaves: list[Leaf] = []
    constraints: list[Term] = []
    env: dict[str, Symbolic] = {p.name: unknown(p.type, p.name, leaves, constraints) for p in claim.params}
    roots = [symbolizer.root(e, env) for e in (*claim.assumptions, claim.show)]
    *assumptions, shown = (scalar(value) for value, _ in roots)
    goal = shown if claim.kind == "witness" else terms.negate(shown)
    inlined = tuple(owners for _, owners in roots)
    script = write_script(
        Goal(tuple(leaves), tuple(constraints), tuple(assumptions), goal, inlined),
        symbolizer.definitions,
        symbolizer.choices,
    )
    return Obligation(claim, script)
