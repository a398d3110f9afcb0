"""Documents and where their lines end."""

from __future__ import annotations

from verifier.syntax.layout import Align, Fill, Group, Hard, Line, Nest, Pad, Remark, flat, hang, join, render


def test_a_group_stays_on_one_line_if_it_fits_with_what_follows():
    doc = (Group(("(", Nest(2, (Line(""), "abc", Line(), "def")), Line(""), ")")), ";")
    assert render(doc, 10) == "(abc def);\n"
    assert render(doc, 9) == "(\n  abc\n  def\n);\n"


def test_a_hard_end_breaks_every_group_around_it():
    assert render(Group(("a", Line(), Group(("b", Hard(), "c"))))) == "a\nb\nc\n"


def test_a_fill_ends_lines_only_where_the_next_item_would_not_fit():
    items = tuple(("" if i == 0 else (",", Line()), "abc") for i in range(5))
    assert render(Nest(2, Fill(items, 0)), 12) == "abc, abc,\n  abc, abc,\n  abc\n"


def test_an_item_that_fits_nowhere_stays_and_breaks_inside():
    wide = Group(("(", Nest(2, (Line(""), "abcdefgh", Line(), "abcdefgh")), Line(""), ")"))
    assert render(("x =", hang(wide)), 12) == "x = (\n  abcdefgh\n  abcdefgh\n)\n"


def test_an_item_that_fits_below_goes_below():
    assert render(("name =", hang("abcdefgh")), 12) == "name =\n  abcdefgh\n"


def test_alignment_is_to_the_column_of_the_document():
    assert render(("abc ", Align(("d", Hard(), "e")))) == "abc d\n    e\n"


def test_columns_are_padded_only_in_broken_groups():
    doc = Group(("a", Pad(3), "b", Line(), "c"))
    assert render(doc) == "ab c\n"
    assert render(doc, 3) == "a   b\nc\n"


def test_a_remark_waits_for_the_end_of_its_line_and_neighbours_are_aligned():
    doc = ("a", Remark("// 1"), ", b", Hard(), "long", Remark("// 2"), Hard(), "c")
    assert render(doc) == "a, b  // 1\nlong  // 2\nc\n"


def test_of_two_remarks_on_a_line_the_first_goes_above():
    assert render(Nest(2, (Hard(), "a", Remark("// 1"), "b", Remark("// 2")))) == "\n  // 1\n  ab  // 2\n"


def test_a_document_with_a_hard_end_has_no_flat_text():
    assert flat(("a", Line(), "b", Line(""), "c")) == "a bc"
    assert flat(("a", Hard())) is None


def test_documents_are_joined_with_a_separator_between_them():
    assert join(", ", []) == ()
    assert flat(join(", ", ["a", "b"])) == "a, b"
