"""Owners of bits: found by changing one input at a time."""

from __future__ import annotations

from verifier.source import Source, Span
from verifier.tables.bits import position, positions, ranges
from verifier.tables.probe import Owner, named, probe
from verifier.types.kinds import BOOL, Enum, Layout, LayoutField, bits

SPAN = Span(Source("here", ""), 0, 0)
RIGHTS = Layout("m.Acc", 2, (LayoutField("r", 0, 0, BOOL, "", SPAN), LayoutField("x", 1, 1, BOOL, "", SPAN)), SPAN)
SIZE = Enum("m.Size", 2, (("SMALL", 1), ("BIG", 2)), SPAN)


def names(found: tuple[Owner, ...]) -> list[str]:
    return [owner.name for owner in found]


def test_each_bit_belongs_to_the_input_that_changes_it():
    def word(inputs):
        return inputs.get("acc", 0) << 4 | inputs.get("number", 0) << 8 | inputs.get("flag", 0)

    found = probe(word, [{}], {"acc": RIGHTS, "number": bits(4), "flag": BOOL})
    assert {bit: names(owners) for bit, owners in found.owners.items()} == {
        0: ["flag"], 4: ["r"], 5: ["x"], 8: ["number"], 9: ["number"], 10: ["number"], 11: ["number"],
    }  # fmt: skip
    assert (found.value, found.idle) == (0, ())
    assert named([found.owners[11], found.owners[8]]) == "number[3:0]"
    assert named([found.owners[4], found.owners[4]]) == "r"


def test_two_inputs_that_set_one_bit_both_own_it():
    found = probe(lambda i: i.get("a", 0) | i.get("b", 0), [{}], {"a": BOOL, "b": BOOL})
    assert names(found.first[0]) == ["a", "b"]


def test_what_takes_two_inputs_is_found_in_a_case_that_has_both_and_owned_by_none_in_the_first():
    found = probe(lambda i: i.get("a", 0) & i.get("b", 0), [{}, {"a": 1, "b": 1}], {"a": BOOL, "b": BOOL})
    assert found.first == {}
    assert names(found.owners[0]) == ["a", "b"]
    assert found.idle == ()


def test_an_input_that_changes_nothing_in_any_case_is_idle():
    found = probe(lambda i: i.get("a", 0), [{}, {"a": 1, "b": 1}], {"a": BOOL, "b": BOOL})
    assert names(found.idle) == ["b"]


def test_an_enum_takes_each_of_its_other_members():
    found = probe(lambda i: 1 << 7 if i["size"] == 2 else 0, [{"size": 1}], {"size": SIZE})
    assert {bit: names(owners) for bit, owners in found.owners.items()} == {7: ["size"]}


def test_ranges_are_runs_of_bits_from_the_top_down():
    assert list(ranges(8, lambda bit: bit >= 4)) == [(7, 4), (3, 0)]
    assert [position(7, 4), position(3, 3)] == ["7:4", "3"]
    assert positions(0b1011_0001) == ("7", "5:4", "0")
    assert positions(0) == ()
