"""Scenarios of which a page shows only what matters.

In: an excerpt: sections of a scenario, or a document, in which … stands for the rest. Out: the whole text.
Guarantee: the rest is the scenario of docs/WALK.md, whose walk is sound; what is written stays as it is written.
Trusted: no, it serves tests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

WALK = Path(__file__).parents[4] / "docs" / "WALK.md"
SECTION = re.compile(r'^"(\w+)": (.*?),?$', re.MULTILINE)


def sections() -> dict[str, str]:
    """The sections of the sound scenario."""
    document = json.loads(WALK.read_text("utf-8").split("```json\n")[1].split("```")[0])
    return {name: json.dumps(section) for name, section in document.items()}


def completed(excerpt: str) -> str:
    """The whole text of a scenario."""
    parts = sections()
    if excerpt.startswith("{"):
        if excerpt.endswith("…}\n"):
            rest = (f'"{name}": {text}' for name, text in parts.items() if f'"{name}"' not in excerpt)
            return excerpt.replace("…", ", ".join(rest))
        return re.sub(r'"(\w+)": \{…\}', lambda found: f'"{found[1]}": {parts[found[1]]}', excerpt)
    for name, text in SECTION.findall(excerpt):
        if "…" in text:
            given = json.loads(text.replace(", …", ""))
            text = json.dumps(json.loads(parts[name]) | given)
        parts[name] = text
    return "{" + ", ".join(f'"{name}": {text}' for name, text in parts.items()) + "}"
