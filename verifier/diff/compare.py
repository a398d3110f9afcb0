"""Two versions compared, cell by cell.

In: two loaded versions. Out: for each decision its cells with their verdicts.
Guarantee: `equivalent` is proved over every input that both versions allow; what a budget leaves open is `unknown`; no
example is shown that the interpreter does not confirm for both versions.
Trusted: no, checked by tests/unit/verifier/diff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from verifier.core.interpret import all_zero, apply
from verifier.core.show import named, show_value
from verifier.core.values import Value, assemble
from verifier.diff import model
from verifier.diff.decisions import AXES, Decision, clauses, decision, decision_modules
from verifier.diff.definitions import changes, reached
from verifier.diff.model import Axis, Cell, Change, Decided, Diff, Instance, Said
from verifier.diff.questions import DIFFERS, GAINS, LOSES, Pair, Side, possible_claim
from verifier.names.resolve import Program
from verifier.obligations.cache import Cache
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Solved, finish
from verifier.obligations.run import Plan, solve_all
from verifier.smt.symbolize import Symbolizer
from verifier.syntax import tree
from verifier.tables.version import Unanswerable, parameter
from verifier.types.load import Loaded
from verifier.types.reach import reached_from


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions, A and B, and what they are called."""

    left: Loaded
    right: Loaded
    labels: tuple[str, str]


_SHARES = {
    (False, False): model.DISJOINT,
    (False, True): model.ONLY_LEFT,
    (True, False): model.ONLY_RIGHT,
    (True, True): model.IMPOSSIBLE,
}
"""What there is to say of a cell that the versions do not share, by whether A, and whether B, has none of it."""


def compare(versions: Versions, plan: Plan, cache: Cache) -> Diff:
    """Everything that differs."""
    a, b = versions.left, versions.right
    found = changes(a.program, b.program)
    return Diff(*versions.labels, found, reached(a, b, found), decided(versions, found, plan, cache))


@dataclass(frozen=True, slots=True)
class Question:
    """A cell of a decision, and what is asked of it."""

    place: tuple[str, tuple[str, ...]]
    pair: Pair
    obligations: dict[str, Obligation]


def decided(versions: Versions, changes: Sequence[Change], plan: Plan, cache: Cache) -> tuple[Decided, ...]:
    """Every decision of the two versions, with its cells."""
    program = versions.right.program
    modules = decision_modules(program)
    pairs, refused = comparable(versions, modules)
    questions = list(asked(pairs))
    answers = iter(solve_all([o for q in questions for o in q.obligations.values()], plan, cache))
    solved = [{word: next(answers) for word in question.obligations} for question in questions]
    empty = [q for q, found in zip(questions, solved, strict=True) if _is_empty(found)]
    sides = dict(zip((q.place for q in empty), _sides(empty, plan, cache), strict=True))
    cells: dict[str, list[Cell]] = {module: [] for module in modules}
    for question, found in zip(questions, solved, strict=True):
        module, coordinates = question.place
        verdict = sides.get(question.place)
        made = Cell(coordinates, verdict) if verdict else _cell(question, found, plan)
        cells[module].append(made)
    for module, reason in refused.items():
        cells[module] = [Cell(place, model.NOT_MODELLED, reason=reason) for place in _written(program, module)]
    changed = {change.qualified for change in changes}
    made = (_decided(versions, module, cells[module], changed) for module in modules)
    return tuple(replace(d, ordered=d.module not in pairs or pairs[d.module].is_ordered) for d in made)


def comparable(versions: Versions, modules: Iterable[str]) -> tuple[dict[str, Pair], dict[str, str]]:
    """The decisions that can be compared, and why the others cannot."""
    pairs: dict[str, Pair] = {}
    refused: dict[str, str] = {}
    for module in modules:
        sides: list[Side] = []
        for loaded, label in zip((versions.left, versions.right), versions.labels, strict=True):
            try:
                sides.append(Side(label, decision(loaded, module)))
            except Unanswerable as reason:
                refused.setdefault(module, f"{label}: {reason}")
        if len(sides) == 2:
            try:
                pairs[module] = Pair(*sides)
            except Unanswerable as reason:
                refused[module] = str(reason)
    return pairs, refused


def asked(pairs: dict[str, Pair]) -> Iterator[Question]:
    """What is asked of every cell of these decisions."""
    symbolizer = Symbolizer()
    for module, pair in pairs.items():
        for coordinates in product(*(clauses(axis) for axis in pair.right.decision.axes)):
            claims = pair.claims(coordinates)
            obligations = {word: generate(claim, symbolizer) for word, claim in claims.items()}
            yield Question((module, coordinates), pair, obligations)


def _is_empty(found: dict[str, Solved]) -> bool:
    """Whether no input is in the cell in both versions."""
    return any(map(_has_none, found.values()))


def _has_none(solved: Solved) -> bool:
    """Whether no input is in a cell."""
    return solved.vacuous == ("assume_unsatisfiable", -1)


def _sides(empty: list[Question], plan: Plan, cache: Cache) -> Iterator[str]:
    """Of each cell that the versions do not share, which of them has it."""
    symbolizer = Symbolizer()
    asked = [generate(possible_claim(s, q.place[1]), symbolizer) for q in empty for s in (q.pair.left, q.pair.right)]
    answers = iter(solve_all(asked, plan, cache))
    for left, right in zip(answers, answers, strict=True):
        if "unknown" in (left.verdict, right.verdict):
            yield model.UNKNOWN
        else:
            yield _SHARES[_has_none(left), _has_none(right)]


def _cell(question: Question, found: dict[str, Solved], plan: Plan) -> Cell:
    coordinates = question.place[1]
    if any(solved.verdict == "unknown" for solved in found.values()):
        return Cell(coordinates, model.UNKNOWN, reason="the budget ran out")
    examples = {word: _instance(question, word, solved, plan) for word, solved in found.items()}
    loses, gains, differs = (examples.get(word) for word in (LOSES, GAINS, DIFFERS))
    if differs or (loses and gains):
        return Cell(coordinates, model.INCOMPARABLE, differs or loses, gains)
    verdict = model.LESS if loses else model.MORE if gains else model.EQUIVALENT
    return Cell(coordinates, verdict, loses, gains)


def _instance(question: Question, word: str, solved: Solved, plan: Plan) -> Instance | None:
    """The example, once the interpreter has replayed it, and what both versions make of it."""
    obligation = question.obligations[word]
    example = finish(obligation, solved, plan.options).example
    if example is None or solved.model is None:
        return None
    numbers = solved.model.numbers
    inputs = {param.name: assemble(param.type, param.name, numbers) for param in obligation.claim.params}
    return Instance(example, tuple(_said(question.pair, inputs)))


def _said(pair: Pair, inputs: dict[str, Value]) -> Iterator[Said]:
    """The values of the decision and of its evidence, on the left and on the right."""
    for side in (pair.left, pair.right):
        for function in (side.decision.function, side.decision.evidence):
            if function is None or function.chooses:
                continue
            value = apply(function, tuple(inputs[parameter(p)] for p in function.params), all_zero)
            kind = function.result
            doc = function.doc.removesuffix(".")
            what = function.short_name if function is side.decision.function else doc[:1].lower() + doc[1:]
            yield Said(side.label, what, show_value(value, kind), named(value, kind))


def _written(program: Program, module: str) -> Iterator[tuple[str, ...]]:
    """The cells of a decision by what is written, whether it has a meaning or not."""
    rules = {decl.name.text: decl for decl in program.modules[module].tree.decls if isinstance(decl, tree.Rule)}
    return product(*(tuple(c.name.text for c in rules[axis].clauses) if axis in rules else () for axis in AXES))


def _decided(versions: Versions, module: str, cells: list[Cell], changed: set[str]) -> Decided:
    """The decision in words."""
    resolved = versions.right.program.modules[module]
    decls = {decl.name.text: decl for decl in resolved.tree.decls}
    axes = tuple(Axis(name, decls[name].about.doc if name in decls else "") for name in AXES)
    head = decls["decision"]
    rests = tuple(sorted(changed & _reach(versions, module)))
    return Decided(module.rsplit(".", 1)[-1], module, head.about.doc, head.name.span.place, axes, tuple(cells), rests)


def _reach(versions: Versions, module: str) -> set[str]:
    """The definitions that a decision reaches on either side."""
    found: set[str] = set()
    for loaded in (versions.left, versions.right):
        try:
            made: Decision = decision(loaded, module)
        except Unanswerable:
            continue
        for function in (made.function, made.possible, *made.axes):
            found |= reached_from(function)
    return found
