"""The type checker, an expression at a time.

In: an expression's tree and, where the context knows it, the wanted type. Out: the typed expression.
Guarantee: every construct is handled here or in one of the classes that `Body` joins.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.aggregates import Aggregates
from verifier.types.body import flexible
from verifier.types.calls import Calls
from verifier.types.declare import MAX_WIDTH
from verifier.types.kinds import (
    BOOL,
    Bits,
    Bool,
    Enum,
    Layout,
    List,
    Record,
    Type,
    bits,
    index_width,
    list_of,
)
from verifier.types.operators import Operators
from verifier.types.patterns import check_match


class Body(Operators, Calls, Aggregates):
    """Checks the expressions of one declaration."""

    def visit(self, e: tree.Expr, wanted: Type | None) -> typed.Expr:  # noqa: C901
        match e:
            case tree.Integer():
                return self._number(e.value, e.span, wanted)
            case tree.Mask():
                return self._mask(e, wanted)
            case tree.Boolean():
                return typed.Const(e.value, BOOL, e.span)
            case tree.Undefined():
                return self._undefined(e, wanted)
            case tree.Name() | tree.Member():
                return self._named(e)
            case tree.Index():
                return self._index(e)
            case tree.Call():
                return self._call(e)
            case tree.Literal():
                return self._literal(e)
            case tree.With():
                return self._with(e)
            case tree.ListOf():
                return self._list(e, wanted)
            case tree.Unary():
                return self._unary(e, wanted)
            case tree.Chain():
                return self._chain(e, wanted)
            case tree.Binary():
                return self._binary(e, wanted)
            case tree.InSet():
                return self._in_set(e)
            case tree.If():
                return self._if(e, wanted)
            case tree.Let():
                return self._let(e, wanted)
            case tree.Match():
                return self._match(e, wanted)
            case tree.Quantifier():
                return self._quantifier(e)

    def _number(self, value: int, span: Span, wanted: Type | None) -> typed.Expr:
        if wanted is None:
            raise self.fail(errors.WidthUnknown(span))
        if not isinstance(wanted, Bits):
            raise self.fail(errors.Mismatch(span, "a number", str(wanted)))
        if value >> wanted.width:
            raise self.fail(errors.TooWide(span, span.text, wanted.width))
        return typed.Const(value, wanted, span)

    def _mask(self, e: tree.Mask, wanted: Type | None) -> typed.Expr:
        value = 0
        for high, low in e.ranges:
            if high < low:
                raise self.fail(errors.Reversed(e.span, high, low))
            width = wanted.width if isinstance(wanted, Bits) else MAX_WIDTH
            if high >= width:
                raise self.fail(errors.TooWide(e.span, f"[{high}]", width))
            value |= (1 << (high + 1)) - (1 << low)
        return self._number(value, e.span, wanted)

    def _undefined(self, e: tree.Undefined, wanted: Type | None) -> typed.Expr:
        if wanted is None:
            raise self.fail(errors.WidthUnknown(e.span))
        if isinstance(wanted, (Record, List)) or (isinstance(wanted, Enum) and not wanted.total):
            raise self.fail(errors.Needs(e.span, "undefined", "bits and truth values", str(wanted)))
        self.chooses = True
        return typed.Choice(f"{self.owner}@{e.span.start}", wanted, e.span, self.field)

    def _if(self, e: tree.If, wanted: Type | None) -> typed.Expr:
        condition = self.check(e.condition, BOOL)
        if wanted is None and _is_open(e):
            then, otherwise = self.infer(e.then), self.infer(e.otherwise)
            kind = _joined(then.type, otherwise.type)
            then, otherwise = self.fit(then, kind), self.fit(otherwise, kind)
        else:
            then, otherwise = self.operands((e.then, e.otherwise), wanted)
            kind = then.type
        return typed.If(condition, then, otherwise, kind, e.span)

    def _let(self, e: tree.Let, wanted: Type | None) -> typed.Expr:
        if e.type is None:
            value = self.infer(e.value)
        else:
            value = self.check(e.value, self.checker.types.of(self.module, e.type))
        self.bind(e.name, value.type)
        body = self.visit(e.body, wanted)
        del self.locals[e.name.text]
        return typed.Let(e.name.text, value, body, body.type, e.span)

    def _match(self, e: tree.Match, wanted: Type | None) -> typed.Expr:
        bound: list[tuple[str, typed.Expr]] = []
        scrutinees: list[typed.Expr] = []
        for written in e.scrutinees:
            value = self.infer(written)
            if not isinstance(value.type, (Bool, Enum, Bits)):
                raise self.fail(errors.Needs(written.span, "match", "bits, enums and truth values", str(value.type)))
            if not isinstance(value, typed.Var):
                name = self.temporary()
                bound.append((name, value))
                value = typed.Var(name, value.type, written.span)
            scrutinees.append(value)
        conditions = check_match(self, e, scrutinees)
        bodies = self.operands(tuple(arm.body for arm in e.arms), wanted)
        result = bodies[-1]
        for condition, body in zip(reversed(conditions[:-1]), reversed(bodies[:-1]), strict=True):
            result = typed.If(condition, body, result, body.type, e.span)
        for name, value in reversed(bound):
            result = typed.Let(name, value, result, result.type, e.span)
        return result

    def _quantifier(self, e: tree.Quantifier) -> typed.Expr:
        over = self.infer(e.over)
        if not isinstance(over.type, List):
            raise self.fail(errors.Needs(e.over.span, e.kind, "lists", str(over.type)))
        self.bind(e.variable, over.type.element)
        if e.index is not None:
            self.bind(e.index, bits(index_width(over.type.high)))
        if e.kind == "meet":
            body = self.infer(e.body)
            if not isinstance(body.type, (Bits, Layout, Bool)):
                raise self.fail(errors.Needs(e.body.span, "meet", "bits and bitfields", str(body.type)))
            kind: Type = body.type
        else:
            body = self.check(e.body, BOOL)
            kind = BOOL
        if e.kind == "until":
            kind = list_of(over.type.element, min(over.type.low, 1), over.type.high)
        del self.locals[e.variable.text]
        index = None
        if e.index is not None:
            index = e.index.text
            del self.locals[index]
        return typed.Over(e.kind, e.variable.text, index, over, body, kind, e.span)


def _is_open(e: tree.If) -> bool:
    return not flexible(e.then) and not flexible(e.otherwise)


def _joined(a: Type, b: Type) -> Type:
    """The smallest type that holds both: lists of one element type join their bounds."""
    if isinstance(a, List) and isinstance(b, List) and a.element is b.element:
        return list_of(a.element, min(a.low, b.low), max(a.high, b.high))
    return a
