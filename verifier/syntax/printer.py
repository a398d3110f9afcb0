"""A tree as text.

In: the tree of a file or an expression. Out: text in the one layout of the language.
Guarantee: parsing the text gives the same tree. The layout is fixed but for line ends: where it leaves a choice, those
of the source are kept.
Trusted: no, checked by round trips over every specification and over generated trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import assert_never

from verifier.source import Span
from verifier.syntax import tree
from verifier.syntax.comments import Comments
from verifier.syntax.expression_printer import ExpressionPrinter, blank_between, broken, operand_level
from verifier.syntax.layout import WIDTH, Align, Doc, Fill, Group, Hard, Line, Nest, Pad, flat, join, render, width_of

_CLAUSES = 6  # the column at which the clauses of a rule begin

_Documented = tree.EnumMember | tree.Field | tree.BitField


def print_file(file: tree.File, comments: Comments | None = None) -> str:
    """The text of a file, with the comments that belong to its parts."""
    return render(_FilePrinter(comments or Comments()).file(file))


def print_expression(e: tree.Expr, width: int = WIDTH) -> str:
    """The text of an expression, without a final line's end."""
    return render(ExpressionPrinter(Comments()).expr(e), width).rstrip("\n")


class _FilePrinter(ExpressionPrinter):
    # ---- files

    def file(self, file: tree.File) -> Doc:
        match file:
            case tree.Module():
                head: Doc = (self.above(file.name), "module ", file.name.text, self.beside(file.name))
                items = [(decl, self.decl(decl)) for decl in file.decls]
                return self._block_of(head, file.name, file.uses, items)
            case tree.Patch():
                blocks = (self._amend(amend) for amend in file.amends)
                return (self._patch_head(file), tuple((Hard(True), block) for block in blocks))

    def _block_of(
        self,
        head: Doc,
        first: tree.Path,
        uses: tuple[tree.Path, ...],
        items: Sequence[tuple[tree.Decl | tree.Change, Doc]],
    ) -> Doc:
        """A head, what it uses, and its declarations or changes."""
        parts = [head, self.below(first)]
        before = first
        for use in uses:
            blank = before is not first and blank_between(before.span, use.span)
            use_line = (self.above(use), "use ", use.text, self.beside(use), self.below(use))
            parts += [Hard(blank), use_line]
            before = use
        previous: tree.Decl | tree.Change | None = None
        for part, doc in items:
            close = previous is not None and _one_line_constants(previous, part)
            below = (Hard(), self.below(part)) if id(part) in self.comments.below else ()
            parts += [Hard(not close), self.above(part), doc, self.beside(part), below]
            previous = part
        return tuple(parts)

    def _patch_head(self, file: tree.Patch) -> Doc:
        base = f" on {file.base.text}" if file.base else ""
        parts: list[tuple[Doc, Doc]] = [("", ""), (Line(), self._cites(file.cites))]
        doc = Nest(2, (Hard(), f'"{file.doc}"')) if file.doc else ()
        head = (self.above(file.name), f"patch {file.name.text}{base}", self.beside(file.name))
        return (head, Nest(2, Fill(tuple(parts), 0)), doc, self.below(file.name))

    def _amend(self, amend: tree.Amend) -> Doc:
        doc = Nest(2, Fill((("", ""), (Line(), f'"{amend.doc}"')), 0)) if amend.doc else ()
        line = f"amend {amend.target.text} {amend.evidence}"
        head = (self.above(amend), self.above(amend.target), line, self.beside(amend.target), doc)
        items = [(change, self._change(change)) for change in amend.changes]
        return (self._block_of(head, amend.target, amend.uses, items), self.below(amend))

    def _change(self, change: tree.Change) -> Doc:
        if change.decl is None:
            reason = f' "{change.reason}"' if change.reason else ""
            return f"{change.kind} {change.name.text}{reason}"
        decl = change.decl
        return (f"{change.kind} ", self.above(decl), self.decl(decl), self.beside(decl))

    # ---- declarations

    def decl(self, decl: tree.Decl) -> Doc:
        match decl:
            case tree.Enum():
                return self._enum(decl)
            case tree.Record():
                return self._record(decl)
            case tree.Bits():
                return self._bits(decl)
            case tree.Const():
                return self._const(decl)
            case tree.Fn():
                head = (f"fn {decl.name.text}", self._params(decl.params), " -> ", self.type(decl.result))
                return self._with_body(head, decl.about, (self.above(decl.body), "= ", self._body(decl.body)))
            case tree.Rule():
                head = (f"rule {decl.name.text}", self._params(decl.params))
                return self._with_body(head, decl.about, ("= ", Nest(2, self._clauses(decl))))
            case tree.Claim():
                return self._claim(decl)
            case _:
                assert_never(decl)

    def _cites(self, cites: tuple[tree.Cite, ...]) -> Doc:
        docs: list[Doc] = [(f'{c.manual.text} "{c.title}"', self.beside(c)) for c in cites]
        return ("per ", Nest(2, join((",", Line()), docs)))

    def _head(self, head: Doc, about: tree.About, sentence: bool = False) -> Doc:
        """A head with its citations and perhaps its sentence, on as few lines as they fit."""
        parts: list[tuple[Doc, Doc]] = [("", "")]
        if about.cites:
            parts.append((Line(), self._cites(about.cites)))
        if about.doc and sentence:
            parts.append((Line(), f'"{about.doc}"'))
        return (head, Nest(2, Fill(tuple(parts), 0)))

    def _params(self, params: tuple[tree.Param, ...]) -> Doc:
        if not params:
            return "()"
        above = self.above(params[0])
        return Group(("(", Nest(2, (Line(""), above, self._param_list(params))), Line(""), ")"))

    def _param_list(self, params: tuple[tree.Param, ...]) -> Doc:
        items: list[tuple[Doc, Doc]] = []
        for param in params:
            line = Hard() if self.commented(param) else Line()
            items.append(((",", line) if items else "", (self.above(param) if items else (), self._param(param))))
        return Fill(tuple(items), 0)

    def _param(self, param: tree.Param) -> Doc:
        return (f"{param.name.text}: ", self.type(param.type), self.beside(param))

    def _with_body(self, head: Doc, about: tree.About, body: Doc) -> Doc:
        """A head with its citations; below it the sentence, the reading and the body, a line each."""
        doc = (Hard(), f'"{about.doc}"') if about.doc else ()
        reading = (Hard(), f'reading "{about.reading}"') if about.reading else ()
        return (self._head(head, about), Nest(2, (doc, reading, Hard(), body)))

    def _body(self, e: tree.Expr) -> Doc:
        """What follows `= ` or `show `: operations continue below that word, all else below its own start."""
        match e:
            case tree.Chain(_, operands) if not any(isinstance(o, tree.Match) for o in operands):
                return self.expr(e)
            case tree.Binary(_, _, right) if not isinstance(right, tree.Match):
                return self.expr(e)
            case tree.InSet():
                return self.expr(e)
            case _:
                return Nest(2, self.expr(e))

    def _const(self, decl: tree.Const) -> Doc:
        about = decl.about
        head = (f"const {decl.name.text}: ", self.type(decl.type))
        parts: list[tuple[Doc, Doc]] = [("", self._head(head, about, sentence=True))]
        if about.reading:
            parts.append((Hard(), f'reading "{about.reading}"'))
        above = self.above(decl.body)
        line: Doc = Hard() if above else Line()
        return Fill((*parts, ((line, above, "= "), self._body(decl.body))), 2)

    # ---- enums, records and bitfields

    def _block(
        self, head: Doc, about: tree.About, parts: Sequence[_Documented], rows: list[Doc], comma: str = ""
    ) -> Doc:
        """A head and rows in braces: on one line if the source has them so and they fit, else a row a line."""
        start = (self._head(head, about, sentence=True), " {")
        if not parts:
            return (start, "}")
        commented = any(self.commented(p) or id(p) in self.comments.below for p in parts)
        cuts = [broken(a.span, b.span) for a, b in pairwise(parts)]
        apart = commented or any(cuts) or _begins_line(parts[0])
        sharing = not commented and _begins_line(parts[0]) and not all(cuts)
        between = Line(" " if comma else "  ")
        inner: list[tuple[Doc, Doc]] = []
        for i, (part, row) in enumerate(zip(parts, rows, strict=True)):
            blank = i > 0 and blank_between(parts[i - 1].span, part.span)
            line = Hard(blank) if apart and not (sharing and not cuts[i - 1]) else between
            ending = comma if i < len(parts) - 1 else ""
            row = (self.above(part), row, ending, self.beside(part), self.below(part))
            inner.append((line if i else "", Group(row) if sharing else row))
        line = Hard() if apart else Line()
        items: Doc = Fill(tuple(inner), 0) if sharing else tuple(inner)
        return Group((start, Nest(2, (line, items)), line, "}"))

    def _enum(self, decl: tree.Enum) -> Doc:
        rows: list[Doc] = [f"{m.name.text} = {m.value}" for m in decl.members]
        return self._block(f"enum {decl.name.text}", decl.about, decl.members, _with_docs(decl.members, rows), ",")

    def _record(self, decl: tree.Record) -> Doc:
        rows: list[Doc] = [(f"{f.name.text}: ", self.type(f.type)) for f in decl.fields]
        return self._block(f"record {decl.name.text}", decl.about, decl.fields, _with_docs(decl.fields, rows))

    def _bits(self, decl: tree.Bits) -> Doc:
        positions = [f"[{f.high}]" if f.high == f.low else f"[{f.high}:{f.low}]" for f in decl.fields]
        widest = max(map(len, positions), default=0)
        rows: list[Doc] = []
        for field, position in zip(decl.fields, positions, strict=True):
            kind: Doc = () if field.type is None else (": ", self.type(field.type))
            rows.append((position, Pad(widest - len(position) + 1), " ", field.name.text, kind))
        head = f"bits {decl.name.text} : {decl.width}"
        return self._block(head, decl.about, decl.fields, _with_docs(decl.fields, rows))

    # ---- rules and claims

    def _clauses(self, decl: tree.Rule) -> Doc:
        clauses = decl.clauses
        commented = any(self.commented(c) or id(c) in self.comments.below for c in clauses)
        cut = commented or _begins_line(clauses[0]) or len(clauses) > 2
        if not cut:
            rows = [self._clause(c, f"{c.name.text}: ") for c in clauses]
            line = tuple((Line("  " if i else " "), row) for i, row in enumerate(rows))
            whole = (f"{decl.kind} of {{", Nest(2, line), Line(), "}")
            if len(flat(whole) or "") + _CLAUSES <= WIDTH and flat(whole) is not None:
                return Group(whole)
        parts: list[Doc] = []
        column = self._clause_column(clauses)
        for i, clause in enumerate(clauses):
            blank = i > 0 and blank_between(clauses[i - 1].span, clause.span)
            name = f"{clause.name.text}:"
            row = self._clause(clause, f"{name:{column}}" if self._beside_name(clause, column) else name)
            parts += [Hard(blank), self.above(clause), row, self.beside(clause), self.below(clause)]
        return (f"{decl.kind} of {{", Nest(2, tuple(parts)), Hard(), "}")

    def _clause(self, clause: tree.Clause, name: str) -> Doc:
        """The name, padded if the condition stands beside it, and the condition with its citations."""
        condition = clause.condition
        cites = self._clause_cites(clause)
        if not name.endswith(" "):
            return (name, Nest(2, (Hard(), self.expr(condition), cites)))
        if isinstance(condition, (tree.Chain, tree.Binary)):
            return (name, Align((self.operation(condition, nest=0), self.beside(condition), cites)))
        return (name, Align((self.expr(condition), cites)))

    def _clause_cites(self, clause: tree.Clause) -> Doc:
        if not clause.cites:
            return ()
        docs: list[Doc] = [(f'{c.manual.text} "{c.title}"', self.beside(c)) for c in clause.cites]
        start = Hard() if broken(clause.condition.span, clause.cites[0].span) else Line("   ")
        return Fill((("", ""), (start, ("per ", Nest(2, join((",", Line()), docs))))), 0)

    def _clause_column(self, clauses: tuple[tree.Clause, ...]) -> int:
        """The column, from the names' first, at which conditions begin beside their names."""
        beside = set(range(len(clauses)))
        while True:
            column = max((len(clauses[i].name.text) + 3 for i in beside), default=0)
            left = {i for i in beside if self._beside_name(clauses[i], column)}
            if left == beside:
                return column
            beside = left

    def _beside_name(self, clause: tree.Clause, column: int) -> bool:
        """Whether the condition stands beside its name: it fits there, and the source does not have it below."""
        condition = clause.condition
        if broken(clause.name.span, condition.span) or len(clause.name.text) + 3 > column:
            return False
        text = flat(self.expr(condition))
        kept = _one_line(clause.name.span, condition.span) and self._operands_fit(condition, column)
        return kept or (text is not None and _CLAUSES + column + len(text) <= WIDTH)

    def _operands_fit(self, condition: tree.Expr, column: int) -> bool:
        """Whether a condition of several lines has room beside its name."""
        if not isinstance(condition, (tree.Chain, tree.Binary)):
            return True
        operands = condition.operands if isinstance(condition, tree.Chain) else (condition.left, condition.right)
        texts = [flat(self.expr(operand, operand_level(condition))) for operand in operands]
        room = WIDTH - _CLAUSES - column - len(condition.op) - 1
        return all(text is not None and len(text) <= room for text in texts)

    def _claim(self, decl: tree.Claim) -> Doc:
        ids = f" is {', '.join(word.text for word in decl.ids)}" if decl.ids else ""
        head = f"{decl.kind} {decl.name.text}{ids}"
        parts: list[Doc] = []
        if decl.about.doc:
            parts += [Hard(), f'"{decl.about.doc}"']
        if decl.params:
            parts += [Hard(), self.above(decl.params[0]), "for ", Nest(4, self._param_list(decl.params))]
        for assumption in decl.assumptions:
            parts += [Hard(), self.above(assumption), "assume ", self._body(assumption)]
        parts += [Hard(), self.above(decl.show), "show ", self._body(decl.show)]
        for expect in decl.expects:
            parts += [Hard(), self.above(expect), _expect(expect), self.beside(expect)]
        return (self._head(head, decl.about), Nest(2, tuple(parts)))


def _expect(expect: tree.Expect) -> str:
    series = f" in {', '.join(map(_series, expect.series))}" if expect.series else ""
    reason = f' "{expect.reason}"' if expect.reason else ""
    return f"expect {expect.verdict}{series}{reason}"


def _series(series: tree.SeriesRange) -> str:
    return series.first.text if series.last is None else f"{series.first.text}..{series.last.text}"


def _with_docs(parts: Sequence[_Documented], rows: list[Doc]) -> list[Doc]:
    """The rows, with the sentences in a column of their own."""
    widths = [width_of(row) for row in rows]
    column = max((w for w, part in zip(widths, parts, strict=True) if part.doc), default=0)
    made: list[Doc] = []
    for row, width, part in zip(rows, widths, parts, strict=True):
        doc: Doc = (Pad(column - width + 1), f' "{part.doc}"') if part.doc else ()
        made.append((row, doc))
    return made


def _one_line(before: Span, after: Span) -> bool:
    """Whether the source has the two places on one line."""
    return bool(before.source.text) and before.source is after.source and not broken(before, after)


def _begins_line(part: _Documented | tree.Clause) -> bool:
    """Whether nothing stands before the part on its line of the source."""
    source = part.span.source
    if not source.text:
        return False
    start = source.line_starts[source.line_of(part.span.start) - 1]
    return not source.text[start : part.span.start].strip()


def _one_line_constants(before: tree.Decl | tree.Change, after: tree.Decl | tree.Change) -> bool:
    """Whether two constants follow each other without an empty line in the source."""
    both = isinstance(before, tree.Const) and isinstance(after, tree.Const)
    return both and broken(before.span, after.span) and not blank_between(before.span, after.span)
