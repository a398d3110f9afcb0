"""What the checks of expressions share: the scope of one body, and how types meet.

In: a declaration's names. Out: `BodyBase`, on which the other modules of the checker build.
Guarantee: numbers, masks and `undefined` take the width of their context; nothing else changes its width.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.diagnostics.model import Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Symbol
from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.declare import Stop
from verifier.types.kinds import (
    List,
    Type,
)

if TYPE_CHECKING:
    from verifier.types.check import Checker

MAX_DEPTH = 100
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


class BodyBase:
    """The scope of one declaration's body."""

    def __init__(self, checker: Checker, module: str, owner: str, local: dict[str, Local]) -> None:
        self.checker = checker
        self.module = module
        self.owner = owner
        self.locals = local
        self.chooses = False
        self.field = ""
        self.faulty = False
        self.missing: set[str] = set()
        self.calls = 0
        self.temporaries = 0

    def fail(self, diagnostic: Diagnostic) -> Stop:
        """Records what is wrong; to be raised."""
        return self.checker.types.fail(diagnostic)

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

    def visit(self, e: tree.Expr, wanted: Type | None) -> typed.Expr:
        """The typed expression; it need not have the wanted type yet."""
        raise NotImplementedError

    def temporary(self) -> str:
        """A name that no program can write."""
        self.temporaries += 1
        return f"#{self.temporaries}"

    def bind(self, word: tree.Word, kind: Type) -> None:
        """Adds a local name; it must be new in this body."""
        if word.text in self.locals:
            raise self.fail(name_errors.Shadowed(word.span, word.text, self.locals[word.text].span))
        hidden = self.checker.hidden(self.module, word)
        if hidden is not None:
            raise self.fail(hidden)
        self.locals[word.text] = Local(kind, word.span)

    def lookup(self, word: tree.Word, what: str) -> Symbol:
        known = self.checker.program.modules[self.module].scope
        if word.text not in known:
            names = (*known, *self.locals, *BUILTINS)
            elsewhere = self.checker.program.declaring(word.text)
            raise self.fail(name_errors.UnknownName(word.span, word.text, what, names, elsewhere))
        return self.checker.types.lookup(self.module, word, what)
