"""The patches of a series: what each amends, and what that means for the theorems.

In: what was decided, in the series after each of its patches too; the names of the series. Out: Markdown.
Guarantee: a theorem stands at a patch exactly if, before it or with it, it reaches what the patch amends, or cites the
same place of the kernel.
Trusted: no, checked by tests/unit/verifier/reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from verifier.names.amend import assemble
from verifier.names.resolve import cites_of
from verifier.names.series import ListedPatch, Series, Version
from verifier.reports.map.decided import Decided, mail
from verifier.reports.markdown import escaped, table
from verifier.syntax import tree
from verifier.types.load import Library
from verifier.types.reach import reached_by

EVIDENCE = {"seen": "seen", "inferred": "inferred", "unavailable": "not available"}
CHANGES = {"add": "new", "replace": "", "reshape": "reshaped", "remove": "removed", "unavailable": "not available"}


@dataclass(frozen=True, slots=True)
class Step:
    """A patch: the versions before it and with it, and the theorems that it concerns."""

    series: Series
    patch: ListedPatch
    before: Version
    after: Version
    claims: tuple[str, ...]

    @property
    def amended(self) -> int:
        return sum(len(amend.changes) for amend in self.patch.tree.amends)


def steps(decided: Decided, name: str) -> list[Step]:
    """The patches of a series that has a base, in their order."""
    series = decided.library.catalogue.series[name]
    before = Version(series.base or name)
    theorems = _theorems_of(decided.library, before)
    found: list[Step] = []
    for patch in series.patches:
        after = Version(name, patch.number)
        earlier, theorems = theorems, _theorems_of(decided.library, after)
        concerned = {one.name for one in (*earlier, *theorems) if one.concerned(patch)}
        claims = tuple(claim for claim in decided.results if claim in concerned)
        found.append(Step(series, patch, before, after, claims))
        before = after
    return found


@dataclass(frozen=True, slots=True)
class _Theorem:
    """A claim in a version, with all that it reaches."""

    name: str
    reached: frozenset[str]
    cites: frozenset[tuple[str, str]]

    def concerned(self, patch: ListedPatch) -> bool:
        """Whether it reaches what the patch amends, or cites the same place of the kernel."""
        for amend in patch.tree.amends:
            for change in amend.changes:
                cites = () if change.decl is None else cites_of(change.decl)
                if f"{amend.target.text}.{change.name.text}" in self.reached or self.cites.intersection(_places(cites)):
                    return True
        return False


def _theorems_of(library: Library, version: Version) -> list[_Theorem]:
    return [
        _Theorem(
            f"{claim.module}.{claim.name}", reached_by(claim).union(claim.missing), frozenset(_places(claim.cites))
        )
        for claim in library.load(version).checked.claims
    ]


def _places(cites: Iterable[tree.Cite]) -> Iterator[tuple[str, str]]:
    for cite in cites:
        yield cite.manual.text, cite.title


def overview(decided: Decided, taken: Sequence[Step]) -> Iterator[str]:
    """A table of all patches."""
    head = ("patch", "subject", "evidence", "definitions", "theorems", "verdicts that change")
    yield from table(head, (_row(decided, step) for step in taken))


def _row(decided: Decided, step: Step) -> tuple[str, ...]:
    evidence = dict.fromkeys(EVIDENCE[amend.evidence] for amend in step.patch.tree.amends)
    changed = Counter(change for _, change in _changed(decided, step))
    return (
        f"[{step.after.label}](#{step.after.label.lower()})",
        escaped(step.patch.title),
        ", ".join(evidence) or "nothing to amend",
        str(step.amended),
        str(len(step.claims)),
        "; ".join(f"{count} {words}" for words, count in changed.items()),
    )


def _changed(decided: Decided, step: Step) -> Iterator[tuple[str, str]]:
    """The theorems whose verdict is another with the patch, each with both."""
    for claim in step.claims:
        before, after = (decided.words(claim, version.label) for version in (step.before, step.after))
        if before != after:
            yield claim, f"{before} → {after}"


def sections(decided: Decided, taken: Sequence[Step], beside: Sequence[str]) -> Iterator[str]:
    """A section for each patch."""
    for step in taken:
        patch = step.patch
        yield f"### {step.after.label}"
        yield f"**[{escaped(patch.title)}]({decided.to(patch.tree.span.source.name)})**"
        yield f"{escaped(patch.author)}, {patch.date}, {mail(patch.message_id, escaped(patch.message_id))}. " + escaped(
            patch.tree.doc
        )
        yield "\n".join(_amends(decided, step)) or "It amends no definition."
        if step.claims:
            yield "\n".join(_theorems(decided, step, beside))
            yield "\n".join(_reasons(decided, step))
        elif step.amended:
            yield "No theorem reaches what it amends."


def _amends(decided: Decided, step: Step) -> Iterator[str]:
    library = decided.library
    modules = assemble(library.modules, library.catalogue, step.before).modules
    for amend in step.patch.tree.amends:
        name = amend.target.text
        changes = ", ".join(_change(change) for change in amend.changes)
        why = f": {escaped(amend.doc)}" if amend.doc else ""
        link = f"[{name}]({decided.to(modules[name].span.source.name)})"
        yield f"- {link} ({EVIDENCE[amend.evidence]}{why}): {changes}"


def _change(change: tree.Change) -> str:
    words = "; ".join(filter(None, (CHANGES[change.kind], escaped(change.reason))))
    return f"`{change.name.text}`" + (f" ({words})" if words else "")


def _theorems(decided: Decided, step: Step, beside: Sequence[str]) -> Iterator[str]:
    """A row for each combination of verdicts, those that change with the patch first."""
    labels = list(dict.fromkeys((step.before.label, step.after.label, step.series.name, *beside)))
    verdicts = {claim: tuple(decided.words(claim, label) for label in labels) for claim in step.claims}
    order = {words: (words[0] == words[1], number) for number, words in enumerate(dict.fromkeys(verdicts.values()))}
    rows = groupby(sorted(step.claims, key=lambda claim: order[verdicts[claim]]), key=lambda claim: verdicts[claim])
    cells = [(*words, ", ".join(map(decided.named, claims))) for words, claims in rows]
    yield from table((*labels, "theorems"), cells)


def _reasons(decided: Decided, step: Step) -> Iterator[str]:
    """Why a verdict is what it is with the patch, where it was another."""
    for claim, change in _changed(decided, step):
        result = decided.result(claim, step.after.label)
        if result is not None and result.reason:
            yield f"- `{result.name}`: {change}: {escaped(result.reason)}."
