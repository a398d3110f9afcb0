"""The type checker, an expression at a time.

In: an expression's tree and, where the context knows it, the wanted type. Out: the typed expression.
Guarantee: numbers, masks and `undefined` take the width of their context; nothing else changes its width.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from verifier.diagnostics.model import Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Symbol
from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.declare import MAX_WIDTH, Stop
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
    scalar_width,
)
from verifier.types.patterns import check_match

if TYPE_CHECKING:
    from verifier.types.check import Checker

BUILTINS = ("extend", "sign_extend", "last", "length")


class Local:
    """A name bound in a body."""

    __slots__ = ("kind", "span", "used")

    def __init__(self, kind: Type, span: Span) -> None:
        self.kind = kind
        self.span = span
        self.used = False

    @property
    def type(self) -> Type:
        return self.kind


def flexible(e: tree.Expr) -> bool:
    """Whether the expression takes its width from its context."""
    match e:
        case tree.Integer() | tree.Mask() | tree.Undefined():
            return True
        case tree.Unary():
            return e.op == "~" and flexible(e.operand)
        case tree.Chain():
            return e.op in "&|^+" and all(flexible(o) for o in e.operands)
        case tree.Binary():
            return e.op in ("-", "<<", ">>") and flexible(e.left)
        case tree.If():
            return flexible(e.then) and flexible(e.otherwise)
        case tree.Let():
            return flexible(e.body)
        case tree.Match():
            return all(flexible(arm.body) for arm in e.arms)
        case _:
            return False


class Body:
    """Checks the expressions of one declaration."""

    def __init__(self, checker: Checker, module: str, owner: str, local: dict[str, Local]) -> None:
        self.checker = checker
        self.module = module
        self.owner = owner
        self.locals = local
        self.chooses = False
        self.faulty = False
        self.calls = 0
        self.temporaries = 0

    def fail(self, diagnostic: Diagnostic) -> Stop:
        """Records what is wrong; to be raised."""
        return self.checker.types.fail(diagnostic)

    # ---- entry points

    def check(self, e: tree.Expr, wanted: Type) -> typed.Expr:
        """The expression as a value of `wanted`."""
        return self.fit(self.visit(e, wanted), wanted)

    def infer(self, e: tree.Expr) -> typed.Expr:
        """The expression with the type that it has by itself."""
        return self.visit(e, None)

    def fit(self, value: typed.Expr, wanted: Type) -> typed.Expr:
        found = value.type
        if found is wanted:
            return value
        if isinstance(found, List) and isinstance(wanted, List) and wanted.holds(found):
            return typed.Retype(value, wanted, value.span)
        raise self.fail(errors.Mismatch(value.span, str(found), str(wanted)))

    def operands(self, written: tuple[tree.Expr, ...], wanted: Type | None) -> list[typed.Expr]:
        """All of one type: that of the first which has one by itself, else the wanted one."""
        if wanted is not None:
            return [self.check(e, wanted) for e in written]
        rigid = next((i for i, e in enumerate(written) if not flexible(e)), None)
        if rigid is None:
            raise self.fail(errors.WidthUnknown(written[0].span))
        first = self.infer(written[rigid])
        return [first if i == rigid else self.check(e, first.type) for i, e in enumerate(written)]

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

    # ---- constants

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
        return typed.Choice(f"{self.owner}@{e.span.start}", wanted, e.span)

    # ---- names

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
                symbol = self._lookup(first, "type")
                if isinstance(symbol.decl, tree.Enum):
                    return symbol, dotted[1].text
            if len(dotted) > 1:
                return None
            return self._lookup(first, what), first.text
        module = ".".join(word.text for word in dotted[:-1])
        resolved = self.checker.program.modules.get(module)
        if resolved is None:
            raise self.fail(name_errors.UnknownName(first.span, first.text, "name", (*scope, *self.locals)))
        for decl in resolved.tree.decls:
            if decl.name.text == dotted[-1].text and not isinstance(decl, tree.Claim):
                return Symbol(module, decl), dotted[-1].text
        known = tuple(decl.name.text for decl in resolved.tree.decls)
        raise self.fail(name_errors.UnknownName(dotted[-1].span, dotted[-1].text, f"{what} in `{module}`", known))

    def _lookup(self, word: tree.Word, what: str) -> Symbol:
        known = self.checker.program.modules[self.module].scope
        if word.text not in known:
            raise self.fail(name_errors.UnknownName(word.span, word.text, what, (*known, *self.locals, *BUILTINS)))
        return self.checker.types.lookup(self.module, word, what)

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

    # ---- calls

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

    # ---- records, bitfields and lists

    def _literal(self, e: tree.Literal) -> typed.Expr:
        symbol = self._lookup(e.name, "type")
        kind = self.checker.types.declared(symbol, e.name.span)
        match kind:
            case Layout():
                return typed.SetFields(None, self._layout_fields(kind, e.fields), kind, e.span)
            case Record():
                given = self._record_fields(kind, e.fields)
                missing = tuple(f.name for f in kind.fields if f.name not in given)
                if missing:
                    raise self.fail(errors.MissingField(e.span, str(kind), missing))
                return typed.MakeRecord(tuple(given[f.name] for f in kind.fields), kind, e.span)
            case Enum():
                raise self.fail(errors.Needs(e.span, "{…}", "records and bitfields", str(kind)))

    def _layout_fields(self, kind: Layout, written: tuple[tuple[tree.Word, tree.Expr], ...]):
        by_name = {field.name: field for field in kind.fields}
        self._known_once(kind, written, tuple(by_name))
        return tuple((by_name[w.text], self.check(value, by_name[w.text].kind)) for w, value in written)

    def _record_fields(self, kind: Record, written: tuple[tuple[tree.Word, tree.Expr], ...]):
        by_name = {field.name: field for field in kind.fields}
        self._known_once(kind, written, tuple(by_name))
        return {w.text: self.check(value, by_name[w.text].kind) for w, value in written}

    def _known_once(
        self, kind: Layout | Record, written: tuple[tuple[tree.Word, tree.Expr], ...], known: tuple[str, ...]
    ) -> None:
        seen: dict[str, tree.Word] = {}
        for word, _ in written:
            if word.text not in known:
                raise self.fail(errors.UnknownField(word.span, str(kind), word.text, known, kind.span))
            if word.text in seen:
                raise self.fail(name_errors.DuplicateName(word.span, word.text, seen[word.text].span, "given"))
            seen[word.text] = word

    def _with(self, e: tree.With) -> typed.Expr:
        base = self.infer(e.base)
        match base.type:
            case Layout():
                return typed.SetFields(base, self._layout_fields(base.type, e.fields), base.type, e.span)
            case Record():
                kind = base.type
                given = self._record_fields(kind, e.fields)
                name = self.temporary()
                var = typed.Var(name, kind, e.span)
                fields = tuple(
                    given.get(f.name) or typed.GetField(var, i, f.kind, e.span) for i, f in enumerate(kind.fields)
                )
                return typed.Let(name, base, typed.MakeRecord(fields, kind, e.span), kind, e.span)
            case _:
                raise self.fail(errors.Needs(e.span, "with", "records and bitfields", str(base.type)))

    def temporary(self) -> str:
        """A name that no program can write."""
        self.temporaries += 1
        return f"#{self.temporaries}"

    def _list(self, e: tree.ListOf, wanted: Type | None) -> typed.Expr:
        items = self.operands(e.items, wanted.element if isinstance(wanted, List) else None)
        kind = list_of(items[0].type, len(items), len(items))
        return typed.MakeList(tuple(items), kind, e.span)

    # ---- operators

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
            raise self.fail(errors.TooWide(e.right.span, e.right.span.text, left.type.width))
        right = self.check(e.right, left.type)
        return typed.Arithmetic(e.op, (left, right), left.type, e.span)

    def _in_set(self, e: tree.InSet) -> typed.Expr:
        value, *members = self.operands((e.value, *e.members), None)
        tests = tuple(typed.Equal(value, m, BOOL, m.span) for m in members)
        return tests[0] if len(tests) == 1 else typed.Logic("or", tests, BOOL, e.span)

    # ---- control

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

    def bind(self, word: tree.Word, kind: Type) -> None:
        """Adds a local name; it must be new in this body."""
        if word.text in self.locals:
            raise self.fail(name_errors.Shadowed(word.span, word.text, self.locals[word.text].span))
        hidden = self.checker.hidden(self.module, word)
        if hidden is not None:
            raise self.fail(hidden)
        self.locals[word.text] = Local(kind, word.span)

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
