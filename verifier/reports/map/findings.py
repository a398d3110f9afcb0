"""Headlines and findings: claims with what they are in every series, and the versions that break them.

In: what was decided, and the lists. Out: Markdown.
Guarantee: every claim with the id of a finding stands in its section, with its verdict in each version that decides it.
Trusted: no, checked by tests/unit/verifier/reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.names.series import Series
from verifier.reports.by_claim import in_few_words, reasons, standing_words
from verifier.reports.map.decided import NOTHING, Decided, regular
from verifier.reports.map.listed import Finding, Headline
from verifier.reports.markdown import escaped, table

BAD = "known-bad versions"


def headlines(decided: Decided, listed: Sequence[Headline]) -> Iterator[str]:
    """A table of what the project says, with the claims that say it."""
    usual = regular(decided.library)
    by_name = {decided.one(claim).name: claim for claim in decided.results}
    rows: list[tuple[str, ...]] = []
    for headline in listed:
        claims = [by_name[name] for name in headline.claims]
        said = (f"{decided.linked(claim)}: {in_few_words(decided.of_series(claim, usual), usual)}" for claim in claims)
        rows.append((headline.says, "<br>".join(said)))
    yield from table(("what is claimed", "theorems and verdicts"), rows)


def overview(decided: Decided, listed: Sequence[Finding]) -> Iterator[str]:
    """A table of all findings: how many of the claims are what in each series."""
    labels = regular(decided.library)
    rows: list[tuple[str, ...]] = []
    for finding in listed:
        claims = _claims(decided, finding)
        counts = (_count([decided.words(claim, label) for claim in claims]) for label in labels)
        bad = _count([decided.words(claim, one.name) for one in finding.versions(decided.library) for claim in claims])
        rows.append((f"[{finding.id}](#{finding.id.lower()})", finding.title, *counts, bad))
    yield from table(("finding", "what must hold", *labels, BAD), rows)


def _claims(decided: Decided, finding: Finding) -> list[str]:
    return [claim for claim in decided.results if finding.id in decided.one(claim).ids]


def _count(words: Sequence[str]) -> str:
    """How many verdicts are which."""
    found = [word for word in words if word != NOTHING]
    return ", ".join(f"{found.count(word)} {word}" for word in dict.fromkeys(found)) or NOTHING


def sections(decided: Decided, listed: Sequence[Finding]) -> Iterator[str]:
    """A section for each finding."""
    for finding in listed:
        claims = _claims(decided, finding)
        yield f"### {finding.id}"
        yield f"**{finding.title}.**"
        yield "\n".join(_verdicts(decided, claims))
        yield "\n".join(line for claim in claims for line in _said(decided, claim))
        versions = finding.versions(decided.library)
        yield "\n".join(_story(decided, one) for one in versions)
        yield f"No known-bad version: {finding.without}" if finding.without else ""
        yield finding.note


def _verdicts(decided: Decided, claims: Sequence[str]) -> Iterator[str]:
    labels = regular(decided.library)
    rows = [
        (decided.linked(claim), *(decided.words(claim, label) for label in labels), _bad(decided, claim))
        for claim in claims
    ]
    yield from table(("claim", *labels, BAD), rows)


def _bad(decided: Decided, claim: str) -> str:
    bad = [series.name for series in decided.library.catalogue.series.values() if series.known_bad]
    found = {label: result for label, result in decided.results[claim].items() if label in bad}
    return "<br>".join(f"{standing_words(result)} in `{label}`" for label, result in found.items())


def _said(decided: Decided, claim: str) -> Iterator[str]:
    one = decided.one(claim)
    yield f"- `{one.name}`: {escaped(one.statement)}"
    for words, reason in reasons(decided.of_series(claim, decided.library.catalogue.series)):
        yield f"  - {words}: {escaped(reason)}."


def _story(decided: Decided, version: Series) -> str:
    (listed,) = version.patches
    patch = listed.tree
    link = f"[`{version.name}`]({decided.to(patch.span.source.name)})"
    source = ", ".join(decided.source(cite) for cite in patch.cites)
    broken = (f"`{decided.one(claim).name}`" for claim in decided.refuted_in(version.name))
    return f"- {link}: {escaped(patch.doc)} Refuted: {', '.join(broken) or 'nothing'}. From {source}."
