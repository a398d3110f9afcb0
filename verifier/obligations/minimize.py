"""The smallest model: fewest set bits, then zeros as early as possible; and which parts of it matter.

In: a session whose last answer was `sat`, and its leaves. Out: the one canonical model.
Guarantee: no model has fewer set bits; among those with as few it is the first in the order of the leaves, so every
run and every machine shows the same one. A part that does not matter may be anything that the assumptions allow: the
claim fails all the same. Those that only the assumptions need are told apart.
Trusted: no: the model is replayed on the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from verifier.smt.script import Script, literal, symbol
from verifier.smt.symbolic import Leaf
from verifier.solvers.session import Session
from verifier.types.kinds import Layout

CHEAP = 100_000
"""A question that costs the solver no more than this, in its own units, may be asked a hundred times."""

T = TypeVar("T")
Named = tuple[tuple[str, int, int], ...]


class BudgetSpent(Exception):  # noqa: N818
    """The solver gave up while a model was made small."""


@dataclass(frozen=True, slots=True)
class Model:
    """Numbers by leaf; `unique` if no other model has as few set bits.

    `relevant` parts, as (leaf, high, low), make the claim fail as long as the assumptions hold; `assumed` are others
    that make them hold.
    """

    numbers: dict[str, int]
    unique: bool
    relevant: tuple[tuple[str, int, int], ...]
    assumed: tuple[tuple[str, int, int], ...]


def minimize(session: Session, script: Script, explained: bool = True) -> Model:
    """The canonical smallest model of everything that the script's selectors assert.

    Unless it is to be `explained`, which of its parts matter is left open.
    """
    search = _Search(session, script)
    session.push()
    session.add("".join(f"(assert {name})\n" for name in script.selectors))
    if script.leaves:
        search.fewest_bits()
        search.first_in_order()
    unique = search.is_unique()
    session.pop()  # what matters is a question about models of any size
    relevant, assumed = search.relevant() if explained else ((), ())
    return Model(dict(zip(search.names, search.model, strict=True)), unique, relevant, assumed)


@dataclass(frozen=True, slots=True)
class _Part:
    """A leaf, or a field of it where it is a layout: bits `high` to `low`, or a truth value (-1)."""

    leaf: int
    high: int
    low: int


class _Search:
    def __init__(self, session: Session, script: Script) -> None:
        self.session = session
        self.script = script
        self.leaves = script.leaves
        self.names = [leaf.name for leaf in script.leaves]
        self.symbols = [symbol(name) for name in self.names]
        self.model = session.values(self.symbols)

    def _check(self, assumptions: Sequence[str]) -> bool:
        answer = self.session.check(assumptions)
        if answer == "unknown":
            raise BudgetSpent
        return answer == "sat"

    def _satisfiable(self) -> bool:
        if not self._check(()):
            return False
        self.model = self.session.values(self.symbols)
        return True

    def _under(self, commands: str, ask: Callable[[], T]) -> T:
        """The answer of `ask` with `commands` asserted for its duration."""
        self.session.push()
        self.session.add(commands)
        answer = ask()
        self.session.pop()
        return answer

    def fewest_bits(self) -> None:
        """Wishes every bit clear; each core of wishes that cannot all hold gives up one of them.

        What is left in the end holds in exactly the models with the fewest set bits, so it is asserted.
        """
        wishes = Wishes(self.session)
        for index, leaf in enumerate(self.leaves):
            for position in range(max(leaf.term.width, 1)):
                wishes.add(_Count((self._bit(index, position),), 0))
        self.session.add(wishes.flush())
        while not self._check(wishes.names):
            wishes.give_up(self.session.core())
            self.session.add(wishes.flush())
        self.model = self.session.values(self.symbols)
        self.session.add("".join(f"(assert {name})\n" for name in wishes.names))

    def first_in_order(self) -> None:
        """Clears, bit by bit, what a model of the same weight can do without; later leaves may change."""
        self.session.push()
        for index, leaf in enumerate(self.leaves):
            for position in range(max(leaf.term.width, 1) - 1, -1, -1):
                if not self.model[index] >> position & 1:
                    continue
                above = self._prefix(index, position)
                self._under(f"{above}(assert (not {self._bit(index, position)}))\n", self._satisfiable)
            self.session.add(f"(assert (= {self.symbols[index]} {literal(self.model[index], leaf.term.width)}))\n")
        self.session.pop()

    def _bit(self, index: int, position: int) -> str:
        name = self.symbols[index]
        if self.leaves[index].term.width == 0:
            return name
        return f"(= ((_ extract {position} {position}) {name}) #b1)"

    def _prefix(self, index: int, position: int) -> str:
        """Asserts that the bits above `position` are those of the model."""
        width = self.leaves[index].term.width
        if position + 1 >= width:
            return ""
        value = literal(self.model[index] >> (position + 1), width - position - 1)
        return f"(assert (= ((_ extract {width - 1} {position + 1}) {self.symbols[index]}) {value}))\n"

    def is_unique(self) -> bool:
        equal = (
            f"(= {name} {literal(value, leaf.term.width)})"
            for name, value, leaf in zip(self.symbols, self.model, self.leaves, strict=True)
        )
        if not self.leaves:
            return True
        kept = list(self.model)
        other = self._under(f"(assert (not (and true {' '.join(equal)})))\n", self._satisfiable)
        self.model = kept
        return not other

    def relevant(self) -> tuple[Named, Named]:
        """A least set of parts that makes the goal hold where the assumptions do, and a least one that adds those."""
        fixed = {f"|fix {i}|": part for i, part in enumerate(_parts(self.leaves))}
        *assumptions, goal = self.script.conditions
        self.session.push()
        self.session.add("".join(self._fix(name, part) for name, part in fixed.items()))
        self.session.add("".join(f"(assert {name})\n" for name in self.script.definitions))
        given = "".join(f"(assert {text})\n" for text in assumptions)
        variables = list(dict.fromkeys(name.split(".")[0] for name in self.names))
        places = {leaf: variables.index(name.split(".")[0]) for leaf, name in enumerate(self.names)}
        # what stands last among a claim's variables is closest to the matter
        wanted = sorted(fixed, key=lambda name: -places[fixed[name].leaf])
        deciding = self._under(f"{given}(assert (not {goal}))\n", lambda: self._least(wanted))
        failing = " ".join(f"(not {text})" for text in assumptions)
        others = [name for name in fixed if name not in deciding]
        assumed = self._under(f"(assert (or false false {failing}))\n", lambda: self._shrink(others, deciding))
        self.session.pop()
        return tuple(self._named(fixed[n]) for n in deciding), tuple(self._named(fixed[n]) for n in assumed)

    def _named(self, part: _Part) -> tuple[str, int, int]:
        return self.names[part.leaf], part.high, part.low

    def _fix(self, name: str, part: _Part) -> str:
        leaf = self.leaves[part.leaf]
        value = self.model[part.leaf]
        term, width = self.symbols[part.leaf], leaf.term.width
        if width and (part.high, part.low) != (width - 1, 0):
            term = f"((_ extract {part.high} {part.low}) {term})"
            width = part.high - part.low + 1
            value = value >> part.low & ((1 << width) - 1)
        return f"(declare-const {name} Bool)\n(assert (=> {name} (= {term} {literal(value, width)})))\n"

    def _least(self, names: list[str]) -> list[str]:
        """A least part of `names` that cannot hold.

        Where questions are cheap, a name is in it only if all that stand before it in `names` do not suffice (the
        QuickXplain algorithm), so that entries below the end of a walk are left out.
        """
        before = self.session.spent
        self._contradict(names)
        cheap = self.session.spent - before <= CHEAP
        return self._explain([], True, names) if cheap else self._shrink(names, [])

    def _shrink(self, names: list[str], given: list[str]) -> list[str]:
        """A least part of `names` that, with all of `given`, cannot hold, found from the solver's core."""
        if not self._contradict([*given, *names]):
            raise AssertionError("a model that is no model")
        kept = self._core_of(names)
        for name in reversed(kept):
            fewer = [other for other in kept if other != name]
            if name in kept and self._contradict([*given, *fewer]):
                kept = self._core_of(fewer)
        return kept

    def _core_of(self, names: list[str]) -> list[str]:
        core = set(self.session.core())
        return [name for name in names if name in core]

    def _explain(self, given: list[str], grown: bool, names: list[str]) -> list[str]:
        """What of `names` is needed beside `given`; `grown` if that has not been asked of these yet."""
        if not names or (grown and self._contradict(given)):
            return []
        if len(names) == 1:
            return names
        half = len(names) // 2
        first, second = names[:half], names[half:]
        later = self._explain([*given, *first], True, second)
        earlier = self._explain([*given, *later], bool(later), first)
        return [*earlier, *later]

    def _contradict(self, names: list[str]) -> bool:
        return not self._check(names)


def _parts(leaves: Sequence[Leaf]) -> Iterator[_Part]:
    for index, leaf in enumerate(leaves):
        width = leaf.term.width
        if not isinstance(leaf.kind, Layout):
            yield _Part(index, width - 1, 0)
            continue
        top = width - 1
        for field in sorted(leaf.kind.fields, key=lambda f: -f.high):
            if field.high < top:
                yield _Part(index, top, field.high + 1)
            yield _Part(index, field.high, field.low)
            top = field.low - 1
        if top >= 0:
            yield _Part(index, top, 0)


@dataclass(frozen=True, slots=True)
class _Count:
    """Unary numbers: `outputs[k]` says that more than `k` of some bits are set; `outputs[at]` is wished false."""

    outputs: tuple[str, ...]
    at: int


class Wishes:
    """Counts that are wished small (the OLL algorithm of core-guided optimisation)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._counts: dict[str, _Count] = {}
        self._made = 0
        self._lines: list[str] = []

    @property
    def names(self) -> list[str]:
        return list(self._counts)

    def flush(self) -> str:
        """The commands that declare what was added since the last call."""
        text = "".join(self._lines)
        self._lines.clear()
        return text

    def add(self, count: _Count) -> None:
        name = f"|wish {self._made}|"
        self._made += 1
        self._counts[name] = count
        self._lines.append(f"(declare-const {name} Bool)\n(assert (=> {name} (not {count.outputs[count.at]})))\n")

    def give_up(self, core: Sequence[str]) -> None:
        """Replaces the wishes of a core by the wish that only one of them fails, and by the next bound of each."""
        within = set(core)
        failing = [(name, count) for name, count in self._counts.items() if name in within]
        for name, count in failing:
            del self._counts[name]
            if count.at + 1 < len(count.outputs):
                self.add(_Count(count.outputs, count.at + 1))
        if len(failing) > 1:
            self.add(_Count(self._sorted([count.outputs[count.at] for _, count in failing]), 1))

    def _sorted(self, bits: list[str]) -> tuple[str, ...]:
        """The unary sum of `bits`."""
        if len(bits) == 1:
            return (bits[0],)
        half = len(bits) // 2
        left, right = self._sorted(bits[:half]), self._sorted(bits[half:])
        return tuple(self._at_least(k, left, right) for k in range(1, len(bits) + 1))

    def _at_least(self, k: int, left: tuple[str, ...], right: tuple[str, ...]) -> str:
        ways: list[str] = []
        for i in range(max(0, k - len(right)), min(k, len(left)) + 1):
            parts = [*([left[i - 1]] if i else []), *([right[k - i - 1]] if k - i else [])]
            ways.append(parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})")
        name = f"|sum {self._made}|"
        self._made += 1
        text = ways[0] if len(ways) == 1 else f"(or {' '.join(ways)})"
        self._lines.append(f"(define-fun {name} () Bool {text})\n")
        return name
