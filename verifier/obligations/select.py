"""The claims that words name.

In: claims and the words of a command line. Out: the claims, in their own order.
Guarantee: a word that names nothing is an error; nothing is decided that was not asked for.
Trusted: no.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from verifier.diagnostics.model import Diagnosed, Diagnostic, nearest
from verifier.types import typed


@dataclass(frozen=True, slots=True)
class UnknownClaim(Diagnostic):
    """A word that is no claim's name, no theorem's id and no file or directory with claims."""

    code = "E401"
    word: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.word}` names no claim, and no file or directory with claims"

    def help(self) -> str:
        return nearest(self.word, self.known) or "`slat prove --format markdown` lists every claim"


def select(claims: Sequence[typed.Claim], words: tuple[str, ...], root: Path) -> list[typed.Claim]:
    """The claims with one of these names, ids (`B9`) or paths; all of them for no words."""
    if not words:
        return list(claims)
    chosen: set[str] = set()
    places = {_full(c): Path(os.path.realpath(root / c.span.source.name)) for c in claims}
    for word in words:
        matching = {_full(c) for c in claims if word in (c.name, _full(c), *c.ids)}
        path = os.path.realpath(word) if word else "an empty word is no path"
        matching |= {name for name, place in places.items() if place.is_relative_to(path)}
        if not matching:
            known = tuple(name for c in claims for name in (c.name, *c.ids))
            raise Diagnosed([UnknownClaim(None, word, known)])
        chosen |= matching
    return [claim for claim in claims if _full(claim) in chosen]


def _full(claim: typed.Claim) -> str:
    return f"{claim.module}.{claim.name}"
