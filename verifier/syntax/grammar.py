"""The parser's tables.

In: `slat.lark`. Out: lark's parser for it.
Guarantee: built in lark's strict mode, so the grammar is LALR(1) without conflicts. The tables are kept in the
user's cache directory under a name that depends on the grammar, lark and Python; a cache that cannot be read or
written is as if it were not there.
Trusted: yes, as lark is; a test builds the tables anew and compares what they accept.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, cast

import lark
from lark import Lark

from verifier.files import write_file

GRAMMAR = Path(__file__).with_name("slat.lark")
START = ["start", "expr"]


@cache
def parser() -> Lark:
    """The parser, from the cache if it is there."""
    file = cache_file()
    if file is not None and (found := _load(file)) is not None:
        return found
    built = build()
    if file is not None:
        _save(built, file)
    return built


def build() -> Lark:
    """The parser, built from the grammar."""
    text = GRAMMAR.read_text(encoding="utf-8")
    return Lark(text, parser="lalr", strict=True, start=START, propagate_positions=True)


def cache_file() -> Path | None:
    """Where this grammar's tables are kept; None where the user has no home."""
    parts = (GRAMMAR.read_text(encoding="utf-8"), str(START), lark.__version__, sys.version)
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return home / "slat" / f"grammar-{name}.pickle"


def _load(file: Path) -> Lark | None:
    try:
        return cast(Any, Lark).load(io.BytesIO(file.read_bytes()))
    except Exception:  # whatever a damaged file makes of pickle and lark
        return None


def _save(built: Lark, file: Path) -> None:
    data = io.BytesIO()
    cast(Any, built).save(data)
    try:
        write_file(file, data.getvalue())
    except OSError:
        return
