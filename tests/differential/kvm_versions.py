"""KVM on both sides: a version of the specifications and of models/kvm, and calls in terms that both have.

A function of the specifications takes shadow masks, MMUs and vCPUs. What they are follows from a host and from what L1
selects, so a comparison starts from those two, and each side works out the rest by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

from spec_side import library

from models.kvm import VERSIONS, Version
from verifier.core.interpret import apply
from verifier.names.series import Version as SeriesVersion
from verifier.types import typed
from verifier.types.kinds import BOOL, Record, Type

HOST, L1 = "kvm.host.KvmHost", "sdm.ept.controls.EptControls"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Side:
    """A version of KVM. `functions` are those of the specifications, by the last part of their names."""

    name: str
    model: Version
    checked: typed.Checked
    functions: dict[str, typed.Function]

    def call(self, name: str, *arguments: Any) -> Any:
        """The value of the specifications' function."""
        return apply(self.functions[name], arguments)

    def type(self, name: str) -> Type:
        """The type of that qualified name."""
        return self.checked.types[name]

    def record(self, name: str) -> Record:
        """The record type of that qualified name."""
        kind = self.type(name)
        assert isinstance(kind, Record)
        return kind


@cache
def side(name: str) -> Side:
    """The version of that name."""
    checked = library().load(SeriesVersion(name)).checked
    functions = [f for f in checked.functions.values() if f.name.startswith("kvm.") and f.params]
    by_name = {function.short_name: function for function in functions}
    assert len(by_name) == len(functions)
    return Side(name, VERSIONS[name], checked, by_name)


@lru_cache(maxsize=10_000)
def view(kind: Record, value: tuple[Any, ...]) -> SimpleNamespace:
    """A record's fields by name."""
    return SimpleNamespace(**{field.name: part for field, part in zip(kind.fields, value, strict=True)})


def plain(param: typed.Param) -> str:
    """The name of a parameter, whether the function looks at it or not."""
    return param.name.lstrip("_")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compared:
    """A function with other parameters: `inputs`, from which its own follow."""

    function: typed.Function
    inputs: dict[str, Type]

    def value(self, values: tuple[Any, ...]) -> Any:
        """Its value, by the interpreter."""
        return apply(self.function, values)


def compared(one: Side, name: str, inputs: tuple[str, ...]) -> Compared:
    """The function, as one of these inputs: its own parameters, `host`, `l1`, and `npt` for masks other than EPT's."""
    function = one.functions[name]
    own = {plain(param): param.type for param in function.params}
    known = own | {"host": own.get("host", one.type(HOST)), "l1": one.type(L1), "npt": BOOL}
    types = {given: known[given] for given in inputs}
    params = tuple(typed.Param(given, kind) for given, kind in types.items())
    given = {param.name: typed.Var(param.name, param.type, function.span) for param in params}
    derive = _Derivation(one, given, function)
    bound = [(param.name, derive.value(plain(param), param.type)) for param in function.params]
    lets = [(called, value) for called, value in bound if not (isinstance(value, typed.Var) and value.name == called)]
    wrapper = typed.Function(
        name=f"compared.{function.name}",
        kind=function.kind,
        params=params,
        result=function.result,
        body=_within(lets, function),
        cites=(),
        doc="",
        reading="",
        span=function.span,
        chooses=True,
    )
    return Compared(wrapper, types)


def _within(lets: list[tuple[str, typed.Expr]], function: typed.Function) -> typed.Expr | typed.RuleBody:
    """The function's body where its parameters have these values."""

    def bind(body: typed.Expr) -> typed.Expr:
        for name, value in reversed(lets):
            body = typed.Let(name, value, body, body.type, body.span)
        return body

    if not isinstance(function.body, typed.RuleBody):
        return bind(function.body)
    clauses = (typed.Clause(c.name, bind(c.condition), c.cites, c.span) for c in function.body.clauses)
    return typed.RuleBody(function.body.op, tuple(clauses))


@dataclass(frozen=True, slots=True)
class _Derivation:
    """How the parameters of a function follow from what is given."""

    one: Side
    given: dict[str, typed.Expr]
    function: typed.Function

    def value(self, name: str, kind: Type) -> typed.Expr:
        if name in self.given:
            return self.given[name]
        span = self.function.span
        match name:
            case "masks" if "npt" in self.given:
                other = self._constant("kvm.spte.kvm_mmu_reset_all_pte_masks")
                return typed.If(self.given["npt"], other, self._call("kvm_mmu_set_ept_masks", "host"), kind, span)
            case "masks":
                return self._call("kvm_mmu_set_ept_masks", "host")
            case "vcpu":
                return self._call("l2_vcpu", "host", "l1")
            case "mmu":
                vcpu = self._call("l2_vcpu", "host", "l1")
                assert isinstance(vcpu.type, Record)
                return typed.GetField(vcpu, vcpu.type.position("mmu"), kind, span)
            case "l1":
                walk = self.given["ept12"]
                return typed.GetField(walk, 0, self.one.type(L1), span)
            case _:
                raise AssertionError(f"{self.function.name}: nothing says what {name} is")

    def _call(self, name: str, *arguments: str) -> typed.Call:
        function = self.one.functions[name]
        values = tuple(self.value(word, self.one.type(L1)) for word in arguments)
        return typed.Call(function, values, function.result, self.function.span)

    def _constant(self, name: str) -> typed.Call:
        function = self.one.checked.functions[name]
        return typed.Call(function, (), function.result, self.function.span)
