"""Pages as a browser would understand them, without one.

In: the text of a page. Out: `Read`: its elements, anchors and links, and the text of its code.
Guarantee: an element that is not closed, or closed twice, is an error.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(("meta", "link", "input", "br", "wbr", "img", "hr"))
Attributes = dict[str, str]


@dataclass
class Read:
    """`elements` are names with their attributes; `text` is by the name of the element that directly holds it."""

    elements: list[tuple[str, Attributes]] = field(default_factory=list)
    text: dict[str, list[str]] = field(default_factory=dict)
    code: list[tuple[int, str]] = field(default_factory=list)
    words: str = ""

    def all(self, name: str) -> list[Attributes]:
        return [attributes for element, attributes in self.elements if element == name]

    @property
    def anchors(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"an attribute of <{tag}> stands twice"
        self.read.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if attributes.get("class") == "line":
            self.read.code.append((int(attributes["id"].removeprefix("line-")), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes something else"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.read.text.setdefault(self.open[-1] if self.open else "", []).append(data)
        self.read.words += data
        if "pre" in self.open and "code" in self.open and self.read.code:
            number, text = self.read.code[-1]
            self.read.code[-1] = (number, text + data)


def read(page: bytes) -> Read:
    """What a page holds."""
    parser = _Parser()
    parser.feed(page.decode())
    parser.close()
    assert parser.open == [], f"not closed: {parser.open}"
    return parser.read
