"""The pages of `slat explain`, a Markdown file for each code.

In: a code such as `E214`. Out: the text of its page.
Guarantee: the broken example of a page gives exactly its code, the fixed one nothing.
Trusted: no, a test runs every example.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def codes() -> list[str]:
    """Every code that has a page: errors, then warnings."""
    return sorted(path.stem for path in _FOLDER.glob("[EW][0-9][0-9][0-9].md"))


def read_page(code: str) -> str:
    """The page of a known code."""
    return (_FOLDER / f"{code}.md").read_text(encoding="utf-8")


def title(code: str) -> str:
    """The sentence after the code in a page's first line."""
    return read_page(code).splitlines()[0].removeprefix(f"# {code}: ")
