"""From the parser's productions to the syntax tree.

In: lark's tree for `slat.lark`. Out: nodes of `tree`.
Guarantee: one method per production, nothing decided here but the shape; no tree is deeper than `MAX_DEPTH`
expressions, so whoever reads it may recurse.
Trusted: no, checked by the printer's round trip.
"""
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUntypedFunctionDecorator=false, reportUnknownParameterType=false, reportMissingParameterType=false
# (lark hands every production an untyped list of children.)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lark import Token, Tree
from lark.tree import Meta

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.source import Source, Span
from verifier.syntax import errors, tree
from verifier.syntax.words import cut_word

T = TypeVar("T")

MAX_DEPTH = 100
MAX_DIGITS = 1300  # no value is wider than 4096 bits
TYPES = frozenset(("bool_type", "bits_type", "named_type", "list_exactly", "list_between"))
OPERATIONS = frozenset(
    ("implies", "and_", "or_", "compare", "within", "in_set", "bit_and", "bit_or", "bit_xor", "add_", "sub")
) | frozenset(("concat", "shift_left", "shift_right", "not_", "invert"))
EXPRESSIONS = (
    OPERATIONS
    | frozenset(("let", "if_", "match", "quantifier", "parenthesised", "member_of", "index", "call", "with_"))
    | frozenset(("name", "literal", "integer", "true", "false", "undefined", "mask", "list"))
)
_NESTING = (TYPES | EXPRESSIONS) - {"parenthesised"}


def _chain(op: str) -> Callable[..., tree.Chain]:
    def build(self: Builder, meta: Meta, items: list[Any]) -> tree.Chain:
        return tree.Chain(op, tuple(items), self.span(meta))

    return build


def _binary(op: str) -> Callable[..., tree.Binary]:
    def build(self: Builder, meta: Meta, items: list[Any]) -> tree.Binary:
        return tree.Binary(op, items[0], items[1], self.span(meta))

    return build


def _change(kind: str) -> Callable[..., tree.Change]:
    def build(self: Builder, meta: Meta, items: list[Any]) -> tree.Change:
        return tree.Change(kind, items[0].name, items[0], "", self.span(meta))

    return build


class _Words(tuple[Any, ...]):
    """A tuple tagged by its class so that optional parts can be told apart."""


class _Cites(_Words): ...


class _Ids(_Words): ...


class _Params(_Words): ...


class _Series(_Words): ...


class _Reading(str): ...


class _Assume(_Words): ...


def _only(items: list[Any], kind: type[T], default: T) -> T:
    return next((item for item in items if isinstance(item, kind)), default)


def _doc(items: list[Any]) -> str:
    """The sentence: the one string that is neither a token nor a reading."""
    return next((item for item in items if type(item) is str), "")


def _every(items: list[Any], kind: type[T]) -> tuple[T, ...]:
    return tuple(item for item in items if isinstance(item, kind))


def _plain(token: Any) -> Any:
    """A string without its quotes; every other token as it is."""
    return str(token[1:-1]) if isinstance(token, Token) and token.type == "STRING" else token


class Builder:
    """Builds the tree of one source; spans are offsets into it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def build(self, parsed: Tree[Token]) -> Any:
        """The tree of a file or an expression; raises `Diagnosed`. Without recursion: a text nests at will."""
        order = self._parents_first(parsed)
        if self.found:
            raise Diagnosed(sorted(self.found, key=lambda d: d.span.start if d.span else 0))
        made: dict[int, Any] = {}
        for node in reversed(order):
            items = [made.pop(id(c)) if isinstance(c, Tree) else _plain(c) for c in node.children]
            made[id(node)] = getattr(self, node.data)(node.meta, items)
        return made[id(parsed)]

    def _parents_first(self, parsed: Tree[Token]) -> list[Tree[Token]]:
        """Every production, parents before children; `found` says what is too deep, too long or cut in two."""
        order: list[Tree[Token]] = []
        todo = [(parsed, int(parsed.data in _NESTING))]
        while todo:
            node, depth = todo.pop()
            order.append(node)
            for child in node.children:
                if isinstance(child, Token):
                    self._check(child)
                elif isinstance(child, Tree):  # pyright: ignore[reportUnnecessaryIsInstance]  (or None)
                    below = depth + (child.data in _NESTING)
                    if below > MAX_DEPTH:
                        self.found.append(errors.TooDeep(self.span(child.meta), MAX_DEPTH))
                    else:
                        todo.append((child, below))
        return order

    def _check(self, token: Token) -> None:
        cut = cut_word(self.source, token)
        if cut is not None:
            self.found.append(cut)
        elif token.type in ("INT", "HEX") and len(token) > MAX_DIGITS:
            self.found.append(errors.LongNumber(self.at(token), len(token), MAX_DIGITS))

    def number(self, token: Token) -> int:
        """The value of a decimal or hexadecimal number."""
        return int(token, 16 if token.startswith("0x") else 10)

    def span(self, meta: Meta) -> Span:
        return Span(self.source, meta.start_pos, meta.end_pos)

    def at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def word(self, token: Token) -> tree.Word:
        return tree.Word(str(token), self.at(token))

    # ---- files

    def path(self, meta: Meta, items: list[Token]) -> tree.Path:
        return tree.Path(".".join(items), self.span(meta))

    def use(self, meta: Meta, items: list[Any]) -> tree.Path:
        return items[0]

    def module(self, meta: Meta, items: list[Any]) -> tree.Module:
        paths = _every(items, tree.Path)
        return tree.Module(paths[0], paths[1:], tuple(items[len(paths) :]), self.span(meta))

    def patch(self, meta: Meta, items: list[Any]) -> tree.Patch:
        name, base, cites, *rest = items
        word = None if base is None else self.word(base)
        return tree.Patch(name, word, tuple(cites), _doc(rest), _every(rest, tree.Amend), self.span(meta))

    def amend(self, meta: Meta, items: list[Any]) -> tree.Amend:
        target, evidence, *rest = items
        uses, changes = _every(rest, tree.Path), _every(rest, tree.Change)
        return tree.Amend(target, str(evidence), _doc(rest), uses, changes, self.span(meta))

    add = _change("add")
    replace = _change("replace")
    reshape = _change("reshape")

    def remove(self, meta: Meta, items: list[Any]) -> tree.Change:
        return tree.Change("remove", self.word(items[0]), None, "", self.span(meta))

    def unavailable(self, meta: Meta, items: list[Any]) -> tree.Change:
        return tree.Change("unavailable", self.word(items[1]), None, "".join(items[2:]), self.span(meta))

    # ---- declarations

    def about(self, meta: Meta, items: list[Any]) -> tree.About:
        return self._about(items)

    def _about(self, items: list[Any]) -> tree.About:
        reading = next((str(i) for i in items if isinstance(i, _Reading)), "")
        return tree.About(tuple(_only(items, _Cites, _Cites())), _doc(items), reading)

    def reading(self, meta: Meta, items: list[Any]) -> _Reading:
        return _Reading(items[0])

    def cites(self, meta: Meta, items: list[Any]) -> _Cites:
        return _Cites(items)

    def cite(self, meta: Meta, items: list[Any]) -> tree.Cite:
        return tree.Cite(self.word(items[0]), items[1], self.span(meta))

    def enum(self, meta: Meta, items: list[Any]) -> tree.Enum:
        members = _every(items, tree.EnumMember)
        return tree.Enum(self.word(items[0]), members, self._about(items[1:]), self.span(meta))

    def member(self, meta: Meta, items: list[Any]) -> tree.EnumMember:
        return tree.EnumMember(self.word(items[0]), self.number(items[1]), "".join(items[2:]), self.span(meta))

    def record(self, meta: Meta, items: list[Any]) -> tree.Record:
        fields = _every(items, tree.Field)
        return tree.Record(self.word(items[0]), fields, self._about(items[1:]), self.span(meta))

    def field(self, meta: Meta, items: list[Any]) -> tree.Field:
        return tree.Field(self.word(items[0]), items[1], "".join(items[2:]), self.span(meta))

    def bits(self, meta: Meta, items: list[Any]) -> tree.Bits:
        fields = _every(items, tree.BitField)
        about = self._about(items[2:])
        return tree.Bits(self.word(items[0]), self.number(items[1]), fields, about, self.span(meta))

    def bit_field(self, meta: Meta, items: list[Any]) -> tree.BitField:
        high, low, name, kind, *doc = items
        bottom = self.number(high) if low is None else self.number(low)
        return tree.BitField(self.word(name), self.number(high), bottom, kind, "".join(doc), self.span(meta))

    def const(self, meta: Meta, items: list[Any]) -> tree.Const:
        name, kind, about, body = items
        return tree.Const(self.word(name), kind, about, body, self.span(meta))

    def fn(self, meta: Meta, items: list[Any]) -> tree.Fn:
        name, *params, result, about, body = items
        return tree.Fn(self.word(name), tuple(_only(params, _Params, _Params())), result, about, body, self.span(meta))

    def rule(self, meta: Meta, items: list[Any]) -> tree.Rule:
        clauses = _every(items, tree.Clause)
        params = tuple(_only(items, _Params, _Params()))
        about = _only(items, tree.About, tree.About((), "", ""))
        kind = str(items[-len(clauses) - 1])
        return tree.Rule(self.word(items[0]), params, kind, about, clauses, self.span(meta))

    def clause(self, meta: Meta, items: list[Any]) -> tree.Clause:
        cites = tuple(items[2]) if len(items) > 2 else ()
        return tree.Clause(self.word(items[0]), items[1], cites, self.span(meta))

    def params(self, meta: Meta, items: list[Any]) -> _Params:
        return _Params(items)

    def param(self, meta: Meta, items: list[Any]) -> tree.Param:
        return tree.Param(self.word(items[0]), items[1], self.span(meta))

    def invariant(self, meta: Meta, items: list[Any]) -> tree.Claim:
        return self._claim("invariant", meta, items)

    def witness(self, meta: Meta, items: list[Any]) -> tree.Claim:
        return self._claim("witness", meta, items)

    def _claim(self, kind: str, meta: Meta, items: list[Any]) -> tree.Claim:
        expects = _every(items, tree.Expect)
        body = items[: len(items) - len(expects)]
        return tree.Claim(
            kind,
            self.word(items[0]),
            tuple(_only(items, _Ids, _Ids())),
            self._about(items[1:]),
            tuple(_only(items, _Params, _Params())),
            tuple(assumption[0] for assumption in _every(items, _Assume)),
            body[-1],
            expects,
            self.span(meta),
        )

    def ids(self, meta: Meta, items: list[Token]) -> _Ids:
        return _Ids(self.word(item) for item in items)

    def for_(self, meta: Meta, items: list[Any]) -> _Params:
        return items[0]

    def assume(self, meta: Meta, items: list[Any]) -> _Assume:
        return _Assume(items)

    def in_series(self, meta: Meta, items: list[tree.SeriesRange]) -> _Series:
        return _Series(items)

    def series(self, meta: Meta, items: list[Token | None]) -> tree.SeriesRange:
        first, last = (None if item is None else self.word(item) for item in items)
        assert first is not None
        return tree.SeriesRange(first, last, self.span(meta))

    def expect(self, meta: Meta, items: list[Any]) -> tree.Expect:
        verdict, series, *reason = items
        return tree.Expect(str(verdict), tuple(series or ()), "".join(reason), self.span(meta))

    # ---- types

    def list_exactly(self, meta: Meta, items: list[Any]) -> tree.ListType:
        return tree.ListType(items[0], self.number(items[1]), self.number(items[1]), self.span(meta))

    def list_between(self, meta: Meta, items: list[Any]) -> tree.ListType:
        return tree.ListType(items[0], self.number(items[1]), self.number(items[2]), self.span(meta))

    def bool_type(self, meta: Meta, items: list[Any]) -> tree.BoolType:
        return tree.BoolType(self.span(meta))

    def bits_type(self, meta: Meta, items: list[Any]) -> tree.BitsType:
        return tree.BitsType(self.number(items[0]), self.span(meta))

    def named_type(self, meta: Meta, items: list[Token]) -> tree.NamedType:
        return tree.NamedType(self.word(items[0]), self.span(meta))

    # ---- expressions

    def let(self, meta: Meta, items: list[Any]) -> tree.Let:
        return tree.Let(self.word(items[0]), items[1], items[2], items[3], self.span(meta))

    def if_(self, meta: Meta, items: list[Any]) -> tree.If:
        return tree.If(items[0], items[1], items[2], self.span(meta))

    implies = _binary("implies")
    within = _binary("within")
    sub = _binary("-")
    shift_left = _binary("<<")
    shift_right = _binary(">>")
    and_ = _chain("&&")
    or_ = _chain("||")
    bit_and = _chain("&")
    bit_or = _chain("|")
    bit_xor = _chain("^")
    add_ = _chain("+")
    concat = _chain("++")

    def compare(self, meta: Meta, items: list[Any]) -> tree.Binary:
        return tree.Binary(str(items[1]), items[0], items[2], self.span(meta))

    def in_set(self, meta: Meta, items: list[Any]) -> tree.InSet:
        return tree.InSet(items[0], tuple(items[1:]), self.span(meta))

    def not_(self, meta: Meta, items: list[Any]) -> tree.Unary:
        return tree.Unary("!", items[0], self.span(meta))

    def invert(self, meta: Meta, items: list[Any]) -> tree.Unary:
        return tree.Unary("~", items[0], self.span(meta))

    def member_of(self, meta: Meta, items: list[Any]) -> tree.Member:
        return tree.Member(items[0], self.word(items[1]), self.span(meta))

    def index(self, meta: Meta, items: list[Any]) -> tree.Index:
        low = None if items[2] is None else self.number(items[2])
        return tree.Index(items[0], self.number(items[1]), low, self.span(meta))

    def call(self, meta: Meta, items: list[Any]) -> tree.Call:
        arguments = tuple(item for item in items[1:] if item is not None)
        return tree.Call(items[0], arguments, self.span(meta))

    def with_(self, meta: Meta, items: list[Any]) -> tree.With:
        return tree.With(items[0], items[1], self.span(meta))

    def name(self, meta: Meta, items: list[Token]) -> tree.Name:
        return tree.Name(str(items[0]), self.span(meta))

    def literal(self, meta: Meta, items: list[Any]) -> tree.Literal:
        return tree.Literal(self.word(items[0]), items[1] or (), self.span(meta))

    def integer(self, meta: Meta, items: list[Token]) -> tree.Integer:
        return tree.Integer(self.number(items[0]), items[0].startswith("0x"), self.span(meta))

    def true(self, meta: Meta, items: list[Any]) -> tree.Boolean:
        return tree.Boolean(True, self.span(meta))

    def false(self, meta: Meta, items: list[Any]) -> tree.Boolean:
        return tree.Boolean(False, self.span(meta))

    def undefined(self, meta: Meta, items: list[Any]) -> tree.Undefined:
        return tree.Undefined(self.span(meta))

    def mask(self, meta: Meta, items: list[Any]) -> tree.Mask:
        return tree.Mask(tuple(items), self.span(meta))

    def range(self, meta: Meta, items: list[Any]) -> tuple[int, int]:
        high = self.number(items[0])
        return (high, high if items[1] is None else self.number(items[1]))

    def list(self, meta: Meta, items: list[Any]) -> tree.ListOf:
        return tree.ListOf(tuple(items), self.span(meta))

    def parenthesised(self, meta: Meta, items: list[Any]) -> tree.Expr:
        return items[0]

    def quantifier(self, meta: Meta, items: list[Any]) -> tree.Quantifier:
        kind, variable, index, over, body = items
        at = None if index is None else self.word(index)
        return tree.Quantifier(str(kind), self.word(variable), at, over, body, self.span(meta))

    def match(self, meta: Meta, items: list[Any]) -> tree.Match:
        arms = _every(items, tree.Arm)
        return tree.Match(tuple(items[: -len(arms)]), arms, self.span(meta))

    def arm(self, meta: Meta, items: list[Any]) -> tree.Arm:
        return tree.Arm(tuple(items[:-1]), items[-1], self.span(meta))

    def pattern(self, meta: Meta, items: list[Any]) -> tree.Pattern:
        return tuple(items)

    def anything(self, meta: Meta, items: list[Any]) -> tree.Anything:
        return tree.Anything(self.span(meta))

    def assignments(self, meta: Meta, items: list[Any]) -> tuple[Any, ...]:
        return tuple(items)

    def assignment(self, meta: Meta, items: list[Any]) -> tuple[tree.Word, tree.Expr]:
        return (self.word(items[0]), items[1])
