"""The definition of the language: what every construct means on values.

In: the typed core. Out: a function from an environment (names to values) to a value.
Guarantee: total on checked programs. `undefined` is asked of the environment's chooser, each evaluation anew; an
evaluation is named by its site and the calls and list positions that led to it.
Trusted: yes, it is the definition; the compiler to terms is tested against it on generated programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from verifier.core.values import Value
from verifier.types import typed
from verifier.types.kinds import Bits, Bool, Enum, Layout, Type

Env = dict[str, Any]
Meaning = Callable[[Env], Any]
Chooser = Callable[[str, Type], Value]

PATH = "#path"
CHOOSER = "#chooser"


def all_zero(site: str, kind: Type) -> Value:
    """The chooser that takes 0 or false everywhere."""
    del site
    return False if isinstance(kind, Bool) else 0


def evaluate(expression: typed.Expr, env: Mapping[str, Value], choose: Chooser = all_zero) -> Value:
    """The value of `expression` where names have the values of `env`."""
    return meaning(expression)({**env, PATH: "", CHOOSER: choose})


def apply(function: typed.Function, arguments: tuple[Value, ...], choose: Chooser = all_zero) -> Value:
    """The value of a function at `arguments`."""
    names = (param.name for param in function.params)
    env = dict(zip(names, arguments, strict=True))
    return body_meaning(function)({**env, PATH: "", CHOOSER: choose})


_bodies: dict[typed.Function, Meaning] = {}


def body_meaning(function: typed.Function) -> Meaning:
    """The meaning of a function's body in an environment of its parameters."""
    made = _bodies.get(function)
    if made is None:
        made = _rule(function.body) if isinstance(function.body, typed.RuleBody) else meaning(function.body)
        _bodies[function] = made
    return made


def _rule(body: typed.RuleBody) -> Meaning:
    return _logic(body.op, [meaning(clause.condition) for clause in body.clauses])


def _logic(op: str, parts: list[Meaning]) -> Meaning:
    if len(parts) == 2:
        first, second = parts
        match op:
            case "and":
                return lambda env: first(env) and second(env)
            case "or":
                return lambda env: first(env) or second(env)
            case _:
                return lambda env: not first(env) or second(env)
    if op == "and":
        return lambda env: all(part(env) for part in parts)
    return lambda env: any(part(env) for part in parts)


def meaning(e: typed.Expr) -> Meaning:  # noqa: C901
    """The function from environments to the value of `e`."""
    match e:
        case typed.Const():
            value = e.value
            return lambda env: value
        case typed.Var():
            name = e.name
            return lambda env: env[name]
        case typed.Choice():
            site, kind = e.site, e.type
            return lambda env: env[CHOOSER](f"{env[PATH]}{site}", kind)
        case typed.Let():
            return _let(e)
        case typed.If():
            condition, then, otherwise = meaning(e.condition), meaning(e.then), meaning(e.otherwise)
            return lambda env: then(env) if condition(env) else otherwise(env)
        case typed.Not():
            operand = meaning(e.operand)
            return lambda env: not operand(env)
        case typed.Logic():
            return _logic(e.op, [meaning(o) for o in e.operands])
        case typed.Equal():
            left, right = meaning(e.left), meaning(e.right)
            return lambda env: left(env) == right(env)
        case typed.Less():
            left, right = meaning(e.left), meaning(e.right)
            if e.or_equal:
                return lambda env: left(env) <= right(env)
            return lambda env: left(env) < right(env)
        case typed.Within():
            left, right = meaning(e.left), meaning(e.right)
            return lambda env: left(env) & ~right(env) == 0
        case typed.Arithmetic() | typed.Invert() | typed.Extract() | typed.Concat() | typed.Extend():
            return _bits(e)
        case typed.Retype():
            operand = meaning(e.operand)
            if isinstance(e.operand.type, Bool):
                return lambda env: int(operand(env))
            return operand
        case typed.SetFields():
            return _set_fields(e)
        case typed.MakeRecord():
            fields = [meaning(f) for f in e.fields]
            return lambda env: tuple([f(env) for f in fields])
        case typed.GetField() | typed.Element():
            operand, position = meaning(e.operand), e.position
            return lambda env: operand(env)[position]
        case typed.Call():
            return _call(e)
        case typed.MakeList():
            items = [meaning(i) for i in e.items]
            return lambda env: tuple([i(env) for i in items])
        case typed.Last():
            operand = meaning(e.operand)
            return lambda env: operand(env)[-1]
        case typed.Length():
            operand = meaning(e.operand)
            return lambda env: len(operand(env))
        case typed.Over():
            return _over(e)


def _let(e: typed.Let) -> Meaning:
    name, value, body = e.name, meaning(e.value), meaning(e.body)

    def run(env: Env) -> Any:
        env[name] = value(env)
        return body(env)

    return run


def _width(kind: Type) -> int:
    assert isinstance(kind, (Bits, Enum, Layout))
    return kind.width


def _bits(
    e: typed.Arithmetic | typed.Invert | typed.Extract | typed.Concat | typed.Extend,
) -> Meaning:
    match e:
        case typed.Arithmetic():
            return _arithmetic(e)
        case typed.Invert():
            operand, ones = meaning(e.operand), (1 << _width(e.type)) - 1
            return lambda env: operand(env) ^ ones
        case typed.Extract():
            operand, low = meaning(e.operand), e.low
            mask = (1 << (e.high - low + 1)) - 1
            if isinstance(e.type, Bool):
                return lambda env: bool(operand(env) >> low & 1)
            return lambda env: operand(env) >> low & mask
        case typed.Concat():
            parts = [(meaning(o), _width(o.type)) for o in e.operands]

            def concat(env: Env) -> int:
                value = 0
                for part, width in parts:
                    value = value << width | part(env)
                return value

            return concat
        case typed.Extend():
            operand, narrow, wide = meaning(e.operand), _width(e.operand.type), _width(e.type)
            if not e.signed:
                return operand
            sign, ones = 1 << (narrow - 1), (1 << wide) - (1 << narrow)
            return lambda env: value | ones if (value := operand(env)) & sign else value


def _arithmetic(e: typed.Arithmetic) -> Meaning:
    parts = [meaning(o) for o in e.operands]
    first, second = parts[0], parts[1]
    width = _width(e.type)
    ones = (1 << width) - 1
    match e.op, len(parts):
        case "&", 2:
            return lambda env: first(env) & second(env)
        case "|", 2:
            return lambda env: first(env) | second(env)
        case "^", 2:
            return lambda env: first(env) ^ second(env)
        case "-", _:
            return lambda env: (first(env) - second(env)) & ones
        case "<<", _:
            return lambda env: first(env) << n & ones if (n := second(env)) < width else 0
        case ">>", _:
            return lambda env: first(env) >> n if (n := second(env)) < width else 0
        case _:
            return _fold(e.op, parts, ones)


def _fold(op: str, parts: list[Meaning], ones: int) -> Meaning:
    def fold(env: Env) -> int:
        value = parts[0](env)
        for part in parts[1:]:
            other = part(env)
            match op:
                case "&":
                    value &= other
                case "|":
                    value |= other
                case "^":
                    value ^= other
                case _:
                    value = value + other & ones
        return value

    return fold


def _set_fields(e: typed.SetFields) -> Meaning:
    fields = [(meaning(value), field.low) for field, value in e.fields]
    cleared = ~sum(field.mask for field, _ in e.fields)
    base = None if e.base is None else meaning(e.base)

    def run(env: Env) -> int:
        value = 0 if base is None else base(env) & cleared
        for field, low in fields:
            value |= field(env) << low
        return value

    return run


def _call(e: typed.Call) -> Meaning:
    body = body_meaning(e.function)
    names = [param.name for param in e.function.params]
    arguments = [meaning(a) for a in e.arguments]
    chooses, step = e.function.chooses, f"{e.function.name}@{e.span.start}/"

    def run(env: Env) -> Any:
        inner: Env = {name: argument(env) for name, argument in zip(names, arguments, strict=True)}
        if chooses:
            inner[CHOOSER] = env[CHOOSER]
            inner[PATH] = env[PATH] + step
        return body(inner)

    return run


def _over(e: typed.Over) -> Meaning:
    each, at = meaning(e.operand), _at_element(e)
    match e.kind:
        case "all":
            return lambda env: all(at(env, i, element) for i, element in enumerate(each(env)))
        case "any":
            return lambda env: any(at(env, i, element) for i, element in enumerate(each(env)))
        case "meet":
            ones: Any = True if isinstance(e.type, Bool) else (1 << _width(e.type)) - 1

            def meet(env: Env) -> Any:
                value = ones
                for i, element in enumerate(each(env)):
                    value = value & at(env, i, element)
                return value

            return meet
        case _:

            def until(env: Env) -> Any:
                elements = each(env)
                end = next((i + 1 for i, element in enumerate(elements) if at(env, i, element)), len(elements))
                return elements[:end]

            return until


def _at_element(e: typed.Over) -> Callable[[Env, int, Any], Any]:
    """The body's value for one element; the path of an evaluation names the element's position."""
    body, variable, index = meaning(e.body), e.variable, e.index

    def at(env: Env, position: int, element: Any) -> Any:
        env[variable] = element
        if index is not None:
            env[index] = position
        outer = env.get(PATH)
        if outer is None:
            return body(env)
        env[PATH] = f"{outer}{position}/"
        result = body(env)
        env[PATH] = outer
        return result

    return at
