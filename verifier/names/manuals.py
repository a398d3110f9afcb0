"""The manuals that may be cited, read from `specs/MANUALS.toml`.

In: the file. Out: `Manuals`: for each manual its edition and its sections.
Guarantee: an edition is named here only; a title that is not listed cannot be cited.
Trusted: yes: that a listed title exists in the manual is checked by people.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import cast

from verifier.diagnostics.model import Diagnosed
from verifier.names import errors


@dataclass(frozen=True, slots=True)
class Section:
    """A citable title; `number` is its number in the edition or a source file, `note` what is unsure."""

    title: str
    number: str
    note: str


@dataclass(frozen=True, slots=True)
class Manual:
    """A manual with its pinned edition; sections by title."""

    name: str
    title: str
    edition: str
    sections: dict[str, Section]


Manuals = dict[str, Manual]


def read_manuals(text: str) -> Manuals:
    """The manuals in `text` (TOML); raises `Diagnosed` if it is not of that form."""
    try:
        data = tomllib.loads(text)
        return {name: _manual(name, cast("dict[str, object]", entry)) for name, entry in data.items()}
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
        raise Diagnosed([errors.Manuals(None, problem[:1].lower() + problem[1:])]) from None
    except KeyError as error:
        raise Diagnosed([errors.Manuals(None, f"an entry has no `{error.args[0]}`")]) from None
    except (TypeError, AttributeError) as error:
        raise Diagnosed([errors.Manuals(None, f"an entry has another form: {error}")]) from None
    except RecursionError:
        raise Diagnosed([errors.Manuals(None, "nested too deep")]) from None


def _manual(name: str, entry: dict[str, object]) -> Manual:
    sections = [_section(s) for s in cast("list[dict[str, object]]", entry["sections"])]
    return Manual(name, str(entry["title"]), str(entry["edition"]), {s.title: s for s in sections})


def _section(entry: dict[str, object]) -> Section:
    return Section(str(entry["title"]), str(entry.get("number", "")), str(entry.get("note", "")))
