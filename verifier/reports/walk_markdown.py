"""A walk as Markdown.

In: a slat-outcome-1 document with its steps, and the setting of the access. Out: the outcome in a sentence, and the
drawing as it stands on a terminal.
Guarantee: nothing is said that the drawing does not say.
Trusted: no, checked by tests/unit/verifier/reports.
"""

from __future__ import annotations

from verifier.reports.walk_text import OUTCOMES, Document, Setting, render


def render_markdown(document: Document, setting: Setting) -> str:
    """The document, with a final end of line."""
    access = setting.headlines[0]
    said = f"{access[:1].upper()}{access[1:]}: **{OUTCOMES[document['outcome']]}**"
    return f"{said}\n\n```text\n{render(document, setting)}```\n"
