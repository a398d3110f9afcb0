"""A rule, a clause at a time.

In: a witness that shows a call of a rule. Out: a witness for each case that covers the rule: one in which every clause
holds (of `all of`) or none (of `any of`), and for each clause one in which that clause alone is the other way.
Guarantee: the first case differs from each other one in one clause and in the value of the rule, so that every clause
is seen to decide (masking MC/DC with clauses as conditions); no example is one of two cases.
Trusted: no: the interpreter and the reference MMU see every example.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from verifier.types import typed
from verifier.types.kinds import BOOL

NO_CLAUSE = ""


@dataclass(frozen=True, slots=True)
class ClauseCase:
    """`claim` is reachable exactly if `clause` of `rule` alone can decide; the first case has no clause.

    `op` is `or` for a rule of which any clause is enough, else `and`.
    The claim is named after the witness and what decides.
    """

    rule: str
    op: str
    clause: str
    claim: typed.Claim


def shows_a_rule(claim: typed.Claim) -> bool:
    """Whether there are clauses to cover."""
    return isinstance(claim.show, typed.Call) and isinstance(claim.show.function.body, typed.RuleBody)


def clause_cases(claim: typed.Claim) -> Iterator[ClauseCase]:
    """The first case, and one for each clause in their order. The claim must show a rule."""
    call = claim.show
    assert isinstance(call, typed.Call)
    rule = call.function
    assert isinstance(rule.body, typed.RuleBody)
    for clause in (NO_CLAUSE, *(clause.name for clause in rule.body.clauses)):
        show = replace(call, function=_deciding(rule, rule.body, clause))
        together = "none" if rule.body.op == "or" else "all"
        named = replace(claim, name=f"{claim.name}.{clause or together}", show=show)
        yield ClauseCase(rule.short_name, rule.body.op, clause, named)


def _deciding(rule: typed.Function, body: typed.RuleBody, deciding: str) -> typed.Function:
    """The rule that holds exactly where the clause of this name alone decides the other one."""

    def as_wanted(clause: typed.Clause) -> typed.Clause:
        if (clause.name == deciding) == (body.op == "or"):
            return clause
        return replace(clause, condition=typed.Not(clause.condition, BOOL, clause.condition.span))

    clauses = tuple(as_wanted(clause) for clause in body.clauses)
    return replace(rule, name=f"{rule.name}.by.{deciding}", body=typed.RuleBody("and", clauses))
