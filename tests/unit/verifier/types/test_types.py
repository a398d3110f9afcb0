"""The type checker: what has which type, and that an error has no consequences."""

from __future__ import annotations

import pytest
from golden.cases import MANUALS

from verifier.diagnostics.model import Diagnosed
from verifier.names.manuals import read_manuals
from verifier.names.project import Project
from verifier.source import Source
from verifier.types import typed
from verifier.types.load import load
from verifier.types.patterns import MAX_ARMS, MAX_CASES


def check(text: str) -> tuple[dict[str, typed.Function], list[tuple[str, int]]]:
    """The functions of a module, and the code and line of everything that is wrong with it."""
    source = Source("draft.slat", f"module proofs.draft\n{text}")
    try:
        loaded = load(Project(None, (source,), read_manuals(MANUALS)))
    except Diagnosed as error:
        return {}, [(d.code, d.span.line) for d in error.diagnostics if d.span]
    functions = {function.short_name: function for function in loaded.checked.functions.values()}
    return functions, [(d.code, d.span.line) for d in loaded.warnings if d.span]


def body(text: str) -> typed.Expr:
    functions, found = check(text)
    assert found == []
    made = functions["f"].body
    assert not isinstance(made, typed.RuleBody)
    return made


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("x[7:0]", "bits(8)"),
        ("x[7]", "bool"),
        ("x ++ x[3:0]", "bits(68)"),
        ("b ++ b", "bits(2)"),
        ("extend(x, 65)", "bits(65)"),
        ("sign_extend(b, 2)", "bits(2)"),
        ("x + 1", "bits(64)"),
        ("1 + x", "bits(64)"),
        ("[5:3] | x", "bits(64)"),
        ("length(xs)", "bits(3)"),
        ("last(xs)", "E"),
        ("xs[0].memtype", "bits(3)"),
        ("xs[0].r", "bool"),
        ("xs[0].raw", "bits(64)"),
        ("until(e in xs: e.r)", "E[1..5]"),
        ("meet(e in xs: e)", "E"),
        ("meet(e in xs: e.r)", "bool"),
        ("list(b, b)", "bool[2]"),
        ("if b then list(x) else list(x, x)", "bits(64)[1..2]"),
        ("xs[0] with { r: b }", "E"),
        ("match (b) { case true : x case false : 0 }", "bits(64)"),
        ("all(e at i in xs: i == 4 || e.r)", "bool"),
        ("x in {1, 2}", "bool"),
        ("xs[0] within E(x)", "bool"),
        ("L(x[0:0]).raw", "bits(1)"),
    ],
)
def test_an_expression_has_this_type(expression, kind):
    context = "enum L { A = 0, B = 1 }\nbits E : 64 { [0] r  [5:3] memtype }"
    functions, found = check(
        f"{context}\nfn f(x: bits(64), b: bool, xs: E[1..5]) -> bool"
        f" = let value = {expression}; x == x && b == b && xs == xs"
    )
    assert found == []
    let = functions["f"].body
    assert isinstance(let, typed.Let)
    assert str(let.value.type) == kind


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "within"])
def test_a_number_takes_the_width_of_the_other_side(operator):
    for text in (f"x {operator} 5", f"5 {operator} x"):
        assert isinstance(body(f"fn f(x: bits(3)) -> bool = {text}"), typed.Expr)


def test_a_clause_with_an_error_does_not_disturb_the_names_of_the_next():
    text = """rule r(x: bits(4))
  = any of {
      one:    let y = x[9]; y
      two:    let y = x[0]; y
      three:  all(e in x: e)
      four:   all(e in list(x): e == x)
    }"""
    assert check(text)[1] == [("E203", 4), ("E213", 6)]


def test_an_assumption_with_an_error_does_not_disturb_the_others():
    text = "invariant i for x: bits(4)\n  assume x == y && x == 99\n  assume let z = x; z == 0\n  show let z = x[4]; z"
    assert check(text)[1] == [("E306", 3), ("E203", 3), ("E203", 5)]


def test_calls_may_go_as_deep_as_allowed_in_any_order():
    forwards = [f"fn f{i}(b: bool) -> bool = f{i + 1}(b)" for i in range(64)] + ["fn f64(b: bool) -> bool = b"]
    assert check("\n".join(forwards))[1] == []
    assert check("\n".join(reversed(forwards)))[1] == []


def test_types_may_contain_types_as_deep_as_allowed_in_any_order():
    for count, codes in ((64, []), (65, ["E206"])):
        records = [f"record R{i} {{ a: R{i + 1}[2] }}" for i in range(count - 1)] + [
            f"record R{count - 1} {{ a: bool }}"
        ]
        for order in (records, records[::-1]):
            assert [code for code, _ in check("\n".join(order))[1]] == codes


def test_a_match_has_as_many_arms_and_cases_as_allowed():
    arms = "\n".join(f"case {i} : true" for i in range(MAX_ARMS))
    assert check(f"fn f(n: bits(9)) -> bool = match (n) {{ {arms} case _ : false }}")[1] == []
    more = f"{arms}\ncase {MAX_ARMS} : true"
    assert check(f"fn f(n: bits(9)) -> bool = match (n) {{ {more} case _ : false }}")[1] == [("E206", 2)]
    flags = ", ".join(f"b{i}" for i in range(13))
    params = ", ".join(f"b{i}: bool" for i in range(13))
    assert MAX_CASES == 1 << 12
    row = ", ".join(["true"] * 13)
    text = f"fn f({params}) -> bool = match ({flags}) {{ case {row} : true case _ : false }}"
    assert check(text)[1] == [("E206", 2)]


def test_of_several_arms_that_cover_a_case_the_first_two_are_named():
    arms = "\n".join(f"case {pattern} : true" for pattern in ("true", "false", "true"))
    text = f"fn f(a: bool) -> bool = match (a) {{\n{arms}\n}}"
    assert check(text)[1] == [("E208", 5)]


def test_a_name_with_its_module_counts_as_a_use_of_the_module():
    one = Source("one.slat", "module proofs.one\nconst A: bits(4) = 1")
    two = Source("two.slat", "module proofs.two\nuse proofs.one\nfn f() -> bits(4) = proofs.one.A")
    loaded = load(Project(None, (one, two), read_manuals(MANUALS)))
    assert loaded.warnings == ()
