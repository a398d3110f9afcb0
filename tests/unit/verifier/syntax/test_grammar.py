"""The parser's tables and their cache."""

from __future__ import annotations

import re

import pytest

from verifier.syntax import grammar
from verifier.syntax.build import EXPRESSIONS, TYPES, Builder
from verifier.syntax.foreign import OPERATORS, WORDS


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    grammar.parser.cache_clear()
    yield tmp_path / "cache" / "slat"
    grammar.parser.cache_clear()


TEXT = 'module x.y fn f(a: bool, b: bits(4)[1..2]) -> bool per SDM "t" "doc" = let x = a; match (x) { case _ : !x }'


def test_the_grammar_has_no_conflict_and_its_cached_tables_read_the_same(cache):
    built = grammar.build()
    first, again = grammar.parser(), grammar.cache_file()
    assert again is not None
    assert again.parent == cache
    grammar.parser.cache_clear()
    loaded = grammar.parser()
    assert loaded is not first
    assert built.parse(TEXT, start="start") == loaded.parse(TEXT, start="start") == first.parse(TEXT, start="start")


def test_a_damaged_cache_is_built_anew(cache):
    cache.mkdir(parents=True)
    file = grammar.cache_file()
    assert file is not None
    file.write_bytes(b"damaged")
    assert grammar.parser().parse(TEXT, start="start")
    assert len(file.read_bytes()) > 1000


def test_a_cache_that_cannot_be_written_is_done_without(cache):
    cache.parent.mkdir()
    cache.write_text("a file where a directory should be")
    assert grammar.parser().parse(TEXT, start="start")
    assert cache.read_text() == "a file where a directory should be"


def test_every_production_has_its_method_and_every_listed_one_exists():
    origins = {str(rule.alias or rule.origin.name) for rule in grammar.parser().rules}
    made = {name for name in origins if not name.startswith("_")} - {"start"}
    inlined = {"decl", "type", "bit_type", "expr", "implication", "implication_tail", "logic", "relation"}
    inlined |= {"arithmetic", "unary", "postfix", "atom"}
    for name in made - inlined:
        assert callable(getattr(Builder, name, None)), name
    assert made >= EXPRESSIONS | TYPES


def test_no_operator_or_word_of_another_language_is_one_of_this():
    texts = {str(terminal.pattern.value) for terminal in grammar.parser().terminals}
    assert not texts & set(OPERATORS)
    assert not texts & set(WORDS)
    names = re.compile(grammar.parser().get_terminal("LOWER").pattern.to_regexp())
    assert all(names.fullmatch(word) for word in WORDS), "else the parser would not read it as a name"
