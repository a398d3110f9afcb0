"""The type checker, a declaration at a time.

In: a resolved program. Out: the typed core (`typed.Checked`) and every independent error.
Another version of the same program shares what it has in common with the first.
Guarantee: what it returns without an error evaluates without one: widths agree, matches are exhaustive and
disjoint, no function reaches itself.
Trusted: no, checked by generated programs and the golden diagnostics.
"""

from __future__ import annotations

from collections.abc import Sequence

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors as name_errors
from verifier.names.resolve import Program, Symbol
from verifier.names.series import Version, expectation, names
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

    `calls` says for each function how deep the calls below it go. `shared` are the modules that are the same in `like`,
    as is all that they use: their types and functions are taken from there.
    """

    def __init__(self, program: Program, like: Checker | None = None) -> None:
        self.program = program
        self.found: list[Diagnostic] = []
        self.types = Types(program, self.found)
        self.functions: dict[str, typed.Function] = {}
        self.calls: dict[str, int] = {}
        self.checking: list[str] = []
        self.shared: frozenset[str] = frozenset()
        if like is not None:
            self._share(like)

    def _share(self, like: Checker) -> None:
        self.shared = _same_modules(self.program, like.program)

        def is_shared(name: str) -> bool:
            return name.rsplit(".", 1)[0] in self.shared

        self.types.known.update((name, kind) for name, kind in like.types.known.items() if is_shared(name))
        self.types.depths.update(like.types.depths)
        self.functions.update((name, function) for name, function in like.functions.items() if is_shared(name))
        self.calls.update(like.calls)

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

    def declaration(self, symbol: Symbol) -> None:
        """Checks a declaration that is no claim; raises `Stop` if nothing of it can be used."""
        at = symbol.decl.name.span
        if isinstance(symbol.decl, (tree.Enum, tree.Record, tree.Bits)):
            self.types.declared(symbol, at)
        else:
            self.function(symbol, at)

    def _function(self, symbol: Symbol) -> typed.Function:
        decl = symbol.decl
        assert isinstance(decl, (tree.Fn, tree.Rule, tree.Const))
        params = () if isinstance(decl, tree.Const) else self.params(symbol.module, decl.params)
        result = self._result(symbol.module, decl)
        if decl.name.text in BUILTINS:
            self.found.append(name_errors.Shadowed(decl.name.span, decl.name.text, None))
        body = Body(self, symbol.module, symbol.qualified, {p.name: Local(p.type, p.span) for p in params})
        unavailable = symbol.qualified in self.program.unavailable
        checked: typed.Expr | typed.RuleBody
        if unavailable:
            checked = typed.Choice("", result, decl.name.span)
        elif isinstance(decl, tree.Rule):
            checked = self._clauses(body, decl)
        else:
            checked = self._guarded(body, decl.body, result)
        if unavailable or body.faulty:
            body.missing.add(symbol.qualified)
        if not isinstance(decl, tree.Const) and not unavailable:
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
            tuple(sorted(body.missing)),
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
            tuple(sorted(body.missing)),
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


def check(program: Program) -> tuple[typed.Checked, list[Diagnostic], Checker]:
    """The typed core of `program` and what is wrong with it, in the order of the modules."""
    checker = Checker(program)
    checked = typed.Checked(checker.types.known, checker.functions)
    for symbol in program.symbols():
        try:
            if isinstance(symbol.decl, tree.Claim):
                checked.claims.append(checker.claim(symbol, symbol.decl))
            else:
                checker.declaration(symbol)
        except Stop:
            continue
    checker.found.extend(_unused_imports(program, checker.types.used))
    return checked, _once(checker.found), checker


def check_version(
    program: Program, like: Checker, claims: Sequence[typed.Claim], versions: Sequence[Version], known_bad: bool
) -> tuple[typed.Checked, list[Diagnostic], Checker]:
    """The same for a version of the program that `like` has checked; `claims` are that one's.

    It is the first of `versions`; the others stand in for it where a claim does not name it. Claims that say nothing
    of a known-bad version are left out. What serves claims only is checked where a claim needs it: a claim may expect
    that it cannot be stated in a version.
    """
    checker = Checker(program, like)
    checked = typed.Checked(checker.types.known, checker.functions)
    same = {(claim.module, claim.name): claim for claim in claims if claim.module in checker.shared}
    for symbol in program.symbols():
        try:
            if isinstance(symbol.decl, tree.Claim):
                if not known_bad or names(symbol.decl.expects, versions[0].series):
                    known = same.get((symbol.module, symbol.decl.name.text))
                    checked.claims.append(known or _claim(checker, symbol, symbol.decl, versions))
            elif symbol.module in checker.shared:
                continue
            elif not symbol.module.startswith("proofs.") and not (known_bad and _is_old(symbol, like)):
                checker.declaration(symbol)
        except Stop:
            continue
    return checked, _once(checker.found), checker


def _claim(checker: Checker, symbol: Symbol, decl: tree.Claim, versions: Sequence[Version]) -> typed.Claim:
    """The claim in a version; one that does not fit its types, as it expects, is without a meaning there."""
    before = len(checker.found)
    expected = expectation(decl.expects, versions[0], versions[1:])
    meaningless = typed.Claim(
        decl.kind, decl.name.text, symbol.module, tuple(word.text for word in decl.ids), decl.about.cites,
        decl.about.doc, (), (), typed.Const(True, BOOL, decl.name.span), decl.expects, decl.name.span,
        (symbol.qualified,),
    )  # fmt: skip
    try:
        claim = checker.claim(symbol, decl)
    except Stop:
        claim = meaningless
    if all(d.severity != "error" for d in checker.found[before:]):
        return claim
    if expected is not None and expected.verdict == "not_modelled":
        del checker.found[before:]
    return meaningless


def _is_old(symbol: Symbol, like: Checker) -> bool:
    """Whether the declaration stands in the other program as it is."""
    module = like.program.modules.get(symbol.module)
    return module is not None and any(decl is symbol.decl for decl in module.tree.decls)


def _same_modules(program: Program, other: Program) -> frozenset[str]:
    """The modules that are the same tree in both programs, as are all that they use."""
    same: set[str] = set()
    for name, module in program.modules.items():
        known = other.modules.get(name)
        if known and known.tree is module.tree and all(use.text in same for use in module.tree.uses):
            same.add(name)
    return frozenset(same)


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
