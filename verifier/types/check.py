"""The type checker, a declaration at a time.

In: a resolved program. Out: the typed core (`typed.Checked`) and every independent error.
Guarantee: what it returns without an error evaluates without one: widths agree, matches are exhaustive and
disjoint, no function reaches itself.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Program, Symbol
from verifier.source import Span
from verifier.syntax import tree
from verifier.types import errors, typed
from verifier.types.body import BUILTINS, Local
from verifier.types.declare import Stop, Types
from verifier.types.expressions import Body
from verifier.types.kinds import BOOL, Type

MAX_CALLS = 64


class Checker:
    """Checks declarations on demand; functions are checked before their callers.

    `calls` says for each function how deep the calls below it go.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.found: list[Diagnostic] = []
        self.types = Types(program, self.found)
        self.functions: dict[str, typed.Function] = {}
        self.calls: dict[str, int] = {}
        self.checking: list[str] = []

    def function(self, symbol: Symbol, at: Span) -> typed.Function:
        """The checked function, rule or constant of `symbol`; `at` is the place that needs it."""
        name = symbol.qualified
        if name in self.functions:
            return self.functions[name]
        if name in self.checking:
            cycle = [*self.checking[self.checking.index(name) :], name]
            short = tuple(part.rsplit(".", 1)[-1] for part in cycle)
            raise self.types.fail(name_errors.Recursion(at, short))
        if len(self.checking) > MAX_CALLS:
            raise self.types.fail(errors.CallsTooDeep(at, MAX_CALLS))
        self.checking.append(name)
        try:
            made = self._function(symbol)
        finally:
            self.checking.pop()
        self.functions[name] = made
        return made

    def _function(self, symbol: Symbol) -> typed.Function:
        decl = symbol.decl
        assert isinstance(decl, (tree.Fn, tree.Rule, tree.Const))
        params = () if isinstance(decl, tree.Const) else self.params(symbol.module, decl.params)
        result = self._result(symbol.module, decl)
        if decl.name.text in BUILTINS:
            self.found.append(name_errors.Shadowed(decl.name.span, decl.name.text, None))
        body = Body(self, symbol.module, symbol.qualified, {p.name: Local(p.type, p.span) for p in params})
        if isinstance(decl, tree.Rule):
            checked: typed.Expr | typed.RuleBody = self._clauses(body, decl)
        else:
            checked = self._guarded(body, decl.body, result)
        if not isinstance(decl, tree.Const):
            self._unused(body, decl.params)
        if body.calls > MAX_CALLS:
            self.found.append(errors.CallsTooDeep(decl.name.span, MAX_CALLS))
        self.calls[symbol.qualified] = body.calls if body.calls <= MAX_CALLS else 0  # said once, not by callers
        return typed.Function(
            symbol.qualified,
            type(decl).__name__.lower(),
            tuple(typed.Param(p.name, p.type) for p in params),
            result,
            checked,
            decl.about.cites,
            decl.about.doc,
            decl.about.reading,
            decl.name.span,
            body.chooses,
        )

    def _result(self, module: str, decl: tree.Fn | tree.Rule | tree.Const) -> Type:
        match decl:
            case tree.Fn():
                return self.types.of(module, decl.result)
            case tree.Const():
                return self.types.of(module, decl.type)
            case tree.Rule():
                return BOOL

    def _clauses(self, body: Body, decl: tree.Rule) -> typed.RuleBody:
        clauses = tuple(
            typed.Clause(c.name.text, self._guarded(body, c.condition, BOOL), c.cites, c.name.span)
            for c in decl.clauses
        )
        return typed.RuleBody("or" if decl.kind == "any" else "and", clauses)

    def _guarded(self, body: Body, written: tree.Expr, kind: Type) -> typed.Expr:
        """The checked expression, or a stand-in once its error is recorded."""
        before = dict(body.locals)
        try:
            return body.check(written, kind)
        except Stop:
            body.faulty = True
            body.locals = before
            return typed.Choice("", kind, written.span)

    def params(self, module: str, written: tuple[tree.Param, ...]) -> tuple[Parameter, ...]:
        made: list[Parameter] = []
        for param in written:
            made.append(Parameter(param.name.text, self.types.of(module, param.type), param.name.span))
            hidden = self.hidden(module, param.name)
            if hidden is not None:
                self.found.append(hidden)
        return tuple(made)

    def hidden(self, module: str, word: tree.Word) -> name_errors.Shadowed | None:
        """What is wrong with a local name if something outside already has it."""
        if word.text in BUILTINS:
            return name_errors.Shadowed(word.span, word.text, None)
        symbols = self.program.modules[module].scope.get(word.text)
        if symbols is None:
            return None
        return name_errors.Shadowed(word.span, word.text, symbols[0].place_of(word.text))

    def _unused(self, body: Body, params: tuple[tree.Param, ...]) -> None:
        for param in params:
            name = param.name.text
            if not body.locals[name].used and not name.startswith("_") and not body.faulty:
                self.found.append(errors.UnusedParameter(param.name.span, name))

    def claim(self, symbol: Symbol, decl: tree.Claim) -> typed.Claim:
        params = self.params(symbol.module, decl.params)
        body = Body(self, symbol.module, symbol.qualified, {p.name: Local(p.type, p.span) for p in params})
        assumptions = [self._guarded(body, part, BOOL) for written in decl.assumptions for part in _conjuncts(written)]
        show = self._guarded(body, decl.show, BOOL)
        self._unused(body, decl.params)
        return typed.Claim(
            decl.kind,
            decl.name.text,
            symbol.module,
            tuple(word.text for word in decl.ids),
            decl.about.cites,
            decl.about.doc,
            tuple(typed.Param(p.name, p.type) for p in params),
            tuple(assumptions),
            show,
            decl.expects,
            decl.name.span,
        )


class Parameter(Local):
    """A parameter's name, type and place."""

    __slots__ = ("name",)

    def __init__(self, name: str, kind: Type, span: Span) -> None:
        super().__init__(kind, span)
        self.name = name


def _conjuncts(written: tree.Expr) -> tuple[tree.Expr, ...]:
    if isinstance(written, tree.Chain) and written.op == "&&":
        return tuple(part for operand in written.operands for part in _conjuncts(operand))
    return (written,)


def check(program: Program) -> tuple[typed.Checked, list[Diagnostic]]:
    """The typed core of `program` and what is wrong with it, in the order of the modules."""
    checker = Checker(program)
    checked = typed.Checked(functions=checker.functions)
    for symbol in program.symbols():
        try:
            match symbol.decl:
                case tree.Enum() | tree.Record() | tree.Bits():
                    checked.types[symbol.qualified] = checker.types.declared(symbol, symbol.decl.name.span)
                case tree.Fn() | tree.Rule() | tree.Const():
                    checker.function(symbol, symbol.decl.name.span)
                case tree.Claim():
                    checked.claims.append(checker.claim(symbol, symbol.decl))
        except Stop:
            continue
    checker.found.extend(_unused_imports(program, checker.types.used))
    return checked, _once(checker.found)


def check_expression(program: Program, module: str, written: tree.Expr) -> typed.Expr:
    """The typed expression in the scope of `module`; raises `Diagnosed`."""
    checker = Checker(program)
    try:
        return Body(checker, module, module, {}).infer(written)
    except Stop:
        raise Diagnosed(_once(checker.found)) from None


def _unused_imports(program: Program, used: set[tuple[str, str]]) -> list[Diagnostic]:
    return [
        name_errors.UnusedImport(use.span, use.text)
        for module in program.modules.values()
        for use in module.tree.uses
        if (module.name, use.text) not in used and use.text in program.modules
    ]


def _once(found: list[Diagnostic]) -> list[Diagnostic]:
    return list(dict.fromkeys(found))
