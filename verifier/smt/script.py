"""Obligations as SMT-LIB 2 text.

In: an obligation's terms. Out: declarations and assertions that z3, bitwuzla and cvc5 read alike.
Guarantee: the text depends on the obligation alone, not on what was compiled before it; every definition, assumption
and the goal hangs on a selector, so that one text serves the claim, its vacuity checks and its core.
Trusted: yes; three parsers read it in the tests, and counterexamples are replayed on the interpreter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.smt.symbolic import Leaf
from verifier.smt.symbolize import Definition
from verifier.smt.terms import Term


@dataclass(frozen=True, slots=True)
class Script:
    """A prelude and the selectors that its queries assume.

    `definitions` maps a selector to the function or clause whose equations it switches on; `inlined` names, for each
    selector, what has no equation of its own because it is part of those that this one switches on; `conditions` are
    the texts of the assumptions and of the goal.
    """

    prelude: str
    leaves: tuple[Leaf, ...]
    definitions: dict[str, str]
    inlined: dict[str, tuple[str, ...]]
    assumptions: tuple[str, ...]
    goal: str
    conditions: tuple[str, ...]

    @property
    def selectors(self) -> tuple[str, ...]:
        """All selectors: those of the definitions, the assumptions and the goal."""
        return (*self.definitions, *self.assumptions, self.goal)


def symbol(name: str) -> str:
    """`name` as an SMT-LIB symbol.

    The names of a claim's variables have no space in them; they get a `$`, so that `and` or `t1` may be one of them.
    """
    return f"|{name}|" if " " in name else f"|${name}|"


def sort(width: int) -> str:
    return "Bool" if width == 0 else f"(_ BitVec {width})"


def literal(value: int, width: int) -> str:
    """A constant of `width` bits, or a truth value."""
    if width == 0:
        return "true" if value else "false"
    return f"#b{value:0{width}b}" if width % 4 else f"#x{value:0{width // 4}x}"


class Writer:
    """Writes terms; a term used twice or more becomes a `define-fun` of its own."""

    def __init__(self, definitions: dict[str, Definition], roots: Iterable[Term]) -> None:
        self.lines: list[str] = []
        self.owners: dict[str, str] = {}
        self.inlined: dict[str, set[str]] = {}
        self._definitions = definitions
        self._names: dict[int, str] = {}
        self._local: dict[str, str] = {}
        self._uses: dict[int, int] = {}
        self.variables: dict[str, Term] = {}
        for root in roots:
            self._count(root)

    def _count(self, root: Term) -> None:
        """Counts uses below `root`, the equations of defined variables included."""
        stack = [root]
        while stack:
            term = stack.pop()
            seen = self._uses.get(term.number, 0)
            self._uses[term.number] = seen + 1
            if seen:
                continue
            stack.extend(term.args)
            if term.op == "var":
                definition = self._definitions.get(str(term.value))
                if definition is not None:
                    stack.append(definition.term)
                else:
                    self.variables[str(term.value)] = term

    def declare(self, leaves: Iterable[Leaf]) -> None:
        for leaf in leaves:
            self.lines.append(f"(declare-const {symbol(leaf.name)} {sort(leaf.term.width)})")

    def write(self, root: Term) -> str:
        """The text of `root`; what it needs is appended to `lines` first."""
        stack: list[tuple[Term, bool]] = [(root, False)]
        while stack:
            term, ready = stack.pop()
            if term.number in self._names:
                continue
            if ready:
                self._names[term.number] = self._finish(term)
                continue
            stack.append((term, True))
            definition = self._definitions.get(str(term.value)) if term.op == "var" else None
            below = (definition.term,) if definition is not None else term.args
            stack.extend((arg, False) for arg in reversed(below) if arg.number not in self._names)
        return self._names[root.number]

    def _finish(self, term: Term) -> str:
        if term.op == "var":
            return self._variable(term)
        text = self._text(term)
        if self._uses.get(term.number, 0) < 2 or not term.args:
            return text
        name = f"t{len(self._names)}"
        self.lines.append(f"(define-fun {name} () {sort(term.width)} {text})")
        return name

    def _variable(self, term: Term) -> str:
        definition = self._definitions.get(str(term.value))
        if definition is None:
            return symbol(str(term.value))
        name = symbol(f"{definition.owner} {len(self._local)}")
        self._local[name] = name
        selector = symbol(f"def {definition.owner}")
        if selector not in self.owners:
            self.owners[selector] = definition.owner
            self.lines.append(f"(declare-const {selector} Bool)")
        self.inlined.setdefault(selector, set()).update(definition.inlined)
        self.lines.append(f"(declare-const {name} {sort(term.width)})")
        equation = f"(= {name} {self._names[definition.term.number]})"
        self.lines.append(f"(assert (=> {selector} {equation}))")
        return name

    def _text(self, term: Term) -> str:
        args = [self._names[arg.number] for arg in term.args]
        match term.op:
            case "const":
                return literal(term.constant, term.width)
            case "extract":
                high, low = term.slice
                return f"((_ extract {high} {low}) {args[0]})"
            case "concat":
                text = args[-1]
                for arg in reversed(args[:-1]):
                    text = f"(concat {arg} {text})"
                return text
            case _:
                return f"({term.op} {' '.join(args)})"


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked: find leaves that satisfy `wellformed`, every assumption and `goal`.

    `inlined` are the functions and clauses inlined in each assumption and in the goal.
    """

    leaves: tuple[Leaf, ...]
    wellformed: tuple[Term, ...]
    assumptions: tuple[Term, ...]
    goal: Term
    inlined: tuple[frozenset[str], ...] = ()


def write_script(goal: Goal, definitions: dict[str, Definition], choices: dict[str, Leaf]) -> Script:
    """The script of a goal; `definitions` and `choices` may hold more than it needs."""
    roots = (*goal.wellformed, *goal.assumptions, goal.goal)
    writer = Writer(definitions, roots)
    chosen = tuple(choices[name] for name in sorted(writer.variables) if name in choices)
    leaves = (*goal.leaves, *chosen)
    writer.declare(leaves)
    for term in goal.wellformed:
        text = writer.write(term)
        writer.lines.append(f"(assert {text})")
    names = tuple(symbol(f"assumption {i + 1}") for i in range(len(goal.assumptions)))
    conditions: list[str] = []
    for name, term in zip((*names, symbol("the goal")), (*goal.assumptions, goal.goal), strict=True):
        text = writer.write(term)
        conditions.append(text)
        writer.lines += [f"(declare-const {name} Bool)", f"(assert (=> {name} {text}))"]
    prelude = "\n".join(["(set-logic QF_BV)", *writer.lines]) + "\n"
    writer.inlined.update(zip((*names, symbol("the goal")), map(set[str], goal.inlined), strict=False))
    inlined = {name: tuple(sorted(owners)) for name, owners in writer.inlined.items() if owners}
    return Script(prelude, leaves, writer.owners, inlined, names, symbol("the goal"), tuple(conditions))
