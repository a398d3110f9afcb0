"""What the parts of a function's value follow from, as formulas over its parameters.

In: a function that gives a bitfield, or a record of them; values for some of its inputs. Out: a text for each field.
Guarantee: the text is the function's own definition, calls replaced by what they say and constants folded.
Trusted: no, checked by tests/unit/verifier/tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from verifier.core.show import set_fields, show_number, show_value
from verifier.smt import terms
from verifier.smt.symbolic import Leaf, Symbolic, scalar, unknown
from verifier.smt.symbolize import Symbolizer
from verifier.smt.terms import Term
from verifier.tables.bits import position
from verifier.tables.version import parameter
from verifier.types import typed
from verifier.types.kinds import Bool, Layout, LayoutField, Record, Type


class _Inlining(Symbolizer):
    """Puts what a function says in the place of a call."""

    def _named(self, owner: str, term: Term, inlined: frozenset[str]) -> Term:
        del owner, inlined
        return term


@dataclass(frozen=True, slots=True)
class Derived:
    """A function's value over its inputs, by name."""

    value: Symbolic
    result: Type
    inputs: Mapping[str, Type]


def derive(function: typed.Function, given: Mapping[str, int]) -> Derived:
    """The value where inputs (parameters, or fields of a parameter) have the values in `given`."""
    leaves: list[Leaf] = []
    env = {p.name: _fixed(unknown(p.type, parameter(p), leaves, []), p.type, given) for p in function.params}
    assert not isinstance(function.body, typed.RuleBody)
    value, _ = _Inlining().root(function.body, env)
    return Derived(value, function.result, {leaf.name: leaf.kind for leaf in leaves})


def _fixed(value: Symbolic, kind: Type, given: Mapping[str, int]) -> Symbolic:
    """The value with those truth values that are known."""
    if isinstance(kind, Record) and isinstance(value, tuple):
        return tuple(
            terms.boolean(given[f.name]) if f.name in given else _fixed(part, f.kind, given)
            for part, f in zip(value, kind.fields, strict=True)
        )
    return value


def texts(derived: Derived, path: str = "") -> dict[str, str]:
    """What each field of the result, or of its part `path`, follows from; `0` for one that is never set."""
    kind, value = derived.result, derived.value
    for name in filter(None, path.split(".")):
        assert isinstance(kind, Record)
        index = kind.position(name)
        kind, value = kind.fields[index].kind, cast("tuple[Symbolic, ...]", value)[index]
    assert isinstance(kind, Layout)
    return {field.name: _field(scalar(value), field, derived.inputs) for field in kind.fields}


def _field(word: Term, field: LayoutField, inputs: Mapping[str, Type]) -> str:
    part = terms.extract(word, field.high, field.low)
    if isinstance(field.kind, Bool):
        return _truth(terms.bit(part, 0), inputs)
    return _number(part, field.kind, inputs)


def _number(term: Term, kind: Type, inputs: Mapping[str, Type]) -> str:
    """A number, in the words of its type."""
    match term.op:
        case "const" if isinstance(kind, Layout):
            return " ".join(name.removesuffix(": true") for name in set_fields(term.constant, kind)) or "0"
        case "const":
            return show_value(term.constant, kind)
        case "ite":
            return ", else ".join(
                _number(value, kind, inputs)
                + (f" if {_truth(condition, inputs)}" if condition is not terms.TRUE else "")
                for value, condition in _cases(term)
            )
        case _:
            return _word(term, inputs)


def _cases(term: Term) -> Iterator[tuple[Term, Term]]:
    """The values of a choice, each with its condition; the first that holds counts."""
    if term.op != "ite":
        yield term, terms.TRUE
        return
    condition, then, otherwise = term.args
    yield from ((value, terms.conjunction((condition, further))) for value, further in _cases(then))
    yield from _cases(otherwise)


def _word(term: Term, inputs: Mapping[str, Type]) -> str:
    """Bits of an input by the name of the input or of the field; anything else by its operator."""
    if term.op == "const":
        return show_number(term.constant, term.width)
    if term.op == "var":
        return str(term.value).rsplit(".", 1)[-1]
    if term.op == "extract" and term.args[0].op == "var":
        high, low = term.slice
        name, kind = str(term.args[0].value), inputs[str(term.args[0].value)]
        fields = kind.fields if isinstance(kind, Layout) else ()
        found = next((f.name for f in fields if (f.high, f.low) == (high, low)), None)
        return found or f"{name.rsplit('.', 1)[-1]}[{position(high, low)}]"
    return f"{term.op}({', '.join(_truth(a, inputs) if a.width == 0 else _word(a, inputs) for a in term.args)})"


def _truth(term: Term, inputs: Mapping[str, Type]) -> str:
    """A truth value in the operators of the language."""
    match term.op:
        case "const":
            return str(term.constant)
        case "not" if term.args[0].op == "=" and term.args[0].args[0].width > 1:
            return _equal(term.args[0], "!=", inputs)
        case "not":
            return f"!{_operand(term.args[0], inputs)}"
        case "and":
            return " && ".join(_operand(arg, inputs) for arg in term.args)
        case "or":
            return " || ".join(_operand(arg, inputs) for arg in term.args)
        case "=" if term.args[1].op == "const" and term.args[1].width == 1:
            return f"{'' if term.args[1].constant else '!'}{_word(term.args[0], inputs)}"
        case "=":
            return _equal(term, "==", inputs)
        case _:
            return _word(term, inputs)


def _equal(term: Term, operator: str, inputs: Mapping[str, Type]) -> str:
    left, right = term.args
    return f"{_word(left, inputs)} {operator} {_word(right, inputs)}"


def _operand(term: Term, inputs: Mapping[str, Type]) -> str:
    """The same in parentheses where it is joined with others."""
    shown = _truth(term, inputs)
    return f"({shown})" if term.op in ("and", "or") else shown
