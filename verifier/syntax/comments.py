"""Comments: which part of a tree each belongs to.

In: a source and its tree. Out: `Comments`: for each part of the tree the comments above, beside and below it.
Guarantee: every comment of the source belongs to exactly one part. One at a line's end belongs to what ends before it
on that line, one on a line of its own to what follows it, or else to what it follows.
Trusted: no, `format` compares the comments before and after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from verifier.source import Source, Span
from verifier.syntax import tree

_TOKEN = re.compile(r'"[^"\n]*"|//[^\n]*')

# the parts that stand at the beginning of a line if a comment belongs above them
_ITEMS = (
    tree.Path, tree.Enum, tree.Record, tree.Bits, tree.Const, tree.Fn, tree.Rule, tree.Claim, tree.Change,
    tree.EnumMember, tree.Field, tree.BitField, tree.Param, tree.Clause, tree.Expect, tree.Arm,
)  # fmt: skip


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
    parts = list(_parts(file))
    for comment in find_comments(source):
        start = source.line_starts[source.line_of(comment.start) - 1]
        alone = not source.text[start : comment.start].strip()
        beside = None if alone else _ending(parts, start, comment.start)
        if beside is not None:
            made.beside.setdefault(id(beside), []).append(comment)
            continue
        items, node = _around(file, comment.start)
        following = next((item for item in items if _span(item).start > comment.start), None)
        if following is not None:
            made.above.setdefault(id(following), []).append(comment)
        elif isinstance(node, (tree.Module, tree.Amendment)) or _is_block(node):
            made.below.setdefault(id(items[-1]), []).append(comment)
        else:
            made.above.setdefault(id(node), []).append(comment)
    return made


def _is_block(node: Any) -> bool:
    """Whether the part has a closing brace of its own on which its last item does not depend."""
    return isinstance(node, (tree.Enum, tree.Record, tree.Bits, tree.Rule, tree.Match)) and bool(_items(node))


def _ending(parts: list[Any], line: int, before: int) -> Any:
    """The largest part that ends last on the line that begins at `line`, before the offset `before`."""
    ending = [part for part in parts if line < _span(part).end <= before]
    return max(ending, key=lambda part: (_span(part).end, -_span(part).start), default=None)


def _around(file: tree.File, at: int) -> tuple[list[Any], Any]:
    """The smallest item around the offset `at` (or the file), with the items inside of it."""
    node: Any = file
    while True:
        items = _items(node)
        inner = next((item for item in items if _span(item).start < at < _span(item).end), None)
        if inner is None:
            return items, node
        node = inner


def _items(node: Any) -> list[Any]:
    """The nearest parts below `node` that may begin a line, in the order of the text."""
    found: list[Any] = []
    for child, starts in _children(node):
        if starts or isinstance(child, _ITEMS):
            found.append(child)
        else:
            found.extend(_items(child))
    return found


def _parts(node: Any) -> Iterator[Any]:
    """Every part beside which the printer puts comments, the larger before the smaller."""
    for child, _ in _children(node):
        if not isinstance(child, tree.Word):
            yield child
        yield from _parts(child)


def _children(node: Any) -> list[tuple[Any, bool]]:
    """The parts directly below `node` in the order of the text, and whether a line may begin with each."""
    starting = _starting(node)
    found: list[tuple[Any, bool]] = []
    for part in _flat(getattr(node, f.name) for f in fields(node) if f.name != "patterns"):
        found.append((part, any(part is other for other in starting)))
    return sorted(found, key=lambda pair: _span(pair[0]).start)


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


def _span(part: Any) -> Span:
    return part.span
