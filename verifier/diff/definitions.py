"""The definitions that differ between two versions, and the claims that rest on them.

In: two loaded versions. Out: `Change`s in the order of modules and names, and the claims that they reach.
Guarantee: a definition without a change says the same on both sides, whatever its citations and sentences; no claim
that rests on one that differs, through any number of others, is left out.
Trusted: no, checked by tests/unit/verifier/diff.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.diff.model import Change, Reached
from verifier.names.amend import meaning, signature
from verifier.names.resolve import Program
from verifier.syntax import tree
from verifier.types import typed
from verifier.types.load import Loaded
from verifier.types.reach import reached_by

WORDS: dict[type[tree.Decl], str] = {
    tree.Fn: "fn", tree.Rule: "rule", tree.Const: "const", tree.Bits: "bits", tree.Enum: "enum", tree.Record: "record",
    tree.Claim: "claim",
}  # fmt: skip


def changes(left: Program, right: Program) -> tuple[Change, ...]:
    """What differs; a module that is the same tree on both sides is not looked at."""
    return tuple(change for module in sorted({*left.modules, *right.modules}) for change in _in(module, left, right))


def _in(module: str, left: Program, right: Program) -> Iterator[Change]:
    trees = [program.modules[module].tree if module in program.modules else None for program in (left, right)]
    hidden = any(name.rpartition(".")[0] == module for name in left.unavailable.keys() ^ right.unavailable.keys())
    if trees[0] is trees[1] and not hidden:
        return
    before, after = ({decl.name.text: decl for decl in one.decls} if one else {} for one in trees)
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        seen = [f"{module}.{name}" not in program.unavailable for program in (left, right)]
        kind = _kind(one, other) if all(seen) else "not seen" if any(seen) else ""
        decl = one or other
        if kind and decl is not None:
            places = (None if d is None else d.name.span.place for d in (one, other))
            yield Change(kind, WORDS[type(decl)], module, name, *places)


def _kind(one: tree.Decl | None, other: tree.Decl | None) -> str:
    """The kind of change; empty for none."""
    if one is None or other is None:
        return "added" if one is None else "removed"
    if meaning(one) == meaning(other):
        return ""
    return "changed" if type(one) is type(other) and signature(one) == signature(other) else "signature changed"


def reached(left: Loaded, right: Loaded, found: Sequence[Change]) -> tuple[Reached, ...]:
    """The claims of either side that rest on a definition that differs, in the order of the files."""
    differ = {change.qualified for change in found if change.what != "claim"}
    claims: dict[tuple[str, int, str], tuple[typed.Claim, set[str]]] = {}
    for loaded in (left, right):
        for claim in loaded.checked.claims:
            key = (claim.span.source.name, claim.span.start, claim.name)
            claims.setdefault(key, (claim, set()))[1].update(differ & reached_by(claim))
    return tuple(
        Reached(claim.module, claim.name, claim.ids, claim.span.place, tuple(sorted(by)))
        for _, (claim, by) in sorted(claims.items(), key=lambda item: item[0])
        if by
    )
