"""Expressions and types as documents.

In: trees of expressions and types, and the comments that belong to their parts. Out: documents.
Guarantee: parentheses stand where the grammar needs them, and around arithmetic in an operand of `&`, `|` or `^`.
Trusted: no, checked by the printer's round trip.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import assert_never

from verifier.source import Span
from verifier.syntax import tree
from verifier.syntax.comments import Comment, Comments
from verifier.syntax.layout import Align, Doc, Fill, Group, Hard, Line, Nest, Pad, Remark, hang, join

# how tightly an expression binds: the level of the grammar's rule that makes it
_EXPR, _IMPLICATION, _LOGIC, _RELATION, _ARITHMETIC, _UNARY, _POSTFIX = range(7)
_BRACKETED = (tree.Match, tree.Literal, tree.With, tree.Call, tree.ListOf, tree.Quantifier)
_SOFT = Line("")
_COMMENT = re.compile(r"//[^\n]*")
_OPENED = re.compile(r"[\s)\w]*[({][ \t\r]*\n")
_WIDEST_PATTERN = 80


def level(e: tree.Expr) -> int:
    """The tightest place of the grammar in which the expression needs no parentheses."""
    match e:
        case tree.Let() | tree.If():
            return _EXPR
        case tree.Chain():
            if e.op in ("&&", "||"):
                return _LOGIC
            return _ARITHMETIC if e.op in ("+", "++") else _RELATION
        case tree.Binary():
            if e.op == "implies":
                return _IMPLICATION
            return _ARITHMETIC if e.op in ("-", "<<", ">>") else _RELATION
        case tree.InSet():
            return _RELATION
        case tree.Unary():
            return _UNARY
        case _:
            return _POSTFIX


def operand_level(e: tree.Chain | tree.Binary | tree.InSet) -> int:
    """The level that the operands of an operation need; those of bit operations one more, for readers of C."""
    if isinstance(e, tree.Chain) and e.op in ("&", "|", "^"):
        return _UNARY
    return {_IMPLICATION: _LOGIC, _LOGIC: _RELATION, _RELATION: _ARITHMETIC, _ARITHMETIC: _UNARY}[level(e)]


def _between(before: Span, after: Span) -> str:
    """What the source has between two places, without comments."""
    source = before.source
    return _COMMENT.sub("", source.text[before.end : after.start]) if source is after.source else ""


def broken(before: Span, after: Span) -> bool:
    """Whether the source has a line's end between the two places, a parenthesis around the second apart."""
    return "\n" in _between(before, after).split("(", 1)[0]


def _opened(before: Span, after: Span) -> bool:
    """Whether the source has a line's end after the bracket that stands between the two places."""
    return _OPENED.match(_between(before, after)) is not None


def _parenthesis_opened(inner: Span) -> bool:
    """Whether the source has a line's end between a parenthesis and what it holds."""
    text = inner.source.text
    before = _COMMENT.sub("", text[text.rfind("(", 0, inner.start) + 1 : inner.start])
    return "\n" in before and not before.strip()


def blank_between(before: Span, after: Span) -> bool:
    """Whether the source has an empty line below the first of the two places."""
    if before.source is not after.source:
        return False
    lines = before.source.text[before.end : after.start].split("\n")
    return len(lines) > 2 and not lines[1].strip()


class ExpressionPrinter:
    """Turns expressions into documents; `comments` are those of the source, if there is one."""

    def __init__(self, comments: Comments) -> None:
        self.comments = comments

    # ---- comments

    def above(self, part: object) -> Doc:
        """The comments above `part`, each on a line of its own."""
        return tuple((c.text, Hard(c.blank)) for c in self.comments.above.get(id(part), ()))

    def below(self, part: object) -> Doc:
        """The comments below the last part of a block."""
        found: list[Comment] = self.comments.below.get(id(part), [])
        return tuple((Hard(), c.text) for c in found)

    def beside(self, part: object) -> Doc:
        """The comments for the end of the line on which `part` ends."""
        return tuple(Remark(c.text) for c in self.comments.beside.get(id(part), ()))

    def commented(self, part: object) -> bool:
        """Whether comments stand above the part, so that it begins a line."""
        return id(part) in self.comments.above

    # ---- types

    def type(self, t: tree.TypeExpr) -> Doc:
        return (self._type(t), self.beside(t))

    def _type(self, t: tree.TypeExpr) -> Doc:
        match t:
            case tree.BoolType():
                return "bool"
            case tree.BitsType():
                return f"bits({t.width})"
            case tree.NamedType():
                return t.name.text
            case tree.ListType():
                bounds = f"{t.low}" if t.low == t.high else f"{t.low}..{t.high}"
                return (self.type(t.element), f"[{bounds}]")

    # ---- expressions

    def expr(self, e: tree.Expr, needed: int = _EXPR) -> Doc:
        """The expression, in parentheses if it binds less tightly than `needed`."""
        inner = self._expr(e)
        if level(e) < needed:
            opened = _parenthesis_opened(e.span)
            operation = isinstance(e, (tree.Chain, tree.Binary))
            inner = ("(", Nest(2, (Hard(), inner)) if opened else inner if operation else Align(inner), ")")
        return (inner, self.beside(e))

    def _expr(self, e: tree.Expr) -> Doc:  # noqa: C901  (one case per construct)
        match e:
            case tree.Integer():
                return f"0x{e.value:x}" if e.hexadecimal else f"{e.value}"
            case tree.Boolean():
                return "true" if e.value else "false"
            case tree.Undefined():
                return "undefined"
            case tree.Mask():
                return _mask(e)
            case tree.Name():
                return e.text
            case tree.Member():
                return (self.expr(e.base, _POSTFIX), f".{e.name.text}")
            case tree.Index():
                positions = f"{e.high}" if e.low is None else f"{e.high}:{e.low}"
                return (self.expr(e.base, _POSTFIX), f"[{positions}]")
            case tree.Call():
                return (self.expr(e.callee, _POSTFIX), self._items("(", e.callee.span, e.arguments, ")"))
            case tree.ListOf():
                return ("list", self._items("(", _start(e.span), e.items, ")"))
            case tree.Literal():
                return (e.name.text, " ", self._fields(e.name.span, e.fields))
            case tree.With():
                return (self.expr(e.base, _POSTFIX), " with ", self._fields(e.base.span, e.fields))
            case tree.Unary():
                return (e.op, self.expr(e.operand, _UNARY))
            case tree.Chain() | tree.Binary():
                return self.operation(e)
            case tree.InSet():
                members = self._items("{", e.value.span, e.members, "}")
                return (self.expr(e.value, _ARITHMETIC), " in", hang(members))
            case tree.If():
                return self._if(e)
            case tree.Let():
                return self._let(e)
            case tree.Match():
                return self._match(e)
            case tree.Quantifier():
                return self._quantifier(e)
            case _:
                assert_never(e)

    def operation(self, e: tree.Chain | tree.Binary, nest: int = 2) -> Doc:
        """Operands, each on a new line only where the source has it so or the line is full."""
        operands = e.operands if isinstance(e, tree.Chain) else (e.left, e.right)
        needed = operand_level(e)
        items: list[tuple[Doc, Doc]] = [("", self.expr(operands[0], needed))]
        for before, operand in pairwise(operands):
            at_end = e.op == "implies" and isinstance(operand, (tree.If, tree.Binary)) and level(operand) < 2
            line = Hard() if broken(before.span, operand.span) or self.commented(operand) else Line()
            between = (line, self.above(operand), f"{e.op} ")
            items.append((between, self.expr(operand, _EXPR if at_end else needed)))
        return Fill(tuple(items), nest, 2)

    def _items(self, left: str, before: Span, items: tuple[tree.Expr, ...], right: str) -> Doc:
        """Expressions between commas and brackets."""
        if not items:
            return left + right
        parts: list[tuple[Doc, Doc]] = []
        for i, item in enumerate(items):
            cut = i > 0 and broken(items[i - 1].span, item.span)
            line: Doc = Hard() if cut or (i > 0 and self.commented(item)) else Line()
            parts.append(((",", line) if i else "", (self.above(item), self.expr(item))))
        start = Hard() if _opened(before, items[0].span) else _SOFT
        return Group((left, Nest(2, (start, Fill(tuple(parts), 0))), right))

    def _fields(self, before: Span, fields: tuple[tuple[tree.Word, tree.Expr], ...]) -> Doc:
        """`{ name: value, … }`: on one line, or in rows as the source has them, or a field a line."""
        if not fields:
            return "{}"
        cuts = [broken(e.span, word.span) for (_, e), (word, _) in pairwise(fields)]
        commented = any(self.commented(word) for word, _ in fields)
        apart = _opened(before, fields[0][0].span)
        rows = not commented and len(fields) > 1 and not all(cuts) and (any(cuts) or apart)
        widest = 0 if rows else max(len(word.text) for word, _ in fields)
        docs = [self._field(word, value, widest) for word, value in fields]
        hard = any(cuts) or commented or apart
        if rows:
            parts = [(",", Hard() if cut else Line()) for cut in cuts]
            inner: Doc = Fill((("", docs[0]), *zip(parts, docs[1:], strict=True)), 0)
        else:
            inner = join((",", Hard() if hard else Line()), docs)
        line: Doc = Hard() if hard else Line()
        return Group(("{", Nest(2, (line, inner)), line, "}"))

    def _field(self, word: tree.Word, value: tree.Expr, widest: int) -> Doc:
        pad = Pad(max(0, widest - len(word.text)))
        return (self.above(word), f"{word.text}:", pad, hang(self.expr(value)))

    def _if(self, e: tree.If) -> Doc:
        """On one line, or a line a branch; a chain of `else if` always a line a branch."""
        parts: list[Doc] = []
        last: tree.Expr = e
        word = "if "
        while isinstance(last, tree.If):
            branch = self._branch(last.condition.span, last.then)
            parts += [word, Nest(2, self.expr(last.condition)), " then", branch]
            following = last.otherwise
            cut = isinstance(e.otherwise, tree.If) or broken(last.then.span, following.span)
            commented = self.commented(last.then) or self.commented(following)
            parts += [Hard() if cut or commented else Line(), self.above(following)]
            word, last = "else if ", following
        return Group((*parts, "else", self._branch(None, last)))

    def _branch(self, before: Span | None, e: tree.Expr) -> Doc:
        """What follows `then` (after the condition `before`) or `else`: on the same line, or below."""
        inner = self.expr(e)
        comments = () if before is None else self.above(e)
        if isinstance(e, _BRACKETED) and not comments:
            return hang(inner)
        cut = comments or (before is not None and broken(before, e.span))
        return Group(Nest(2, (Hard() if cut else Line(), comments, inner)))

    def _let(self, e: tree.Let) -> Doc:
        """A line a `let`."""
        kind: Doc = () if e.type is None else (": ", self.type(e.type))
        start = Hard() if broken(e.name.span if e.type is None else e.type.span, e.value.span) else Line()
        value = hang(self.expr(e.value), start=start)
        blank = blank_between(e.value.span, e.body.span)
        return (f"let {e.name.text}", kind, " =", value, ";", Hard(blank), self.above(e.body), self.expr(e.body))

    def _match(self, e: tree.Match) -> Doc:
        """A line an arm, the patterns in columns."""
        rows = [[" | ".join(_single(p) for p in pattern) for pattern in arm.patterns] for arm in e.arms]
        patterns = _columns(rows)
        parts: list[Doc] = []
        before: tree.Arm | None = None
        for arm, pattern in zip(e.arms, patterns, strict=True):
            blank = before is not None and blank_between(before.span, arm.span)
            parts += [Hard(blank), self.above(arm), self._arm(arm, pattern), self.below(arm)]
            before = arm
        values = self._items("(", _start(e.span), e.scrutinees, ")")
        return ("match ", values, " {", Nest(2, tuple(parts)), Hard(), "}")

    def _arm(self, arm: tree.Arm, pattern: Doc) -> Doc:
        last = arm.patterns[-1][-1].span
        value = hang(self.expr(arm.body), 4, Hard() if broken(last, arm.body.span) else Line())
        return ("case ", pattern, " :", value, self.beside(arm))

    def _quantifier(self, e: tree.Quantifier) -> Doc:
        index = "" if e.index is None else f" at {e.index.text}"
        head = (f"{e.kind}({e.variable.text}{index} in ", self.expr(e.over), ":")
        start = Hard() if broken(e.over.span, e.body.span) else Line()
        return (head, Group(Nest(2, (start, self.expr(e.body)))), ")")


def _start(span: Span) -> Span:
    return Span(span.source, span.start, span.start)


def _mask(e: tree.Mask) -> Doc:
    ranges = [f"{high}" if high == low else f"{high}:{low}" for high, low in e.ranges]
    items = [((",", Line()) if i else "", text) for i, text in enumerate(ranges)]
    return Group(("[", Nest(2, Fill(tuple(items), 0)), "]"))


def _single(pattern: tree.Name | tree.Integer | tree.Boolean | tree.Anything) -> str:
    match pattern:
        case tree.Name():
            return pattern.text
        case tree.Integer():
            return f"0x{pattern.value:x}" if pattern.hexadecimal else f"{pattern.value}"
        case tree.Boolean():
            return "true" if pattern.value else "false"
        case tree.Anything():
            return "_"


def _columns(rows: list[list[str]]) -> list[Doc]:
    """Each row of patterns as text, in columns if they are not too wide."""
    count = max(len(row) for row in rows)
    full = [row for row in rows if len(row) == count]
    widths = [max(len(row[i]) for row in full) + (i < count - 1) for i in range(count)]
    whole = max(sum(widths) + count - 1, max(len(", ".join(row)) for row in rows))
    if whole > _WIDEST_PATTERN:
        return [_wide_pattern(row) for row in rows]
    texts: list[Doc] = []
    for row in rows:
        cells = [f"{text}," if i < len(row) - 1 else text for i, text in enumerate(row)]
        line = " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False))
        texts.append(f"{line if len(row) == count else ', '.join(row):{whole}}")
    return texts


def _wide_pattern(row: list[str]) -> Doc:
    items: list[tuple[Doc, Doc]] = []
    for pattern in row:
        for j, single in enumerate(pattern.split(" | ")):
            items.append((("," if j == 0 else " |", Line()) if items else "", single))
    return Fill(tuple(items), 4)
