"""The type checker: records, bitfields and lists.

In: literals and updates. Out: typed values of those types.
Guarantee: a record is given whole, a field once; an omitted field of a bitfield is 0.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from verifier.names import errors as name_errors
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.body import BodyBase
from verifier.types.kinds import (
    Enum,
    Layout,
    List,
    Record,
    Type,
    list_of,
)


class Aggregates(BodyBase):
    """Literals and updates of a body."""

    def _literal(self, e: tree.Literal) -> typed.Expr:
        symbol = self.lookup(e.name, "type")
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
        return tuple((by_name[w.text], self._field(w, value, by_name[w.text].kind)) for w, value in written)

    def _record_fields(self, kind: Record, written: tuple[tuple[tree.Word, tree.Expr], ...]):
        by_name = {field.name: field for field in kind.fields}
        self._known_once(kind, written, tuple(by_name))
        return {w.text: self._field(w, value, by_name[w.text].kind) for w, value in written}

    def _field(self, word: tree.Word, value: tree.Expr, kind: Type) -> typed.Expr:
        """The value of a field, by whose name choices in it are known."""
        outer, self.field = self.field, word.text
        checked = self.check(value, kind)
        self.field = outer
        return checked

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

    def _list(self, e: tree.ListOf, wanted: Type | None) -> typed.Expr:
        items = self.operands(e.items, wanted.element if isinstance(wanted, List) else None)
        kind = list_of(items[0].type, len(items), len(items))
        return typed.MakeList(tuple(items), kind, e.span)
