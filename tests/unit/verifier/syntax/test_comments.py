"""Comments survive formatting, wherever they stand."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from verifier.source import Source
from verifier.syntax.comments import find_comments
from verifier.syntax.format import format_source

ROOT = Path(__file__).parents[4]
SPECIFICATIONS = sorted(path for folder in ("specs", "proofs") for path in (ROOT / folder).rglob("*.slat"))
TOKEN = re.compile(r'"[^"\n]*"|//[^\n]*|[A-Za-z0-9_.]+|\s+|&&|\|\||[=!<>]=|<<|>>|\+\+|->|.')


def with_comments(text: str, chance: random.Random) -> str:
    """The text with comments between some of its words, at line ends and on lines of their own."""
    tokens = [match.group() for match in TOKEN.finditer(text)]
    places = set(chance.sample(range(len(tokens)), 6))
    made: list[str] = []
    for i, token in enumerate(tokens):
        if i in places:
            made.append(chance.choice([f"  // {i}\n", f"\n// {i}\n", f"\n\n  // {i}\n\n", f"\n// {i}a\n// {i}b\n"]))
        made.append(token)
    return "".join(made)


@pytest.mark.parametrize("seed", range(12))
def test_comments_between_any_two_words_are_kept_and_a_second_run_changes_nothing(seed):
    print(f"seed {seed}")
    chance = random.Random(seed)
    for path in chance.sample(SPECIFICATIONS, 5):
        source = Source(path.name, with_comments(path.read_text(), chance))
        once = format_source(source)
        assert sorted(c.text for c in find_comments(Source("", once))) == sorted(c.text for c in find_comments(source))
        assert format_source(Source(path.name, once)) == once


def test_comments_at_every_place_of_an_amendment_are_kept():
    head = 'patch p on old per LINUX "x"\n\namend m.n seen\n\n'
    text = head + 'replace const A: bool = true\nunavailable b "nobody has it"\n'
    tokens = [match.group() for match in TOKEN.finditer(text)]
    for i in range(len(tokens) + 1):
        for comment in ("  // c\n", "\n// c\n"):
            source = Source("p.slat", "".join([*tokens[:i], comment, *tokens[i:]]))
            assert format_source(source).count("// c") == 1


def test_slashes_in_a_string_are_no_comment():
    source = Source("x", 'module x // one\nfn f() -> bool "// none" = true // two\n')
    assert [comment.text for comment in find_comments(source)] == ["// one", "// two"]


def test_a_comment_in_an_empty_block_moves_above_the_construct():
    text = "module x\n\nfn f() -> Entry\n  = Entry {\n      // nothing is set\n    }\n"
    wanted = "module x\n\nfn f() -> Entry\n  // nothing is set\n  = Entry {}\n"
    assert format_source(Source("x", text)) == wanted


def test_two_comments_for_one_line_do_not_become_one():
    text = "module x\n\nfn f(a: bool) -> bool\n  = !( // one\n      ! // two\n      a)\n"
    assert len(find_comments(Source("x", format_source(Source("x", text))))) == 2


def test_empty_lines_around_a_section_heading_are_kept():
    text = "module x\n\nconst A: bool = true\n\n// ---- more\n\nconst B: bool = true\nconst C: bool = true\n"
    assert format_source(Source("x", text)) == text


def test_comments_at_the_ends_of_neighbouring_lines_are_aligned():
    arms = "case true : false // a\n      case false : true // b"
    text = f"module x\n\nfn f(b: bool) -> bool\n  = match (b) {{\n      {arms}\n    }}\n"
    formatted = format_source(Source("x", text)).splitlines()
    assert formatted[4].index("//") == formatted[5].index("//")
