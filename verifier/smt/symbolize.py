"""The compiler to terms: the typed core on symbolic values.

In: an expression and symbolic values for its names. Out: its symbolic value.
Guarantee: for every assignment of the leaves the term's value is what the interpreter computes. Each function's
result and each rule's clause is a variable with one defining equation, so that a proof can say which it used.
Trusted: yes; checked against the interpreter on generated programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

from verifier.smt import symbolic, terms
from verifier.smt.symbolic import Leaf, Listed, Symbolic, scalar
from verifier.smt.terms import Term
from verifier.types import typed
from verifier.types.kinds import Bits, Bool, Enum, Layout, List, Type, index_width

Env = dict[str, Symbolic]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Definition:
    """`variable` equals `term`; `owner` is the function or clause that says so.

    `inlined` are the functions and clauses that went into `term` without an equation of their own.
    """

    owner: str
    variable: Term
    term: Term
    inlined: frozenset[str]


class Symbolizer:
    """Compiles expressions; calls with equal arguments are compiled once, whatever the claim."""

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}
        self.choices: dict[str, Leaf] = {}
        self._calls: dict[tuple[object, ...], tuple[Symbolic, frozenset[str]]] = {}
        self._inlined: set[str] = set()

    def root(self, e: typed.Expr, env: Env) -> tuple[Symbolic, frozenset[str]]:
        """The symbolic value of `e`, and the functions and clauses inlined in it."""
        return self._apart(lambda: self.value(e, env))

    def _apart(self, make: Callable[[], T]) -> tuple[T, frozenset[str]]:
        """What `make` gives, and what was inlined meanwhile."""
        outer, self._inlined = self._inlined, set()
        made = make()
        inlined, self._inlined = frozenset(self._inlined), outer
        return made, inlined

    def value(self, e: typed.Expr, env: Env, path: str = "") -> Symbolic:  # noqa: C901
        """The symbolic value of `e`; `path` names the evaluation as the interpreter does."""
        match e:
            case typed.Const():
                return _constant(e)
            case typed.Var():
                return env[e.name]
            case typed.Choice():
                return self._choice(e, path)
            case typed.Let():
                return self.value(e.body, {**env, e.name: self.value(e.value, env, path)}, path)
            case typed.If():
                return self._if(e, env, path)
            case typed.Not():
                return terms.negate(self._scalar(e.operand, env, path))
            case typed.Logic():
                return _logic(e.op, (self._scalar(o, env, path) for o in e.operands))
            case typed.Equal():
                return symbolic.same(self.value(e.left, env, path), self.value(e.right, env, path))
            case typed.Less():
                left, right = self._scalar(e.left, env, path), self._scalar(e.right, env, path)
                return terms.less(left, right, e.or_equal)
            case typed.Within():
                return terms.within(self._scalar(e.left, env, path), self._scalar(e.right, env, path))
            case typed.Arithmetic() | typed.Invert() | typed.Extract() | typed.Concat() | typed.Extend():
                return self._bits(e, env, path)
            case typed.Retype():
                return self._retype(e, env, path)
            case typed.SetFields():
                return self._set_fields(e, env, path)
            case typed.MakeRecord():
                return tuple(self.value(f, env, path) for f in e.fields)
            case typed.GetField():
                return cast("tuple[Symbolic, ...]", self.value(e.operand, env, path))[e.position]
            case typed.Call():
                return self._call(e, env, path)
            case typed.MakeList():
                items = tuple(self.value(i, env, path) for i in e.items)
                return Listed((terms.TRUE,) * len(items), items)
            case typed.Element():
                return self._list(e.operand, env, path).elements[e.position]
            case typed.Last():
                return symbolic.last(self._list(e.operand, env, path))
            case typed.Length():
                return symbolic.length(self._list(e.operand, env, path), _width(e.type))
            case typed.Over():
                return self._over(e, env, path)

    def _scalar(self, e: typed.Expr, env: Env, path: str) -> Term:
        return scalar(self.value(e, env, path))

    def _list(self, e: typed.Expr, env: Env, path: str) -> Listed:
        return cast(Listed, self.value(e, env, path))

    def _choice(self, e: typed.Choice, path: str) -> Term:
        name = f"undefined {path}{e.site}"
        width = 0 if isinstance(e.type, Bool) else _width(e.type)
        leaf = Leaf(name, e.type, terms.variable(name, width), e.field)
        self.choices[name] = leaf
        return leaf.term

    def _if(self, e: typed.If, env: Env, path: str) -> Symbolic:
        condition = self._scalar(e.condition, env, path)
        if condition.op == "const":
            return self.value(e.then if condition.value else e.otherwise, env, path)
        return symbolic.choose(condition, self.value(e.then, env, path), self.value(e.otherwise, env, path))

    def _bits(
        self,
        e: typed.Arithmetic | typed.Invert | typed.Extract | typed.Concat | typed.Extend,
        env: Env,
        path: str,
    ) -> Term:
        match e:
            case typed.Arithmetic():
                first, *rest = (self._scalar(o, env, path) for o in e.operands)
                for other in rest:
                    first = _arithmetic(e.op, first, other)
                return first
            case typed.Invert():
                return terms.invert(self._scalar(e.operand, env, path))
            case typed.Extract():
                operand = self._scalar(e.operand, env, path)
                if isinstance(e.type, Bool):
                    return terms.bit(operand, e.low)
                return terms.extract(operand, e.high, e.low)
            case typed.Concat():
                return terms.concat([self._scalar(o, env, path) for o in e.operands])
            case typed.Extend():
                return terms.extend(self._scalar(e.operand, env, path), _width(e.type), e.signed)

    def _retype(self, e: typed.Retype, env: Env, path: str) -> Symbolic:
        value = self.value(e.operand, env, path)
        if isinstance(e.operand.type, Bool):
            return terms.from_boolean(scalar(value))
        return value

    def _set_fields(self, e: typed.SetFields, env: Env, path: str) -> Term:
        width = e.type.width
        base = terms.number(0, width) if e.base is None else self._scalar(e.base, env, path)
        given = {field.high: (field, self._scalar(value, env, path)) for field, value in e.fields}
        parts: list[Term] = []
        top = width - 1
        for high in sorted(given, reverse=True):
            field, value = given[high]
            if top > high:
                parts.append(terms.extract(base, top, high + 1))
            parts.append(terms.from_boolean(value) if value.width == 0 else value)
            top = field.low - 1
        if top >= 0:
            parts.append(terms.extract(base, top, 0))
        return terms.concat(parts)

    # ---- calls and definitions

    def _call(self, e: typed.Call, env: Env, path: str) -> Symbolic:
        function = e.function
        arguments = [self.value(a, env, path) for a in e.arguments]
        key = (function, *(term.number for a in arguments for term in symbolic.scalars(a)))
        if function.chooses or key not in self._calls:
            inner = {p.name: a for p, a in zip(function.params, arguments, strict=True)}
            here = f"{path}{function.name}@{e.span.start}/"
            self._calls[key] = self._apart(lambda: self._body(function, inner, here))
        result, inlined = self._calls[key]
        self._inlined |= inlined
        return result

    def _body(self, function: typed.Function, env: Env, path: str) -> Symbolic:
        if isinstance(function.body, typed.RuleBody):
            return _logic(function.body.op, (self._clause(function.name, c, env, path) for c in function.body.clauses))
        value, inlined = self._apart(lambda: self.value(function.body, env, path))  # type: ignore[arg-type]
        named = [self._named(function.name, term, inlined) for term in symbolic.scalars(value)]
        return symbolic.rebuild(value, iter(named))

    def _clause(self, rule: str, clause: typed.Clause, env: Env, path: str) -> Term:
        term, inlined = self._apart(lambda: self._scalar(clause.condition, env, path))
        return self._named(f"{rule}.{clause.name}", term, inlined)

    def _named(self, owner: str, term: Term, inlined: frozenset[str]) -> Term:
        """A variable defined as `term`, unless the term says no more than its parts: then it is inlined."""
        if _is_plain(term):
            self._inlined |= {owner, *inlined}
            return term
        name = f"{owner} {term.number}"
        known = self.definitions.get(name)
        if known is None or not inlined <= known.inlined:
            together = inlined if known is None else inlined | known.inlined
            self.definitions[name] = Definition(owner, terms.variable(name, term.width), term, together)
        return self.definitions[name].variable

    def _over(self, e: typed.Over, env: Env, path: str) -> Symbolic:
        over = self._list(e.operand, env, path)
        assert isinstance(e.operand.type, List)
        width = index_width(e.operand.type.high)

        def body(position: int) -> Term:
            inner = {**env, e.variable: over.elements[position]}
            if e.index is not None:
                inner[e.index] = terms.number(position, width)
            return self._scalar(e.body, inner, f"{path}{position}/")

        return _quantified(e, over, body)


def _quantified(e: typed.Over, over: Listed, body: Callable[[int], Term]) -> Symbolic:
    positions = range(len(over.elements))
    match e.kind:
        case "all":
            return terms.conjunction(terms.implies(over.exists[i], body(i)) for i in positions)
        case "any":
            return terms.disjunction(terms.conjunction((over.exists[i], body(i))) for i in positions)
        case "meet" if isinstance(e.type, Bool):
            return terms.conjunction(terms.implies(over.exists[i], body(i)) for i in positions)
        case "meet":
            ones = terms.number((1 << _width(e.type)) - 1, _width(e.type))
            met = ones
            for i in positions:
                met = terms.bit_and(met, terms.ite(over.exists[i], body(i), ones))
            return met
        case _:
            exists: list[Term] = []
            going = terms.TRUE
            for i in positions:
                exists.append(terms.conjunction((over.exists[i], going)))
                going = terms.conjunction((going, terms.negate(body(i))))
            return Listed(tuple(exists), over.elements)


def _is_plain(term: Term) -> bool:
    """Constants, variables, their slices and negations."""
    while term.op in ("not", "extract") or (term.op == "=" and term.args[1].op == "const"):
        term = term.args[0]
    return term.op in ("const", "var")


def _width(kind: Type) -> int:
    assert isinstance(kind, (Bits, Enum, Layout))
    return kind.width


def _constant(e: typed.Const) -> Term:
    return terms.boolean(e.value) if isinstance(e.type, Bool) else terms.number(int(e.value), _width(e.type))


def _logic(op: str, operands: Iterator[Term]) -> Term:
    match op:
        case "and":
            return terms.conjunction(operands)
        case "or":
            return terms.disjunction(operands)
        case _:
            left, right = operands
            return terms.implies(left, right)


def _arithmetic(op: str, a: Term, b: Term) -> Term:
    match op:
        case "&":
            return terms.bit_and(a, b)
        case "|":
            return terms.bit_or(a, b)
        case "^":
            return terms.bit_xor(a, b)
        case _:
            return terms.arithmetic(op, a, b)
