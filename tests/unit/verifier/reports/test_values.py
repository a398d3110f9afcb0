"""The inputs of an example: one entry for the truth values of a record, and lines that fit."""

from __future__ import annotations

import pytest

from verifier.obligations.result import Example, Shown
from verifier.reports.values import Columns, value_lines

COLUMNS = Columns(2, 20, 50)


def lines(*values: tuple[str, str], columns: Columns = COLUMNS, others: int = 0) -> list[str]:
    """The lines of an example: names with what is shown of them; `others` do not matter."""
    shown = [Shown(name, text, text if text in ("true", "false") else "0x0", True) for name, text in values]
    shown += [Shown(f"other{n}", "0", "0x0", False) for n in range(others)]
    return list(value_lines(Example(tuple(shown), True, ("interpreter",), ()), columns))


def test_the_truth_values_of_a_record_share_an_entry_and_the_true_ones_come_first():
    found = lines(("a.b.x", "false"), ("a.b.y", "true"), ("a.b.z", "true"), ("n", "7"))
    assert found == [
        "  a.b               y z",
        "                    without x",
        "  n                 7",
    ]


@pytest.mark.parametrize("truth", ["true", "false"])
def test_a_truth_value_alone_in_its_record_stays_as_it_is(truth: str):
    assert lines(("a.x", truth), ("b.x", truth), ("c", truth)) == [
        f"  a.x               {truth}",
        f"  b.x               {truth}",
        f"  c                 {truth}",
    ]


def test_a_record_stands_where_its_first_truth_value_does_whatever_comes_between():
    found = lines(("a.x", "true"), ("a.address", "0x1"), ("b.x", "true"), ("a.y", "true"))
    assert found == [
        "  a                 x y",
        "  a.address         0x1",
        "  b.x               true",
    ]


def test_a_record_without_a_true_value_says_only_what_it_is_without():
    assert lines(("a.x", "false"), ("a.y", "false")) == ["  a                 without x y"]


def test_elements_of_a_list_are_records_of_their_own():
    found = lines(("k[0].x", "true"), ("k[0].y", "false"), ("k[1].x", "false"), ("k[1].y", "false"))
    assert found == ["  k[0]              x", "                    without y", "  k[1]              without x y"]


def test_many_truth_values_are_wrapped_below_one_another():
    found = lines(*((f"vmcs12.controls.flag_{n:02}", "false") for n in range(30)))
    assert found[0] == "  vmcs12.controls   without flag_00 flag_01"
    assert {line[:20] for line in found[1:]} == {" " * 20}
    assert " ".join(" ".join(found).split()[2:]) == " ".join(f"flag_{n:02}" for n in range(30))
    assert max(map(len, found)) <= COLUMNS.width


def test_what_has_no_room_beside_a_long_name_stands_below_it():
    assert lines(("a_very_long_name.of_something", "0x1234")) == ["  a_very_long_name.of_something 0x1234"]
    assert lines(("a_very_long_name.of_something", "red blue number=9 here")) == [
        "  a_very_long_name.of_something",
        "                    red blue number=9 here",
    ]


def test_no_line_is_wider_than_asked_for():
    found = lines(("n" * 200, "v" * 200), ("m.x", "true"), ("m." + "y" * 90, "true"))
    assert max(map(len, found)) <= COLUMNS.width


def test_what_does_not_matter_is_one_line_if_there_is_any():
    assert lines(("n", "7"), others=3)[-1] == "  anything else     does not matter"
    assert lines(("n", "7")) == ["  n                 7"]


def test_an_empty_value_leaves_no_blanks_behind():
    assert lines(("n", "")) == ["  n"]
