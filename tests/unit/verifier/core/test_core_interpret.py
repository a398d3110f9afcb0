"""The interpreter, a construct at a time: the language's definition in examples."""

from __future__ import annotations

import pytest
from programs.written import checked

from verifier.core.interpret import apply
from verifier.core.values import Value

TYPES = """
enum E { A = 0, B = 2, C = 3 }
enum T { T0 = 0, T1 = 1, T2 = 2, T3 = 3 }
bits L : 8 { [7:6] t: T [5] f [3:1] n }
record R { l: L b: bool }
const K: bits(4) = 9
fn twice(x: bits(4)) -> bits(4) = x + x
rule small(x: bits(4)) = any of { zero: x == 0 one: x == 1 }
rule round(x: bits(4)) = all of { even: !x[0] not_zero: x != 0 }
"""

EXAMPLES: list[tuple[str, str, Value]] = [
    ("bits(8)", "0xa5", 0xA5),
    ("bits(8)", "[7, 5:4, 0]", 0xB1),
    ("bits(4)", "K + K", 2),
    ("bits(4)", "twice(K) - 3", 15),
    ("bits(4)", "K & 12 ", 8),
    ("bits(4)", "K | 6 | 1", 15),
    ("bits(4)", "K ^ 15 ^ 1", 7),
    ("bits(4)", "~K", 6),
    ("bits(4)", "K << 1", 2),
    ("bits(4)", "K >> 3", 1),
    ("bits(4)", "K << K", 0),
    ("bits(4)", "K >> K", 0),
    ("bits(6)", "K ++ true ++ false", 0b100110),
    ("bits(2)", "K[3:2]", 2),
    ("bool", "K[3] && !K[2]", True),
    ("bits(6)", "extend(K, 6)", 9),
    ("bits(6)", "sign_extend(K, 6)", 57),
    ("bits(3)", "sign_extend(true, 3)", 7),
    ("bool", "K < 10 && K <= 9 && K > 8 && K >= 9", True),
    ("bool", "K < 9 || K > 9", False),
    ("bool", "1 within K", True),
    ("bool", "K within 8", False),
    ("bool", "K in {1, 9}", True),
    ("bool", "B > A && E.C != B", True),
    ("bits(2)", "E.C.raw", 3),
    ("T", "T(2)", 2),
    ("L", "L { t: T3, n: 5 }", 0xCA),
    ("L", "L(0xff) with { f: false, t: T1 }", 0x5F),
    ("bits(8)", "(L { f: true } | L { n: 1 }).raw", 0x22),
    ("T", "L(0x80).t", 2),
    ("R", "R { b: true, l: L(3) }", (3, True)),
    ("R", "R { b: true, l: L(3) } with { b: false }", (3, False)),
    ("bits(8)", "(R { b: true, l: L(3) }).l.raw", 3),
    ("bool[2]", "list(true, false)", (True, False)),
    ("bits(4)", "last(list(K, 2, 3))", 3),
    ("bits(4)", "list(K, 2)[0]", 9),
    ("bits(2)", "length(list(K, 2, 3))", 3),
    ("bits(4)[1..3]", "until(e in list(K, 3, 5): e < 4)", (9, 3)),
    ("bits(4)[1..3]", "until(e in list(K, 3, 5): e == 0)", (9, 3, 5)),
    ("bits(4)[1..3]", "until(e at i in list(K, 3, 5): i == 0)", (9,)),
    ("bits(4)", "meet(e in list(K, 3): e)", 1),
    ("bits(4)", "meet(e in until(e in list(K, 3): e == 9): ~e)", 6),
    ("bool", "meet(e in list(K, 3): e[0])", True),
    ("bool", "all(e at i in list(K, 3): e[0] && i < 2)", True),
    ("bool", "any(e at i in list(K, 3): e == 3 && i == 0)", False),
    ("bits(4)", "let x = K; let y: bits(4) = 1; x + y", 10),
    ("bits(4)", "if K == 9 then 1 else 2", 1),
    ("bits(4)", "match (K[1:0], B) { case 1, A : 1 case 1, B | C : 2 case 0 | 2 | 3, _ : 3 }", 2),
    ("bits(4)", "match (E.C) { case A : 1 case _ : 7 }", 7),
    ("bool", "false implies false", True),
    ("bool", "true implies false implies false", True),
    ("bool", "small(1) && !small(2) && round(2) && !round(0) && !round(3)", True),
]


@pytest.mark.parametrize(("kind", "text", "wanted"), EXAMPLES, ids=[text for _, text, _ in EXAMPLES])
def test_an_expression_has_this_value(kind: str, text: str, wanted: Value):
    function = checked(f"{TYPES}\nfn it(_p: bool) -> {kind} = {text}").functions["proofs.m.it"]
    found = apply(function, (False,))
    assert found == wanted
    assert type(found) is type(wanted)


def test_a_meet_over_no_elements_is_all_ones():
    functions = checked("fn m(xs: bits(5)[0..2]) -> bits(5) = meet(x in xs: x)\n"
                        "fn b(xs: bits(5)[0..2]) -> bool = meet(x in xs: x[0])").functions  # fmt: skip
    assert apply(functions["proofs.m.m"], ((),)) == 31
    assert apply(functions["proofs.m.b"], ((),)) is True


def test_and_or_and_implies_stop_at_the_first_operand_that_decides():
    def refuse(site: str, _kind: object) -> Value:
        raise AssertionError(site)

    text = "fn f(p: bool) -> bool = (p || undefined) && (!p implies undefined) && any(e in list(p, p): e || undefined)"
    assert apply(checked(text).functions["proofs.m.f"], (True,), refuse) is True
