"""Two versions compared, cell by cell.

In: two loaded versions. Out: for each decision its cells with their verdicts.
Guarantee: `equivalent` is proved over every input that both versions allow; what a budget leaves open is `unknown`; no
example is shown that the interpreter does not confirm for both versions.
Trusted: no, checked by tests/unit/verifier/diff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from verifier.diff import model
from verifier.diff.decisions import AXES, Decision, clauses, decision, decision_modules
from verifier.diff.model import Axis, Cell, Change, Decided
from verifier.diff.questions import DIFFERS, GAINS, LOSES, Pair, Side, possible_claim
from verifier.names.resolve import Program
from verifier.obligations.cache import Cache
from verifier.obligations.generate import Obligation, generate
from verifier.obligations.prove import Solved, finish
from verifier.obligations.result import Example
from verifier.obligations.run import Plan, solve_all
from verifier.smt.symbolize import Symbolizer
from verifier.syntax import tree
from verifier.tables.version import Unanswerable
from verifier.types.load import Loaded
from verifier.types.reach import reached_from


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions, A and B, and what they are called."""

    left: Loaded
    right: Loaded
    labels: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Question:
    """A cell of a decision, and what is asked of it."""

    place: tuple[str, tuple[str, ...]]
    pair: Pair
    obligations: dict[str, Obligation]


def decided(versions: Versions, changes: Sequence[Change], plan: Plan, cache: Cache) -> tuple[Decided, ...]:
    """Every decision of the two versions, with its cells."""
    program = versions.right.program
    modules = decision_modules(program)
    pairs, refused = _pairs(versions, modules)
    questions = list(_questions(pairs))
    answers = iter(solve_all([o for q in questions for o in q.obligations.values()], plan, cache))
    solved = [{word: next(answers) for word in question.obligations} for question in questions]
    empty = [q for q, found in zip(questions, solved, strict=True) if _is_empty(found)]
    sides = dict(zip((q.place for q in empty), _sides(empty, plan, cache), strict=True))
    cells: dict[str, list[Cell]] = {module: [] for module in modules}
    for question, found in zip(questions, solved, strict=True):
        module, coordinates = question.place
        verdict = sides.get(question.place)
        made = Cell(coordinates, verdict) if verdict else _cell(coordinates, question.obligations, found, plan)
        cells[module].append(made)
    for module, reason in refused.items():
        cells[module] = [Cell(place, model.NOT_MODELLED, reason=reason) for place in _written(program, module)]
    changed = {change.qualified for change in changes}
    return tuple(_decided(versions, module, cells[module], changed) for module in modules)


def _pairs(versions: Versions, modules: Iterable[str]) -> tuple[dict[str, Pair], dict[str, str]]:
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


def _questions(pairs: dict[str, Pair]) -> Iterator[_Question]:
    symbolizer = Symbolizer()
    for module, pair in pairs.items():
        for coordinates in product(*(clauses(axis) for axis in pair.right.decision.axes)):
            claims = pair.claims(coordinates)
            obligations = {word: generate(claim, symbolizer) for word, claim in claims.items()}
            yield _Question((module, coordinates), pair, obligations)


def _is_empty(found: dict[str, Solved]) -> bool:
    """Whether no input is in the cell in both versions."""
    return any(solved.vacuous == ("assume_unsatisfiable", -1) for solved in found.values())


def _sides(empty: list[_Question], plan: Plan, cache: Cache) -> Iterator[str]:
    """Of each cell that the versions do not share, which of them has it."""
    symbolizer = Symbolizer()
    asked = [generate(possible_claim(s, q.place[1]), symbolizer) for q in empty for s in (q.pair.left, q.pair.right)]
    answers = iter(solve_all(asked, plan, cache))
    for left, right in zip(answers, answers, strict=True):
        match left.verdict, right.verdict:
            case "proved", "refuted":
                yield model.ONLY_LEFT
            case "refuted", "proved":
                yield model.ONLY_RIGHT
            case "refuted", "refuted":
                yield model.IMPOSSIBLE
            case "proved", "proved":
                yield model.INCOMPARABLE
            case _:
                yield model.UNKNOWN


def _cell(
    coordinates: tuple[str, ...], obligations: dict[str, Obligation], found: dict[str, Solved], plan: Plan
) -> Cell:
    if any(solved.verdict == "unknown" for solved in found.values()):
        return Cell(coordinates, model.UNKNOWN, reason="the budget ran out")
    examples = {word: _example(obligations[word], solved, plan) for word, solved in found.items()}
    loses, gains, differs = (examples.get(word) for word in (LOSES, GAINS, DIFFERS))
    if differs or (loses and gains):
        return Cell(coordinates, model.INCOMPARABLE, differs or loses, gains)
    verdict = model.LESS if loses else model.MORE if gains else model.EQUIVALENT
    return Cell(coordinates, verdict, loses, gains)


def _example(obligation: Obligation, solved: Solved, plan: Plan) -> Example | None:
    return finish(obligation, solved, plan.options).example


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
