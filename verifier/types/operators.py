"""The type checker: operators.

In: operands. Out: typed operators with equal widths.
Guarantee: `&&` and `||` take truth values, `&` `|` `^` equal types, `+` `-` and shifts equal widths.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.body import BodyBase, flexible
from verifier.types.declare import MAX_WIDTH
from verifier.types.kinds import (
    BOOL,
    Bits,
    Bool,
    Enum,
    Layout,
    Type,
    bits,
)


class Operators(BodyBase):
    """Operators of a body."""

    def _unary(self, e: tree.Unary, wanted: Type | None) -> typed.Expr:
        if e.op == "!":
            return typed.Not(self.check(e.operand, BOOL), BOOL, e.span)
        operand = self.visit(e.operand, wanted)
        if not isinstance(operand.type, Bits):
            raise self.fail(errors.Needs(e.span, "~", "bits", str(operand.type)))
        return typed.Invert(operand, operand.type, e.span)

    def _chain(self, e: tree.Chain, wanted: Type | None) -> typed.Expr:
        if e.op in ("&&", "||"):
            parts = tuple(self.check(o, BOOL) for o in e.operands)
            return typed.Logic("and" if e.op == "&&" else "or", parts, BOOL, e.span)
        if e.op == "++":
            return self._concat(e)
        operands = self.operands(e.operands, wanted if all(flexible(o) for o in e.operands) else None)
        kind = operands[0].type
        allowed = isinstance(kind, Bits) or (e.op != "+" and isinstance(kind, Layout))
        if not allowed:
            advice = "bits" if e.op == "+" else "bits and bitfields"
            raise self.fail(errors.Needs(e.span, e.op, advice, str(kind)))
        return typed.Arithmetic(e.op, tuple(operands), kind, e.span)

    def _concat(self, e: tree.Chain) -> typed.Expr:
        parts: list[typed.Expr] = []
        for written in e.operands:
            part = self.infer(written)
            if isinstance(part.type, Bool):
                part = typed.Retype(part, bits(1), part.span)
            if not isinstance(part.type, Bits):
                raise self.fail(errors.Needs(written.span, "++", "bits", str(part.type)))
            parts.append(part)
        width = sum(part.type.width for part in parts if isinstance(part.type, Bits))
        if width > MAX_WIDTH:
            raise self.fail(errors.BadDeclaration(e.span, f"a width is at most {MAX_WIDTH}, not {width}"))
        return typed.Concat(tuple(parts), bits(width), e.span)

    def _binary(self, e: tree.Binary, wanted: Type | None) -> typed.Expr:
        match e.op:
            case "implies":
                parts = (self.check(e.left, BOOL), self.check(e.right, BOOL))
                return typed.Logic("implies", parts, BOOL, e.span)
            case "<<" | ">>":
                return self._shift(e, wanted)
            case "-":
                both = (e.left, e.right)
                left, right = self.operands(both, wanted if all(flexible(o) for o in both) else None)
                if not isinstance(left.type, Bits):
                    raise self.fail(errors.Needs(e.span, "-", "bits", str(left.type)))
                return typed.Arithmetic("-", (left, right), left.type, e.span)
            case _:
                return self._relation(e)

    def _relation(self, e: tree.Binary) -> typed.Expr:
        left, right = self.operands((e.left, e.right), None)
        match e.op:
            case "==":
                return typed.Equal(left, right, BOOL, e.span)
            case "!=":
                return typed.Not(typed.Equal(left, right, BOOL, e.span), BOOL, e.span)
            case "within":
                if not isinstance(left.type, (Bits, Layout)):
                    raise self.fail(errors.Needs(e.span, "within", "bits and bitfields", str(left.type)))
                return typed.Within(left, right, BOOL, e.span)
            case _:
                if not isinstance(left.type, (Bits, Enum)):
                    raise self.fail(errors.Needs(e.span, e.op, "bits and enums", str(left.type)))
                if e.op in (">", ">="):
                    left, right = right, left
                return typed.Less(left, right, e.op in ("<=", ">="), BOOL, e.span)

    def _shift(self, e: tree.Binary, wanted: Type | None) -> typed.Expr:
        left = self.visit(e.left, wanted)
        if not isinstance(left.type, Bits):
            raise self.fail(errors.Needs(e.span, e.op, "bits", str(left.type)))
        if isinstance(e.right, tree.Integer) and e.right.value >= left.type.width:
            raise self.fail(errors.ShiftAway(e.right.span, e.right.span.text, left.type.width))
        right = self.check(e.right, left.type)
        return typed.Arithmetic(e.op, (left, right), left.type, e.span)

    def _in_set(self, e: tree.InSet) -> typed.Expr:
        value, *members = self.operands((e.value, *e.members), None)
        tests = tuple(typed.Equal(value, m, BOOL, m.span) for m in members)
        return tests[0] if len(tests) == 1 else typed.Logic("or", tests, BOOL, e.span)
