"""The files of a series that nobody has written yet.

In: its name, its base, its patches, and definitions to begin with. Out: texts by file name.
Guarantee: each `.slat` text is laid out as `slat fmt` does it, and says nothing about KVM but what was copied.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from verifier.diagnostics.model import Diagnosed
from verifier.names.series import LIST
from verifier.source import Source
from verifier.syntax import tree
from verifier.syntax.format import format_source
from verifier.syntax.parse import parse_file

README = "README.md"
MOST_WORDS = 5
"""Words of a subject that become part of a file's name."""
_SENTENCE = "What the patch changes, in one sentence."
_GUIDANCE = """
// Below, for each module that the patch touches, its definitions as they are after it:
//
//     amend kvm.spte seen
//     use kvm.vmx
//
//     replace fn make_spte(…) -> Spte per LINUX "make_spte()"
//       "One sentence."
//       = …
//
// `seen` was read in the patch, `inferred` was concluded from it. `replace` keeps a signature and `reshape` changes it;
// `add` and `remove` are for what is new or gone, `unavailable NAME "why"` for a change that nobody has seen.
"""


def is_name(word: str) -> bool:
    """Whether the language takes a word for a name in small letters."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
        return False
    try:
        parse_file(Source("", f'patch {word} per LINUX ""'))
    except Diagnosed:
        return False
    return True


@dataclass(frozen=True, slots=True)
class NewPatch:
    """A patch as a mail has it; `subject` has no quotation mark and no end of a line."""

    number: int
    subject: str
    author: str = "unknown"
    date: str = "unknown"
    message_id: str = "unknown"

    @property
    def words(self) -> str:
        """The beginning of the subject, without prefixes, as part of a file's name."""
        said = re.sub(r"^(?:\[[^]]*\]\s*)*", "", self.subject).rpartition(": ")[2].lower()
        found = re.findall(r"[a-z0-9]+", said)[:MOST_WORDS]
        return "-".join(found if is_name("_".join(found)) else ["patch", *found])

    @property
    def file(self) -> str:
        return f"{self.number:02}-{self.words}.slat"


@dataclass(frozen=True, slots=True)
class NewSeries:
    """What the command line asks for; `definitions` are of the modules that they stand beside."""

    name: str
    base: str
    title: str
    patches: tuple[NewPatch, ...]
    definitions: tuple[tuple[str, tree.Decl], ...]


def files(series: NewSeries) -> dict[str, str]:
    """The texts by file name."""
    first, *others = series.patches
    made = {README: _readme(series), LIST: _list(series), first.file: _patch(series, first, series.definitions)}
    return made | {patch.file: _patch(series, patch, ()) for patch in others}


def _readme(series: NewSeries) -> str:
    return f"""# specs/kvm/series/{series.name}

{series.title}, on top of [{series.base}](../{series.base}). Of a claim that does not name this series, the verdict in
{series.base} is expected: `expect_as` in [series.toml](series.toml).

    slat prove --series {series.name}
"""


def _list(series: NewSeries) -> str:
    lines = [f"title = {_quoted(series.title)}", f'base = "{series.base}"', f'expect_as = "{series.base}"']
    for patch in series.patches:
        entries = {
            "file": patch.file, "title": patch.subject, "author": patch.author, "date": patch.date,
            "message_id": patch.message_id,
        }  # fmt: skip
        lines += ["", "[[patch]]", *(f"{key} = {_quoted(text)}" for key, text in entries.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string: JSON's are some, but for one control character that it leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _patch(series: NewSeries, patch: NewPatch, definitions: Sequence[tuple[str, tree.Decl]]) -> str:
    name = f"{series.name}.{patch.words.replace('-', '_')}"
    head = f'patch {name} per LINUX "{patch.subject}"\n  "{_SENTENCE}"\n'
    text = "".join([head, _GUIDANCE, *_amends(definitions)])
    return format_source(Source(patch.file, text))


def _amends(definitions: Sequence[tuple[str, tree.Decl]]) -> Iterator[str]:
    for module, group in groupby(definitions, key=lambda pair: pair[0]):
        yield f"\namend {module} seen\n"
        for _, decl in group:
            yield f"\nreplace {decl.span.text}\n"
