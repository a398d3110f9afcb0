"""Results as Markdown: the index of all claims.

In: results. Out: a document; of all claims in all series it is `proofs/README.md`.
Guarantee: generated from results only, so it says what was proved and nothing else; no times, no paths of a machine. No
character of a result is taken for markup. A series that decides some claims only is named with its reason alone.
Trusted: no: `make check` compares it with a fresh run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from verifier.obligations.result import Citation, Result
from verifier.reports.by_claim import by_claim, in_few_words, reasons
from verifier.reports.plain import printable
from verifier.reports.text import deciding_everything

_MARKUP = re.compile(r"([\\`*~|<>\[\]]|(?<!\w)_|_(?!\w))")
_HEAD = """# The claims

Written by slat; do not edit. An invariant holds for every input, a witness for at least one. A claim that is expected
to be refuted is a believable mistake, or a statement that needs an assumption: its reason stands beside it. Where the
verdict is not the same in every series of KVM, those are named in which it is another; a known-bad version is named
with its reason alone.
`slat prove NAME` shows the counterexample or the example, `slat prove NAME --series all` those of every version.
"""


def render(results: list[Result]) -> str:
    """The document."""
    usual = deciding_everything(results)
    lines = [_HEAD]
    for file, group in groupby(results, key=lambda r: r.file):
        lines += [f"## [{file.removeprefix('proofs/')}]({file.removeprefix('proofs/')})", ""]
        rows = (_row(found, usual) for found in by_claim(list(group)).values())
        lines += [*table(("id", "claim", "verdict", "sentence", "citations"), rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(found: list[Result], usual: Sequence[str]) -> tuple[str, ...]:
    one = found[0]
    untold = [r for r in found if r.series in (None, *usual) or not r.reason or not r.as_expected]
    verdict = in_few_words(untold or found, usual)
    why = (f"*{words}: {escaped(reason)}.*" for words, reason in reasons(found))
    sentence = " ".join([escaped(one.statement), *why])
    return " ".join(one.ids), f"`{one.name}`", verdict, sentence, "; ".join(_cites(one.citations))


def _cites(citations: tuple[Citation, ...]) -> Iterator[str]:
    for manual, group in groupby(citations, key=lambda c: c.manual):
        yield f"{manual} " + ", ".join(f"“{escaped(c.title)}”" for c in group)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table as GitHub has them; cells are Markdown on one line."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |" if row[0] != "---" else f"|{'|'.join(row)}|"


def escaped(text: str) -> str:
    """Words as they are, on one line, whatever they are made of."""
    return _MARKUP.sub(r"\\\1", printable(text))
