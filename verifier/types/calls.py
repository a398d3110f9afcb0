"""The type checker: names, fields, calls.

In: dotted names, indices and argument lists. Out: variables, constants, fields, slices and calls.
Guarantee: a name means one thing; arguments have the parameters' types; a slice lies inside its value.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from typing import TypeGuard

from verifier.diagnostics.model import Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Symbol
from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.body import BUILTINS, BodyBase
from verifier.types.declare import MAX_WIDTH
from verifier.types.kinds import (
    BOOL,
    Bits,
    Bool,
    Enum,
    Layout,
    List,
    Record,
    bits,
    index_width,
    scalar_width,
)


class Calls(BodyBase):
    """Names and calls of a body."""

    def _named(self, e: tree.Name | tree.Member) -> typed.Expr:
        if isinstance(e, tree.Name) and e.text in self.locals:
            local = self.locals[e.text]
            local.used = True
            return typed.Var(e.text, local.kind, e.span)
        found = self._symbol(e, "name")
        if found is None:
            assert isinstance(e, tree.Member)
            return self._member(e)
        return self._constant(found, e)

    def _symbol(self, e: tree.Expr, what: str) -> tuple[Symbol, str] | None:
        """What a possibly dotted name means outside this body; None if it is a field of a value."""
        dotted = _dotted(e)
        if dotted is None or dotted[0].text in self.locals:
            return None
        scope = self.checker.program.modules[self.module].scope
        first = dotted[0]
        if len(dotted) == 1 or first.text in scope:
            if len(dotted) == 2 and first.text[0].isupper():
                symbol = self.lookup(first, "type")
                if isinstance(symbol.decl, tree.Enum) and first.text == symbol.decl.name.text:
                    return symbol, dotted[1].text
            if len(dotted) > 1:
                return None
            return self.lookup(first, what), first.text
        module = ".".join(word.text for word in dotted[:-1])
        resolved = self.checker.program.modules.get(module)
        if resolved is None:
            raise self.fail(self._no_module(dotted[:-1]))
        for decl in resolved.tree.decls:
            if decl.name.text == dotted[-1].text and not isinstance(decl, tree.Claim):
                self.checker.types.used.add((self.module, module))
                return Symbol(module, decl), dotted[-1].text
        known = tuple(decl.name.text for decl in resolved.tree.decls)
        raise self.fail(name_errors.UnknownName(dotted[-1].span, dotted[-1].text, what, known, where=f"in `{module}`"))

    def _no_module(self, dotted: tuple[tree.Word, ...]) -> Diagnostic:
        """What is wrong with a name whose front part is no module: that part, or its first word."""
        modules = tuple(self.checker.program.modules)
        first = dotted[0]
        if any(module.split(".")[0] == first.text for module in modules):
            name = ".".join(word.text for word in dotted)
            return name_errors.UnknownModule(first.span.to(dotted[-1].span), name, modules)
        known = (*self.checker.program.modules[self.module].scope, *self.locals)
        return name_errors.UnknownName(first.span, first.text, "name", known)

    def _constant(self, found: tuple[Symbol, str], e: tree.Expr) -> typed.Expr:
        symbol, name = found
        match symbol.decl:
            case tree.Const():
                function = self._function(symbol, e.span)
                return typed.Call(function, (), function.result, e.span)
            case tree.Enum() if name != symbol.decl.name.text:
                kind = self.checker.types.declared(symbol, e.span)
                assert isinstance(kind, Enum)
                members = dict(kind.members)
                if name not in members:
                    span = e.name.span if isinstance(e, tree.Member) else e.span
                    raise self.fail(errors.UnknownField(span, str(kind), name, tuple(members), kind.span))
                return typed.Const(members[name], kind, e.span)
            case tree.Fn() | tree.Rule():
                raise self.fail(errors.NotAValue(e.span, "function", name))
            case _:
                raise self.fail(errors.NotAValue(e.span, "type", name))

    def _function(self, symbol: Symbol, at: Span) -> typed.Function:
        function = self.checker.function(symbol, at)
        self.chooses = self.chooses or function.chooses
        self.missing.update(function.missing)
        self.calls = max(self.calls, 1 + self.checker.calls[function.name])
        return function

    def _member(self, e: tree.Member) -> typed.Expr:
        base = self.infer(e.base)
        kind = base.type
        name = e.name.text
        match kind:
            case Layout() | Enum() if name == "raw":
                return typed.Retype(base, bits(kind.width), e.span)
            case Layout():
                for field in kind.fields:
                    if field.name == name:
                        return typed.Extract(base, field.high, field.low, field.kind, e.span)
                known = (*(field.name for field in kind.fields), "raw")
            case Record():
                for position, part in enumerate(kind.fields):
                    if part.name == name:
                        return typed.GetField(base, position, part.kind, e.span)
                known = tuple(part.name for part in kind.fields)
            case _:
                raise self.fail(errors.Needs(e.name.span, f".{name}", "records and bitfields", str(kind)))
        raise self.fail(errors.UnknownField(e.name.span, str(kind), name, known, kind.span))

    def _index(self, e: tree.Index) -> typed.Expr:
        base = self.infer(e.base)
        width = scalar_width(base.type)
        if isinstance(base.type, List) and e.low is None:
            if e.high >= base.type.low:
                raise self.fail(errors.OutOfRange(e.span, e.high, str(base.type)))
            return typed.Element(base, e.high, base.type.element, e.span)
        if width is None:
            raise self.fail(errors.Needs(e.span, "[…]", "bits and lists", str(base.type)))
        low = e.high if e.low is None else e.low
        if e.high < low:
            raise self.fail(errors.Reversed(e.span, e.high, low))
        if e.high >= width:
            raise self.fail(errors.TooWide(e.span, f"[{e.high}]", width))
        kind = BOOL if e.low is None else bits(e.high - low + 1)
        return typed.Extract(base, e.high, low, kind, e.span)

    def _call(self, e: tree.Call) -> typed.Expr:
        callee = e.callee
        if isinstance(callee, tree.Name):
            if callee.text in BUILTINS:
                return self._builtin(callee.text, e)
            if callee.text in self.locals:
                raise self.fail(errors.NotCallable(callee.span, callee.text))
        found = self._symbol(callee, "function")
        if found is None:
            raise self.fail(errors.NotCallable(callee.span, callee.span.text))
        symbol, name = found
        match symbol.decl:
            case tree.Fn() | tree.Rule():
                function = self._function(symbol, callee.span)
                self._count(e, name, len(function.params), function.span)
                arguments = tuple(self.check(a, p.type) for a, p in zip(e.arguments, function.params, strict=True))
                return typed.Call(function, arguments, function.result, e.span)
            case tree.Enum() | tree.Bits() if name == symbol.decl.name.text:
                kind = self.checker.types.declared(symbol, callee.span)
                assert isinstance(kind, (Enum, Layout))
                self._count(e, name, 1, kind.span)
                if isinstance(kind, Enum) and not kind.total:
                    raise self.fail(errors.EnumFromBits(e.span, name))
                return typed.Retype(self.check(e.arguments[0], bits(kind.width)), kind, e.span)
            case _:
                raise self.fail(errors.NotCallable(callee.span, name))

    def _count(self, e: tree.Call, name: str, wanted: int, declared: Span | None) -> None:
        if len(e.arguments) != wanted:
            raise self.fail(errors.ArgumentCount(e.span, name, len(e.arguments), wanted, declared))

    def _builtin(self, name: str, e: tree.Call) -> typed.Expr:
        if name in ("last", "length"):
            self._count(e, name, 1, None)
            value = self.infer(e.arguments[0])
            if not isinstance(value.type, List):
                raise self.fail(errors.Needs(e.arguments[0].span, name, "lists", str(value.type)))
            if name == "length":
                return typed.Length(value, bits(index_width(value.type.high)), e.span)
            if value.type.low == 0:
                raise self.fail(errors.OutOfRange(e.span, 0, str(value.type)))
            return typed.Last(value, value.type.element, e.span)
        self._count(e, name, 2, None)
        value = self.infer(e.arguments[0])
        width = e.arguments[1]
        if isinstance(value.type, Bool):
            value = typed.Retype(value, bits(1), value.span)
        if not isinstance(value.type, Bits):
            raise self.fail(errors.Needs(e.arguments[0].span, name, "bits", str(value.type)))
        if not isinstance(width, tree.Integer) or not value.type.width <= width.value <= MAX_WIDTH:
            problem = f"the second argument is the new width, a number from {value.type.width} to {MAX_WIDTH}"
            raise self.fail(errors.BadDeclaration(width.span, problem))
        return typed.Extend(value, name == "sign_extend", bits(width.value), e.span)


def _is_word(e: tree.Expr) -> TypeGuard[tree.Name]:
    return isinstance(e, tree.Name)


def _dotted(e: tree.Expr) -> tuple[tree.Word, ...] | None:
    """The words of a dotted name; None if something else stands at its head."""
    words: list[tree.Word] = []
    while isinstance(e, tree.Member):
        words.append(e.name)
        e = e.base
    if not _is_word(e):
        return None
    return (tree.Word(e.text, e.span), *reversed(words))
