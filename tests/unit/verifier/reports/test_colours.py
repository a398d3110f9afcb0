"""Colours of the language, in Pygments and in Vim, against the parser's own tokens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from conformance.small import write
from lark import UnexpectedInput
from pygments.token import Error, Keyword, Name, Number, Operator, String, _TokenType

from verifier.reports.lexer import RESERVED, SlatLexer
from verifier.syntax import grammar

ROOT = Path(__file__).parents[4]
VIM = ROOT / "editors" / "vim"
FILES = sorted(p for top in ("specs", "proofs", "tests/golden") for p in (ROOT / top).rglob("*.slat") if p.is_file())
WORDS = {
    terminal.name: str(terminal.pattern.value)
    for terminal in grammar.parser().terminals
    if terminal.pattern.type == "str" and re.fullmatch("[a-z][a-z_]+", str(terminal.pattern.value))
}
"""The words of the language by terminal."""
Found = tuple[int, str, str]
"""Where a token of the parser begins, its terminal, and its text."""


@cache
def parsed(path: Path) -> list[Found]:
    """The parser's tokens of a file; none of one that does not parse."""
    try:
        tokens = list(grammar.parser().parse_interactive(read(path), start="start").iter_parse())
    except UnexpectedInput:
        return []
    return [(token.start_pos or 0, token.type, str(token)) for token in tokens]


@cache
def read(path: Path) -> str:
    """The text, with a question mark for each byte that is none, and without a byte order mark."""
    return path.read_text("utf-8", errors="replace").removeprefix("\ufeff")


def coloured(text: str) -> list[tuple[_TokenType, str]]:
    return list(SlatLexer(stripnl=False, ensurenl=False).get_tokens(text))


def is_word(kind: _TokenType) -> bool:
    return kind in Keyword or kind in Operator.Word


def test_every_word_of_the_grammar_occurs_in_what_is_compared():
    seen = {terminal for path in FILES for _, terminal, _ in parsed(path)}
    assert len(WORDS) > 45
    assert set(WORDS) - seen == set()


# ---- Pygments


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pygments_colours_what_the_parser_reads_and_loses_nothing(path: Path):
    text = read(path)
    tokens = coloured(text)
    assert "".join(part for _, part in tokens) == text
    assert not parsed(path) or [part for kind, part in tokens if kind in Error] == []
    kinds = [kind for kind, part in tokens for _ in part]
    for start, terminal, part in parsed(path):
        line = text.count("\n", 0, start) + 1
        assert is_word(kinds[start]) == (terminal in WORDS), f"{part} on line {line} is {kinds[start]}"
        expected = {"LOWER": Name, "UPPER": Name.Class, "INT": Number, "HEX": Number.Hex, "STRING": String}
        assert terminal not in expected or kinds[start] in expected[terminal], f"{part} on line {line}"


@pytest.mark.parametrize("word", sorted(WORDS.values()))
def test_a_word_of_the_language_is_a_name_after_a_dot(word: str):
    kinds = [kind for kind, part in coloured(f"x.{word} + 1") if part == word]
    assert [is_word(kind) for kind in kinds] == [False]


@pytest.mark.parametrize("word", sorted(set(WORDS.values()) - set(RESERVED) - {"true", "false", "undefined"}))
def test_a_word_that_may_be_a_name_is_one_before_a_colon(word: str):
    kinds = [kind for kind, part in coloured(f"record R {{ {word}: T }}") if part == word]
    assert [is_word(kind) for kind in kinds] == [False]


def test_the_reserved_words_are_those_that_the_grammar_says_are_no_names():
    lower = next(t for t in grammar.parser().terminals if t.name == "LOWER")
    said = re.search(r"\(\?!\(([a-z|]+)\)", str(lower.pattern.value))
    assert said is not None
    assert set(said[1].split("|")) == set(RESERVED)


def test_pygments_finds_the_lexer_by_its_name():
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pygments.lexers"]
    module, name = entries["slat"].split(":")
    assert getattr(import_module(module), name) is SlatLexer
    assert SlatLexer.aliases[0] == "slat"
    assert SlatLexer.filenames == ("*.slat",)


# ---- Vim


def syntax() -> str:
    """The syntax file without its comments."""
    return re.sub(r'(?m)^\s*".*\n', "", (VIM / "syntax" / "slat.vim").read_text())


def test_vim_knows_every_word_of_the_grammar():
    coloured_as_words = [line for line in syntax().splitlines() if " slatName " not in line]
    known = set(re.findall(r"[a-z_]+", "\n".join(re.sub(r"\\[a-z_]", " ", line) for line in coloured_as_words)))
    assert set(WORDS.values()) - known == set()
    keywords = re.findall(r"(?m)^syntax keyword \w+ +(.*)$", syntax())
    assert sorted(word for line in keywords for word in line.split()) == sorted(RESERVED)


GROUPS = {
    "LOWER": {"slatName", "slatFunction"}, "UPPER": {"slatType"}, "INT": {"slatNumber"}, "HEX": {"slatNumber"},
    "STRING": {"slatString"},
}  # fmt: skip
AS_WORDS = {
    "slatDeclare", "slatClause", "slatConditional", "slatWord", "slatHeading", "slatVerdict", "slatLiteral",
    "slatPrimitive",
}  # fmt: skip


def vim(folder: Path, script: str) -> None:
    """Runs a script in Vim; skips where there is none that can."""
    program = shutil.which("vim")
    if program is None or "+eval" not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("no Vim with +eval here")
    file = folder / "script.vim"
    file.write_text(f"set nocompatible\nset runtimepath^={VIM}\nfiletype plugin on\nsyntax on\n{script}qall!\n")
    command = [program, "-u", "NONE", "-i", "NONE", "-n", "-es", "-S", str(file)]
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)


def places(path: Path) -> list[tuple[int, int]]:
    """The line and the byte in it where each token begins, from 1."""
    text = read(path)
    starts = [start for start, _, _ in parsed(path)]
    return [(text.count("\n", 0, s) + 1, len(text[text.rfind("\n", 0, s) + 1 : s].encode()) + 1) for s in starts]


def test_vim_colours_what_the_parser_reads(tmp_path: Path):
    paths = [path for path in FILES if parsed(path)]
    for number, path in enumerate(paths):
        (tmp_path / f"{number}.slat").write_text(read(path), "utf-8")
    asked = [{"file": f"{number}.slat", "at": places(path)} for number, path in enumerate(paths)]
    (tmp_path / "asked").write_text(json.dumps(asked))
    vim(tmp_path, """
for one in json_decode(readfile('asked')[0])
  execute 'edit' fnameescape(one.file)
  let groups = map(copy(one.at), {_, at -> synIDattr(synID(at[0], at[1], 1), 'name')})
  call writefile([json_encode(groups)], 'groups', 'a')
endfor
""")  # fmt: skip
    answers = [json.loads(line) for line in (tmp_path / "groups").read_text().splitlines()]
    for path, groups in zip(paths, answers, strict=True):
        for (start, terminal, part), group in zip(parsed(path), groups, strict=True):
            expected = AS_WORDS if terminal in WORDS else GROUPS.get(terminal)
            assert expected is None or group in expected, f"{path}: {part} at {start} is {group}"


BROKEN = """module proofs.doors
invariant broken for x: bits(2) show x == 9
fn f(x: Nope) -> bool = true
"""


def test_vim_fills_its_quickfix_list_with_what_slat_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = write(tmp_path / "project", BROKEN)
    slat = tmp_path / "bin" / "slat"
    slat.parent.mkdir()
    slat.write_text(f'#!/bin/sh\nexec {sys.executable} -m verifier "$@"\n')
    slat.chmod(0o755)
    monkeypatch.setenv("PATH", str(slat.parent), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    vim(root, """
edit proofs/doors.slat
silent make
let made = map(getqflist(), {_, one -> [bufname(one.bufnr), one.lnum, one.col, one.type, one.nr]})
SlatCheck
let checked = map(getqflist(), {_, one -> [one.lnum, one.col, one.end_col, one.text]})
call writefile([json_encode(made), json_encode(checked)], 'found')
""")  # fmt: skip
    made, checked = (json.loads(line) for line in (root / "found").read_text().splitlines())
    assert made == [
        ["proofs/doors.slat", 2, 43, "E", 203],
        ["proofs/doors.slat", 3, 9, "E", 306],
    ]
    assert checked == [
        [2, 43, 44, "E203: `9` does not fit in 2 bits; the greatest number is 0x3"],
        [3, 9, 13, "E306: there is no type `Nope` here; a name comes from this module or from one that it uses"],
    ]
