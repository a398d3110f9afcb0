"""Why a claim has the value it has, in its own sub-claims.

In: a claim's expression and values for its names. Out: `Reason`s: a sub-claim, its value, where it is said and by whom.
Guarantee: every value shown is the interpreter's.
Trusted: no: it explains, it does not decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from verifier.core.interpret import CHOOSER, PATH, Chooser, Env, meaning
from verifier.core.show import Named, named, set_fields, show_part, show_value
from verifier.core.values import Value, zero
from verifier.syntax.tree import Cite
from verifier.types import typed
from verifier.types.kinds import BOOL, Enum, Layout, Record, Type

MAX_REASONS = 12
LONGEST = 100
"""Letters of a record's value up to which all of it is shown."""


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` has the value `value`; `place` is where its definition stands, `cite` what that cites.

    `named` is the value, if it is a bitfield, by its fields.
    """

    text: str
    value: str
    place: str
    cite: str
    depth: int
    named: Named = Named()  # noqa: RUF009  (frozen)


def explain(e: typed.Expr, env: dict[str, Value], choose: Chooser) -> tuple[Reason, ...]:
    """The sub-claims that decide the truth value of `e`, at most a screenful."""
    found: dict[tuple[str, str], Reason] = {}
    for reason in _Explainer().truth(e, {**env, PATH: "", CHOOSER: choose}, 0):
        found.setdefault((reason.text, reason.value), reason)
    return tuple(found.values())[:MAX_REASONS]


def _cite(cites: tuple[Cite, ...]) -> str:
    return f'{cites[0].manual.text} "{cites[0].title}"' if cites else ""


def _text(e: typed.Expr) -> str:
    """The source of `e` on one line; long arguments are left out."""
    text = " ".join(e.span.text.split())
    if len(text) <= 60:
        return text
    return f"{e.function.short_name}(…)" if isinstance(e, typed.Call) else text[:57] + "…"


class _Explainer:
    """Walks down an expression; `bound` remembers what the names of `let` stand for."""

    def __init__(self) -> None:
        self.bound: dict[str, tuple[typed.Expr, Env]] = {}

    def truth(self, e: typed.Expr, env: Env, depth: int) -> Iterator[Reason]:
        """The reasons for the truth value of `e`."""
        value = bool(meaning(e)(env))
        match e:
            case typed.Not():
                yield from self.truth(e.operand, env, depth)
            case typed.Logic():
                yield from self._logic(e, value, env, depth)
            case typed.Let():
                self.bound[e.name] = (e.value, env)
                yield from self.truth(e.body, {**env, e.name: meaning(e.value)(env)}, depth)
            case typed.If():
                yield from self.truth(e.condition, env, depth)
                yield from self.truth(e.then if meaning(e.condition)(env) else e.otherwise, env, depth)
            case typed.Over() if e.kind in ("all", "any"):
                yield from self._over(e, value, env, depth)
            case typed.Equal() | typed.Less() | typed.Within():
                yield from self._relation(e, env, depth)
            case typed.Const():
                return
            case _:
                yield from self.side(e, env, depth)

    def _logic(self, e: typed.Logic, value: bool, env: Env, depth: int) -> Iterator[Reason]:
        if e.op == "implies":
            if not value:
                yield from self.truth(e.operands[0], env, depth)
            yield from self.truth(e.operands[1], env, depth)
            return
        decisive = (e.op == "or") == value
        for operand in e.operands:
            if not decisive or bool(meaning(operand)(env)) == value:
                yield from self.truth(operand, env, depth)
                if decisive:
                    return

    def _over(self, e: typed.Over, value: bool, env: Env, depth: int) -> Iterator[Reason]:
        for position, element in enumerate(meaning(e.operand)(env)):
            inner = {**env, e.variable: element, PATH: f"{env[PATH]}{position}/"}
            if e.index is not None:
                inner[e.index] = position
            if bool(meaning(e.body)(inner)) == value:
                where = f"{e.variable} = {_text(e.operand)}[{position}]"
                yield Reason(where, show_value(element, e.operand.type.element), "", "", depth)  # type: ignore[union-attr]
                yield from self.truth(e.body, inner, depth + 1)
                return

    def _relation(self, e: typed.Equal | typed.Less | typed.Within, env: Env, depth: int) -> Iterator[Reason]:
        names = list(_differing(e, meaning(e.left)(env), meaning(e.right)(env)))
        yield from self.side(e.left, env, depth, names)
        yield from self.side(e.right, env, depth, names)
        if names:
            verb = "granted on the left only" if isinstance(e, typed.Within) else "different"
            said = " and ".join(f"`{name}`" for name in names)
            yield Reason(f"{said} {'is' if len(names) == 1 else 'are'} {verb}", "", "", "", depth)

    def side(self, e: typed.Expr, env: Env, depth: int, deciding: Sequence[str] = ()) -> Iterator[Reason]:
        """The value of one side, of a long record what is `deciding`, and the clauses that hold in its definition."""
        if isinstance(e, typed.Const):
            return
        value = cast(Value, meaning(e)(env))
        shown = _shown(e, value, deciding)
        if not isinstance(e, typed.Call):
            yield Reason(_text(e), shown, "", "", depth, named(value, e.type))
            for call in _calls(e):
                yield from self._fired(call, env, depth + 1)
            for name in _names(e):
                if name in self.bound:
                    yield from self.side(*self.bound[name], depth + 1)
            return
        function = e.function
        yield Reason(_text(e), shown, function.span.place, _cite(function.cites), depth, named(value, e.type))
        yield from self._fired(e, env, depth + 1)

    def _fired(self, e: typed.Call, env: Env, depth: int) -> Iterator[Reason]:
        """The clauses that hold in the rules that `e` evaluates, those of `e` itself first."""
        inner: Env = {
            param.name: meaning(argument)(env) for param, argument in zip(e.function.params, e.arguments, strict=True)
        }
        inner[CHOOSER] = env[CHOOSER]
        inner[PATH] = f"{env[PATH]}{e.function.name}@{e.span.start}/"
        body = e.function.body
        if isinstance(body, typed.RuleBody):
            for clause in body.clauses:
                if meaning(clause.condition)(inner) == (body.op == "or"):
                    yield _clause(e, clause, inner, depth)
                    for call in self._taken(clause.condition, inner):
                        yield from self._fired(*call, depth + 1)
        else:
            for call in self._taken(body, inner):
                yield from self._fired(*call, depth)

    def _taken(self, e: typed.Expr, env: Env) -> Iterator[tuple[typed.Call, Env]]:
        """The calls that evaluating `e` makes, branches not taken left out."""
        match e:
            case typed.Call():
                yield e, env
            case typed.If():
                yield from self._taken(e.condition, env)
                yield from self._taken(e.then if meaning(e.condition)(env) else e.otherwise, env)
            case typed.Let():
                yield from self._taken(e.value, env)
                yield from self._taken(e.body, {**env, e.name: meaning(e.value)(env)})
            case typed.Over():
                yield from self._taken(e.operand, env)
                for position, element in enumerate(meaning(e.operand)(env)):
                    inner = {**env, e.variable: element, PATH: f"{env[PATH]}{position}/"}
                    if e.index is not None:
                        inner[e.index] = position
                    yield from self._taken(e.body, inner)
                    if e.kind == "until" and meaning(e.body)(inner):
                        return
            case _:
                for part in parts_of(e):
                    yield from self._taken(part, env)


def _differing(e: typed.Equal | typed.Less | typed.Within, left: Value, right: Value) -> Iterator[str]:
    """The fields in which the two sides of a comparison differ; those of the left one that the right one lacks."""
    match e.left.type:
        case Layout() as kind:
            both = cast(int, left), cast(int, right)
            extra = both[0] & ~both[1] if isinstance(e, typed.Within) else both[0] ^ both[1]
            yield from (field.name for field in kind.fields if extra & field.mask)
        case Record() as kind:
            parts = zip(kind.fields, cast("tuple[Value, ...]", left), cast("tuple[Value, ...]", right), strict=True)
            yield from (field.name for field, one, other in parts if one != other)
        case _:
            return


def _shown(e: typed.Expr, value: Value, deciding: Sequence[str]) -> str:
    """A value; of a long record the fields that decide, or that `with` gives it, or that are not 0."""
    text, kind = show_value(value, e.type), e.type
    if len(text) <= LONGEST or not isinstance(kind, Record):
        return text
    given = [
        field.name for field, part in zip(kind.fields, _made(e), strict=False) if not isinstance(part, typed.GetField)
    ]
    parts = zip(kind.fields, cast("tuple[Value, ...]", value), strict=True)
    return show_part(
        value, kind, deciding or given or [field.name for field, part in parts if part != zero(field.kind)]
    )


def _made(e: typed.Expr) -> tuple[typed.Expr, ...]:
    """The fields of a record that is another one but for some of them: those are no fields of the other."""
    return e.body.fields if isinstance(e, typed.Let) and isinstance(e.body, typed.MakeRecord) else ()


def _clause(e: typed.Call, clause: typed.Clause, env: Env, depth: int) -> Reason:
    """The clause of a rule, with those of the rule's arguments that are short."""
    function = e.function
    shown = (_brief(cast(Value, env[param.name]), param.type) for param in function.params)
    arguments = ", ".join(text for text in shown if text)
    holds = isinstance(function.body, typed.RuleBody) and function.body.op == "or"
    name = f"{function.short_name}({arguments}): {clause.name}"
    return Reason(name, show_value(holds, BOOL), clause.span.place, _cite(clause.cites or function.cites), depth)


def _brief(value: Value, kind: Type) -> str:
    """A member's name, a bitfield's set fields, a record of a few such; empty for everything else."""
    match kind:
        case Enum():
            return show_value(value, kind)
        case Layout():
            return " ".join(name.removesuffix(": true") for name in set_fields(cast(int, value), kind)) or "0"
        case Record() if len(kind.fields) <= 2:
            parts = cast("tuple[Value, ...]", value)
            return " ".join(_brief(part, field.kind) for part, field in zip(parts, kind.fields, strict=True))
        case _:
            return ""


def _calls(e: typed.Expr) -> Iterator[typed.Call]:
    for part in parts_of(e):
        if isinstance(part, typed.Call):
            yield part
        else:
            yield from _calls(part)


def _names(e: typed.Expr) -> Iterator[str]:
    if isinstance(e, typed.Var):
        yield e.name
    for part in parts_of(e):
        yield from _names(part)


def parts_of(e: typed.Expr) -> tuple[typed.Expr, ...]:
    """The direct sub-expressions that are evaluated in the same environment."""
    match e:
        case typed.Const() | typed.Var() | typed.Choice() | typed.Let() | typed.If() | typed.Over():
            return ()
        case typed.Not() | typed.Invert() | typed.Extract() | typed.Extend() | typed.Retype():
            return (e.operand,)
        case typed.GetField() | typed.Element() | typed.Last() | typed.Length():
            return (e.operand,)
        case typed.Logic() | typed.Arithmetic() | typed.Concat():
            return e.operands
        case typed.Equal() | typed.Less() | typed.Within():
            return (e.left, e.right)
        case typed.SetFields():
            return (*(() if e.base is None else (e.base,)), *(value for _, value in e.fields))
        case typed.MakeRecord():
            return e.fields
        case typed.Call():
            return e.arguments
        case typed.MakeList():
            return e.items
