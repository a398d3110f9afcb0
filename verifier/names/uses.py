"""What the names in a declaration mean.

In: a declaration, and the program in which it is read. Out: `Use`s: where a name stands, and what it names.
Guarantee: a use covers exactly the characters of a name, and leads to the declaration that the checker would take.
Fields are left out, and so is a `case` of which only its type could tell whose member it is.
Trusted: no, checked by tests/unit/verifier/names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, cast

from verifier.names.resolve import Program, Symbol
from verifier.source import Span
from verifier.syntax import tree


@dataclass(frozen=True, slots=True)
class Use:
    """The name at `span` means `symbol`; `place` is where that introduces it: its own name, or an enum's member."""

    span: Span
    symbol: Symbol
    place: Span


def uses_in(program: Program, module: str, decl: tree.Decl) -> Iterator[Use]:
    """The uses in a declaration of `module`, which may be one that the program's own module does not hold."""
    return _Reader(program, module, decl).read(decl)


class _Reader:
    """`types` says which type each parameter has, where that is a declared one."""

    def __init__(self, program: Program, module: str, decl: tree.Decl) -> None:
        self._program = program
        self._scope = program.modules[module].scope
        params = decl.params if isinstance(decl, (tree.Fn, tree.Rule, tree.Claim)) else ()
        self._types = {p.name.text: p.type.name.text for p in params if isinstance(p.type, tree.NamedType)}
        self._locals = {word.text for word in _bound(decl)}

    def read(self, node: object) -> Iterator[Use]:
        """The uses at and below a node of the tree."""
        match node:
            case tree.Name():
                yield from self._one(tree.Word(node.text, node.span))
            case tree.NamedType():
                yield from self._one(node.name)
            case tree.Literal():
                yield from self._one(node.name)
                yield from self._parts(node)
            case tree.Member():
                yield from self._member(node)
            case tree.Match():
                yield from self._match(node)
            case _:
                yield from self._parts(node)

    def _parts(self, node: object) -> Iterator[Use]:
        for part in _below(node):
            yield from self.read(part)

    def _one(self, word: tree.Word) -> Iterator[Use]:
        """The use of a name that stands alone: nothing local has the name of something in scope."""
        symbols = self._scope.get(word.text, ())
        if len(symbols) == 1:
            yield Use(word.span, symbols[0], symbols[0].place_of(word.text))

    def _member(self, e: tree.Member) -> Iterator[Use]:
        words = _dotted(e)
        if not words or words[0].text in self._locals:
            yield from self.read(e.base)
        elif words[0].text in self._scope:
            yield from self._one(words[0])
            for symbol in self._scope[words[0].text]:
                if isinstance(symbol.decl, tree.Enum) and symbol.decl.name.text == words[0].text:
                    yield from _members(symbol, words[1:2])
        else:
            yield from self._in_module(".".join(word.text for word in words[:-1]), words[-1])

    def _in_module(self, name: str, word: tree.Word) -> Iterator[Use]:
        module = self._program.modules.get(name)
        for decl in module.tree.decls if module else ():
            if decl.name.text == word.text:
                yield Use(word.span, Symbol(name, decl), decl.name.span)

    def _match(self, e: tree.Match) -> Iterator[Use]:
        for scrutinee in e.scrutinees:
            yield from self.read(scrutinee)
        for column, scrutinee in enumerate(e.scrutinees):
            named = [
                tree.Word(single.text, single.span)
                for arm in e.arms
                for single in (arm.patterns[column] if column < len(arm.patterns) else ())
                if isinstance(single, tree.Name)
            ]
            owner = self._owner(scrutinee, {word.text for word in named})
            if owner is not None:
                yield from _members(owner, named)
        for arm in e.arms:
            yield from self.read(arm.body)

    def _owner(self, scrutinee: tree.Expr, members: set[str]) -> Symbol | None:
        """The enum of these members: the parameter's own type, else the only one that has them all."""
        if isinstance(scrutinee, tree.Name) and scrutinee.text in self._types:
            symbols = self._scope.get(self._types[scrutinee.text], ())
            return symbols[0] if len(symbols) == 1 else None
        owners = [
            symbol
            for symbol in self._program.symbols()
            if isinstance(symbol.decl, tree.Enum) and members <= {m.name.text for m in symbol.decl.members}
        ]
        return owners[0] if len(owners) == 1 else None


def _members(owner: Symbol, words: list[tree.Word] | tuple[tree.Word, ...]) -> Iterator[Use]:
    """The uses of an enum's members."""
    assert isinstance(owner.decl, tree.Enum)
    places = {member.name.text: member.name.span for member in owner.decl.members}
    for word in words:
        if word.text in places:
            yield Use(word.span, owner, places[word.text])


def _dotted(e: tree.Expr) -> tuple[tree.Word, ...]:
    """The words of a dotted name; none if something else stands at its head."""
    words: list[tree.Word] = []
    while isinstance(e, tree.Member):
        words.append(e.name)
        e = e.base
    return (tree.Word(e.text, e.span), *reversed(words)) if isinstance(e, tree.Name) else ()


def _bound(node: object) -> Iterator[tree.Word]:
    """Every name that is bound somewhere in a declaration."""
    match node:
        case tree.Param() | tree.Let():
            yield node.name
        case tree.Quantifier():
            yield node.variable
            if node.index is not None:
                yield node.index
        case _:
            pass
    for part in _below(node):
        yield from _bound(part)


def _below(node: object) -> Iterator[object]:
    """The nodes directly below one; words and places are none."""
    if isinstance(node, tuple):
        yield from cast("tuple[object, ...]", node)
    elif is_dataclass(node) and not isinstance(node, (Span, tree.Word)):
        for field in fields(cast(Any, node)):
            value = getattr(node, field.name)
            if isinstance(value, tuple) or (is_dataclass(value) and not isinstance(value, Span)):
                yield value
