"""EPT access tests as one C file, in the style of kvm-unit-tests.

In: tests, each a table of cases, and a heading. Out: the file, which includes `ept_access.h`.
Guarantee: whatever words go in, comments end where they should and strings hold what they should.
Trusted: no, checked by compiling what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifier.reports.plain import printable, wrapped

WIDTH = 77
"""Of a comment's text, so that its lines have at most 80 columns."""
TEMPLATE = "access_tests.c.jinja"


@dataclass(frozen=True, slots=True)
class Case:
    """One element of a table: `members` are names and C expressions."""

    name: str
    comment: str
    members: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Test:
    """A table of cases; `about` are the paragraphs of the comment above it."""

    name: str
    about: Sequence[str]
    cases: Sequence[Case]


def document(heading: Sequence[str], tests: Sequence[Test]) -> str:
    """The file. Tables have names of their own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not needed by those who prove

    environment = Environment(
        loader=FileSystemLoader(__file__.rpartition("/")[0]),
        undefined=StrictUndefined,
        autoescape=False,  # C, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = _identifiers(test.name for test in tests)
    safe = [
        Test(name, _comment(test.about), [_safe(case) for case in test.cases])
        for name, test in zip(names, tests, strict=True)
    ]
    return environment.get_template(TEMPLATE).render(heading=_comment(heading), tests=safe)


def _safe(case: Case) -> Case:
    return Case(_in_string(case.name), _in_comment(case.comment), case.members)


def _identifiers(names: Iterable[str]) -> list[str]:
    """Each name as a C identifier that no other one has."""
    found: dict[str, None] = {}
    for name in names:
        plain = "ept_access_test_" + (re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "unnamed")
        number, unique = 1, plain
        while unique in found:
            number += 1
            unique = f"{plain}_{number}"
        found[unique] = None
    return list(found)


def comment(paragraphs: Sequence[str]) -> list[str]:
    """A comment: on one line if it has room there, else as kernel code has it."""
    lines = _comment(paragraphs)
    if len(lines) == 1 and len(lines[0]) <= WIDTH - 3:
        return [f"/* {lines[0]} */"]
    return ["/*", *(f" * {line}".rstrip() for line in lines), " */"]


def _comment(paragraphs: Sequence[str]) -> list[str]:
    """The lines of a comment's text."""
    return [line for paragraph in paragraphs for line in wrapped(_in_comment(paragraph), WIDTH, 0) or [""]]


def _in_comment(text: str) -> str:
    """Words on one line that end no comment and begin none."""
    return printable(" ".join(text.split())).replace("*/", "* /").replace("/*", "/ *")


def _in_string(text: str) -> str:
    """What stands between quotation marks."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')
