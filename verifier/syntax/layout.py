"""Documents: text with places where a line may end.

In: a document. Out: lines of at most a given width, where the text allows it.
Guarantee: only white space depends on the width; a remark at a line's end never swallows what follows it.
Trusted: no, checked by the printer's round trip.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 110


@dataclass(frozen=True, slots=True)
class Line:
    """A line's end if the group around it is broken, else `flat`."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class Hard:
    """A line's end in any case; with an empty line below it if `blank`."""

    blank: bool = False


@dataclass(frozen=True, slots=True)
class Nest:
    """New lines inside begin `by` columns further right."""

    by: int
    inner: Doc


@dataclass(frozen=True, slots=True)
class Align:
    """New lines inside begin where the document begins."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """On one line if it fits, else with an end at each of its own lines."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Fill:
    """Items one after the other, with ends only where the next item would not fit.

    Each item comes with what stands before it (nothing before the first). A new line begins `nest` columns further
    right, and the lines inside of its items another `inside`.
    """

    items: tuple[tuple[Doc, Doc], ...]
    nest: int
    inside: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment for the end of the line on which it comes to stand; takes no room."""

    text: str


@dataclass(frozen=True, slots=True)
class Pad:
    """Spaces for a column, only if the group around it is broken."""

    width: int


Doc = str | tuple["Doc", ...] | Line | Hard | Nest | Align | Group | Fill | Remark | Pad


def join(separator: Doc, docs: list[Doc]) -> Doc:
    """The documents with `separator` between them."""
    parts: list[Doc] = []
    for doc in docs:
        parts += [separator, doc] if parts else [doc]
    return tuple(parts)


def hang(doc: Doc, nest: int = 2, start: Doc | None = None) -> Doc:
    """A blank and the document, or a new line and the document if it fits there and not here."""
    return Fill((("", ""), (start if start is not None else Line(), doc)), nest)


def flat(doc: Doc) -> str | None:
    """The document on one line; None if it has a hard end."""
    parts: list[str] = []
    todo = [doc]
    while todo:
        match todo.pop():
            case str() as text:
                parts.append(text)
            case tuple() as docs:
                todo.extend(reversed(docs))
            case Line(text):
                parts.append(text)
            case Hard():
                return None
            case Nest(_, inner) | Align(inner) | Group(inner):
                todo.append(inner)
            case Fill(items):
                todo.extend(part for item in reversed(items) for part in reversed(item))
            case Remark() | Pad():
                pass
    return "".join(parts)


def width_of(doc: Doc) -> int:
    """The width of a document that has no line's end, columns included."""
    return _head(doc)[0]


def _head(doc: Doc) -> tuple[int, bool]:
    """The width up to the first place where the line may end, and whether there is one."""
    width = 0
    todo = [doc]
    while todo:
        match todo.pop():
            case str() as text:
                width += len(text)
            case tuple() as docs:
                todo.extend(reversed(docs))
            case Line() | Hard():
                return width, True
            case Nest(_, inner) | Align(inner) | Group(inner):
                todo.append(inner)
            case Fill(items):
                todo.extend(part for item in reversed(items) for part in reversed(item))
            case Pad(more):
                width += more
            case Remark():
                pass
    return width, False


@dataclass(frozen=True, slots=True)
class _Rest:
    """What remains of a fill from item `at`; its items' lines begin at `inside`."""

    fill: Fill
    at: int
    inside: int


class _Writer:
    """Renders with a stack of its own; `todo` holds (indent, one line?, document)."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[tuple[str, str]] = []
        self.text = ""
        self.remarks: list[str] = []
        self.todo: list[tuple[int, bool, Doc | _Rest]] = []

    def run(self, doc: Doc) -> list[tuple[str, str]]:
        """Lines as (text, remark)."""
        self.todo.append((0, False, doc))
        while self.todo:
            indent, one_line, current = self.todo.pop()
            match current:
                case str():
                    self.text += current
                case tuple():
                    self.todo.extend((indent, one_line, part) for part in reversed(current))
                case Line():
                    self._line(indent, one_line, current)
                case Hard():
                    self._end(indent, current.blank)
                case Pad():
                    self.text += "" if one_line else " " * current.width
                case Remark():
                    self.remarks.append(current.text)
                case _Rest():
                    self._fill(indent, one_line, current)
                case Nest() | Align() | Group() | Fill():
                    self.todo.append(self._entered(indent, one_line, current))
        self._end(0)
        return self.lines

    def _entered(self, indent: int, one_line: bool, doc: Nest | Align | Group | Fill) -> tuple[int, bool, Doc | _Rest]:
        match doc:
            case Nest():
                return indent + doc.by, one_line, doc.inner
            case Align():
                return len(self.text), one_line, doc.inner
            case Group():
                return indent, one_line or self._fits(doc.inner), doc.inner
            case Fill():
                return indent, one_line, _Rest(doc, 0, indent)

    def _line(self, indent: int, one_line: bool, line: Line) -> None:
        if one_line:
            self.text += line.flat
        else:
            self._end(indent)

    def _end(self, indent: int, blank: bool = False) -> None:
        margin = self.text[: len(self.text) - len(self.text.lstrip())]
        self.lines.extend((margin + remark, "") for remark in self.remarks[:-1])  # only one fits beside a line
        self.lines.append((self.text.rstrip(), self.remarks[-1] if self.remarks else ""))
        if blank:
            self.lines.append(("", ""))
        self.text = " " * indent
        self.remarks = []

    def _fits(self, doc: Doc) -> bool:
        text = flat(doc)
        return text is not None and len(self.text) + len(text) + self._tail() <= self.width

    def _tail(self) -> int:
        """The width of what follows on this line in any case."""
        width = 0
        for _, one_line, doc in reversed(self.todo):
            if isinstance(doc, _Rest):  # its next item already comes with a place for a line's end
                doc = tuple(part for item in doc.fill.items[doc.at : doc.at + 1] for part in item)
            more, ends = _head(doc)
            width += len(flat(doc) or "") if one_line else more
            if ends and not one_line:
                break
        return width

    def _fill(self, indent: int, one_line: bool, rest: _Rest) -> None:
        if rest.at == len(rest.fill.items):
            return
        before, item = rest.fill.items[rest.at]
        following = _Rest(rest.fill, rest.at + 1, rest.inside)
        start = indent + rest.fill.nest
        self.todo.append((indent, one_line, following))
        if one_line or rest.at == 0 or self._stays(start, before, item):
            self.todo.append((rest.inside, one_line, Group(item)))
            self.todo.append((start, flat(before) is not None, before))
        else:
            inside = start + rest.fill.inside
            self.todo[-1] = (indent, one_line, _Rest(rest.fill, rest.at + 1, inside))
            self.todo.append((inside, False, Group(item)))
            self.todo.append((start, False, before))

    def _stays(self, start: int, before: Doc, item: Doc) -> bool:
        """Whether the item stays on the line: it fits, or must be broken wherever it stands."""
        between, text = flat(before), flat(item)
        if between is None:
            return False
        tail = self._tail()
        if text is not None and len(self.text) + len(between) + len(text) + tail <= self.width:
            return True
        fits_below = text is not None and start + len(between.lstrip()) + len(text) + tail <= self.width
        width, ends = _head(item)
        return not fits_below and ends and len(self.text) + len(between) + width <= self.width


def render(doc: Doc, width: int = WIDTH) -> str:
    """The document as text that ends with a line's end; remarks of neighbouring lines are aligned."""
    lines = _Writer(width).run(doc)
    texts: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end][1]:
            end += 1
        column = max((len(text) for text, _ in lines[at:end]), default=0)
        texts.extend(f"{text:{column}}  {remark}" for text, remark in lines[at:end])
        if end < len(lines):
            texts.append(lines[end][0])
        at = end + 1
    return "\n".join(texts) + "\n"
