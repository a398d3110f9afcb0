"""Comments: which part of a tree each belongs to.

In: a source and its tree. Out: `Comments`: for each part of the tree the comments above, beside and below it.
Guarantee: every comment of the source belongs to exactly one part. One at a line's end belongs to what ends before it
on that line, one on a line of its own to what follows it, or else to what it follows.
Trusted: no, `format` compares the comments before and after.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, cast

from verifier.source import Source, Span
from verifier.syntax import tree

_TOKEN = re.compile(r'"[^"\n]*"|//[^\n]*')

# the parts that stand at the beginning of a line if a comment belongs above them
_ITEMS = (
    tree.Path, tree.Enum, tree.Record, tree.Bits, tree.Const, tree.Fn, tree.Rule, tree.Claim, tree.Change, tree.Amend,
    tree.EnumMember, tree.Field, tree.BitField, tree.Param, tree.Clause, tree.Expect, tree.Arm,
)  # fmt: skip

_BLOCKS = (tree.Enum, tree.Record, tree.Bits, tree.Rule, tree.Match)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its slashes; `blank`: an empty line follows it."""

    text: str
    start: int
    blank: bool


@dataclass(slots=True)
class Comments:
    """The comments above, beside and below the parts of a tree, by the part's `id`."""

    above: dict[int, list[Comment]] = field(default_factory=dict[int, list[Comment]])
    beside: dict[int, list[Comment]] = field(default_factory=dict[int, list[Comment]])
    below: dict[int, list[Comment]] = field(default_factory=dict[int, list[Comment]])


def find_comments(source: Source) -> list[Comment]:
    """Every comment, in order."""
    found: list[Comment] = []
    for match in _TOKEN.finditer(source.text):
        if match.group().startswith("//"):
            blank = re.match(r"\n[ \t\r]*\n", source.text[match.end() :]) is not None
            found.append(Comment(match.group().rstrip(), match.start(), blank))
    return found


def attach(source: Source, file: tree.File) -> Comments:
    """Gives every comment of `source` to a part of its tree."""
    made = Comments()
    comments = find_comments(source)
    if not comments:
        return made
    places = _Places(file)
    for comment in comments:
        start = source.line_starts[source.line_of(comment.start) - 1]
        alone = not source.text[start : comment.start].strip()
        beside = None if alone else places.ending(start, comment.start)
        if beside is not None:
            made.beside.setdefault(id(beside), []).append(comment)
            continue
        items, node = places.around(comment.start)
        following = bisect_right(items, comment.start, key=_start)
        if following < len(items):
            made.above.setdefault(id(items[following]), []).append(comment)
        elif isinstance(node, (tree.Module, tree.Patch, tree.Amend)) or (isinstance(node, _BLOCKS) and items):
            made.below.setdefault(id(items[-1]), []).append(comment)
        else:
            made.above.setdefault(id(node), []).append(comment)
    return made


class _Places:
    """The parts of a file by where they begin and end."""

    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.items: dict[int, list[Any]] = {}
        self.by_end: dict[int, Any] = {}
        todo: list[Any] = [file]
        while todo:
            for child, _ in _children(todo.pop()):
                todo.append(child)
                known = self.by_end.get(child.span.end)
                if not isinstance(child, (tree.Word, tree.Amend)) and (known is None or _start(child) < _start(known)):
                    self.by_end[child.span.end] = child
        self.ends = sorted(self.by_end)

    def ending(self, line: int, before: int) -> Any:
        """The largest part that ends last on the line that begins at `line`, before the offset `before`."""
        at = bisect_right(self.ends, before)
        return self.by_end[self.ends[at - 1]] if at and self.ends[at - 1] > line else None

    def around(self, at: int) -> tuple[list[Any], Any]:
        """The smallest item around the offset `at` (or the file), with the items inside of it."""
        node: Any = self.file
        while True:
            if id(node) not in self.items:
                self.items[id(node)] = _items(node)
            items = self.items[id(node)]
            before = bisect_right(items, at, key=_start)
            if not before or items[before - 1].span.end <= at:
                return items, node
            node = items[before - 1]


def _items(node: Any) -> list[Any]:
    """The nearest parts below `node` that may begin a line, in the order of the text."""
    found: list[Any] = []
    for child, starts in _children(node):
        if starts or isinstance(child, _ITEMS):
            found.append(child)
        else:
            found.extend(_items(child))
    return found


def _children(node: Any) -> list[tuple[Any, bool]]:
    """The parts directly below `node` in the order of the text, and whether a line may begin with each."""
    starting = {id(part) for part in _starting(node)}
    names = _fields(cast("type[Any]", type(node)))
    found = [(part, id(part) in starting) for part in _flat(getattr(node, name) for name in names)]
    return sorted(found, key=lambda pair: _start(pair[0]))


@cache
def _fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields that hold parts; patterns are always on one line with their `case`."""
    return tuple(f.name for f in fields(kind) if f.name not in ("span", "patterns"))


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        elif isinstance(value, tree.About):
            yield from value.cites
        elif isinstance(getattr(value, "span", None), Span):
            yield value


def _starting(node: Any) -> tuple[Any, ...]:
    """The expressions directly below `node` that the printer can put at the beginning of a line."""
    match node:
        case tree.Fn() | tree.Const():
            return (node.body,)
        case tree.Claim():
            return (*node.assumptions, node.show)
        case tree.Let():
            return (node.body,)
        case tree.If():
            return (node.then, node.otherwise)
        case tree.Chain():
            return node.operands[1:]
        case tree.Binary():
            return (node.right,)
        case tree.InSet():
            return node.members
        case tree.Call():
            return node.arguments
        case tree.ListOf():
            return node.items
        case tree.Literal() | tree.With():
            return tuple(word for word, _ in node.fields)
        case _:
            return ()


def _start(part: Any) -> int:
    return part.span.start
