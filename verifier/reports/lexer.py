"""The language for Pygments.

In: a text. Out: its tokens: words of the language, names, numbers, strings, comments.
Guarantee: the tokens joined are the text, and a text that parses has no `Error` among them. Many words are words of the
language in their place only (`list`, `all`, `use`); where one is a name, it is coloured as a name.
Trusted: no, compared with the parser's own tokens on every specification by tests/unit/verifier/reports.

`editors/vim/syntax/slat.vim` says the same for Vim; the same test compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pygments.lexer import (
    RegexLexer,
    bygroups,  # pyright: ignore[reportUnknownVariableType]  # its stub says nothing of its arguments
    words,
)
from pygments.token import (
    STANDARD_TYPES,
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

RESERVED = (
    "enum", "record", "const", "fn", "rule", "invariant", "witness", "for", "assume", "show", "expect", "let", "if",
    "then", "else", "match", "case", "implies", "within", "in", "with",
)  # fmt: skip
"""Words that are never names."""

_NAME = r"_?[a-z][a-z0-9_]*\b"
_OTHER = rf"(?!(?:{'|'.join(RESERVED)})\b){_NAME}"
_GAP = r"[ \t\r\n]"

Rules = list[tuple[Any, ...]]

_IN_THEIR_PLACE: Rules = [
    (rf"(expect)({_GAP}+)(proved|refuted|not_modelled)\b", bygroups(Keyword, Whitespace, Keyword.Constant)),
    (rf"^([ \t]*)(amend)({_GAP}+)({_NAME}(?:\.{_NAME})*)({_GAP}+)(seen|inferred|unavailable)\b",
     bygroups(Whitespace, Keyword.Namespace, Whitespace, Name.Namespace, Whitespace, Keyword.Constant)),
    (rf"(module|patch|use)({_GAP}+)(?!at\b)({_OTHER}(?:\.{_NAME})*)",
     bygroups(Keyword.Namespace, Whitespace, Name.Namespace)),
    (rf"(on)({_GAP}+)({_NAME})(?={_GAP}+per\b)", bygroups(Keyword.Namespace, Whitespace, Name.Namespace)),
    (rf"(?:add|replace|reshape)\b(?={_GAP}+(?:enum|record|bits|const|fn|rule|invariant|witness)\b)", Keyword.Namespace),
    (rf"^([ \t]*)(remove|unavailable)(?={_GAP}+[A-Za-z_])", bygroups(Whitespace, Keyword.Namespace)),
    (rf"(fn|rule|const|invariant|witness)({_GAP}+)({_NAME})",
     bygroups(Keyword.Declaration, Whitespace, Name.Function)),
    (r"bits\b(?=\s*\()", Keyword.Type),
    (r"bits\b(?=\s+[A-Z])", Keyword.Declaration),
    (r"bool\b", Keyword.Type),
    (r"(?:per|is)\b(?=\s+[A-Z])", Keyword),
    (r'reading\b(?=\s*")', Keyword),
    (r"(?:any|all)\b(?=\s+of\b)", Keyword),
    (r"of\b(?=\s*\{)", Keyword),
    (r"(?:any|all|meet|until|list)\b(?=\s*\()", Keyword),
    (rf"at\b(?={_GAP}+{_NAME}{_GAP}+in\b)", Keyword),
]  # fmt: skip
"""Words of the language where they are such, with the names beside which they stand."""


class SlatLexer(RegexLexer):
    """Found by Pygments as `slat`, and for files `*.slat`."""

    name = "slat"
    aliases: ClassVar[Sequence[str]] = ("slat",)
    filenames: ClassVar[Sequence[str]] = ("*.slat",)
    mimetypes: ClassVar[Sequence[str]] = ("text/x-slat",)
    flags = re.MULTILINE

    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (r"//[^\n]*", Comment.Single),
            (r'"[^"\n]*"', String),
            (rf"(\.)(\s*)({_NAME})", bygroups(Punctuation, Whitespace, Name)),
            (words(("true", "false", "undefined"), prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (rf"{_OTHER}(?=\s*:)", Name),
            *_IN_THEIR_PLACE,
            (words(("enum", "record", "const", "fn", "rule", "invariant", "witness"), suffix=r"\b"),
             Keyword.Declaration),
            (words(("implies", "within", "in", "with"), suffix=r"\b"), Operator.Word),
            (words(RESERVED, suffix=r"\b"), Keyword),
            (_NAME, Name),
            (r"[A-Z][A-Za-z0-9_]*", Name.Class),
            (r"0x[0-9a-fA-F]+", Number.Hex),
            (r"[0-9]+", Number.Integer),
            (r"_", Name.Builtin.Pseudo),
            (r"\s+", Whitespace),
            (r"\+\+|<<|>>|->|&&|\|\||[=!<>]=|[-+&|^!~<>=]", Operator),
            (r"\.\.|[][(){},:;.]", Punctuation),
        ]
    }  # fmt: skip


def coloured(text: str) -> Iterator[tuple[int, str, str]]:
    """Where each token begins (from 0), the class by which a style sheet of Pygments knows its kind, and its text."""
    for start, kind, part in SlatLexer().get_tokens_unprocessed(text):
        yield start, STANDARD_TYPES[kind], part
