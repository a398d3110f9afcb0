"""Values: their leaves, and the words in which they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs.written import checked, numbers, values

from verifier.core.interpret import apply
from verifier.core.show import Named, named, show_value
from verifier.core.values import Value, assemble, leaves, zero
from verifier.smt.symbolic import Leaf, unknown
from verifier.types.kinds import Type

TYPES = checked("""
enum E { A = 1, B = 2, C = 3 }
enum T { T0 = 0, T1 = 1, T2 = 2, T3 = 3 }
bits L : 16 { [15:14] t: T [13] f [12:4] n [3:0] m: M }
bits M : 4 { [3] p [2:0] q }
bits G : 8 { [0] g }
record R { l: L b: bool e: E xs: bits(12)[1..3] rs: S[0..2] }
record S { y: bits(3) z: bool[2] }
fn e(x: E) -> E = x
fn l(x: L) -> L = x
fn r(x: R) -> R = x
fn xs(x: bits(12)[1..3]) -> bits(12)[1..3] = x
fn b(x: bool) -> bool = x
""")
KINDS: dict[str, Type] = {name: f.result for name, f in TYPES.functions.items()}


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.data())
def test_a_value_is_assembled_from_the_leaves_that_the_solver_is_given(data: st.DataObject):
    kind = KINDS["proofs.m.r"]
    value = data.draw(values(kind))
    symbols: list[Leaf] = []
    unknown(kind, "v", symbols, [])
    assert [leaf.name for leaf in symbols] == [name for name, _ in leaves(kind, "v")]
    assert assemble(kind, "v", numbers(symbols, {"v": (kind, value)})) == value


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.data())
@pytest.mark.parametrize("name", ["e", "l", "xs", "b"])
def test_what_is_shown_can_be_read_again(name: str, data: st.DataObject):
    kind = KINDS[f"proofs.m.{name}"]
    value = data.draw(values(kind))
    text = show_value(value, kind)
    again = checked(f"""
enum E {{ A = 1, B = 2, C = 3 }}
enum T {{ T0 = 0, T1 = 1, T2 = 2, T3 = 3 }}
bits L : 16 {{ [15:14] t: T [13] f [12:4] n [3:0] m: M }}
bits M : 4 {{ [3] p [2:0] q }}
fn it(_p: bool) -> {kind} = {text}""").functions["proofs.m.it"]
    assert apply(again, (False,)) == value


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("l", 0, "L { }"),
        ("l", 0xA00F, "L { t: T2, f: true, m: M { p: true, q: 7 } }"),
        ("xs", (10, 4095), "list(0xa, 0xfff)"),
        ("e", 2, "B"),
        ("b", True, "true"),
    ],
)
def test_flags_have_names_long_numbers_are_hexadecimal_and_short_ones_decimal(name: str, value: Value, shown: str):
    assert show_value(value, KINDS[f"proofs.m.{name}"]) == shown


def test_a_bitfield_is_named_with_its_fields_that_are_not_0_and_the_bits_that_belong_to_none():
    fields = (("t", 14, 2), ("f", 13, 1), ("m", 0, 15))
    assert named(0xA00F, KINDS["proofs.m.l"]) == Named("proofs.m.L", fields)
    assert named(0x11, TYPES.types["proofs.m.G"]) == Named("proofs.m.G", (("g", 0, 1), ("", 0, 0x10)))
    assert named(2, KINDS["proofs.m.e"]) == named(True, KINDS["proofs.m.b"]) == Named("", ())


def test_the_least_value_is_one_of_its_type():
    assert zero(KINDS["proofs.m.r"]) == (0, False, 1, (0,), ())
