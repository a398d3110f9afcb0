"""The map: the patches of a series and reviewers' findings, with what is proved and refuted of them.

In: a library, what it lists for the map, and the results in all series and after each patch. Out: Markdown.
Guarantee: generated from the specifications and results only; no times, no paths of a machine.
Trusted: no: `make check` compares it with a fresh run.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.obligations.result import Result
from verifier.reports.map import findings, patches
from verifier.reports.map.decided import decided
from verifier.reports.map.listed import PLACE, Listed
from verifier.types.load import Library

_HEAD = f"""Written by slat from the specifications, the claims and [{PLACE.name}]({PLACE.name}); do not edit.
Verdicts are those of a run of every claim in every version; where one is not plainly `proved`, its reason is told."""
_PATCHES = """A theorem stands at a patch if it reaches a definition that the patch amends, or cites the same place of
the kernel. Columns are versions: before the patch, with it, the whole series, and others beside it. Where a verdict
changes with the patch, the reason that the claim gives stands below."""
_FINDINGS = "A known-bad version is its base with one mistake; only claims that name it are decided in it."


def render(library: Library, listed: Listed, results: list[Result]) -> str:
    """The document."""
    return "\n\n".join(part for part in _parts(library, listed, results) if part) + "\n"


def _parts(library: Library, listed: Listed, results: list[Result]) -> Iterator[str]:
    folder = str(PLACE.parent)
    found = decided(library, results, folder)
    yield f"# {folder}"
    yield listed.about
    yield _HEAD
    if listed.headline:
        yield "## Headlines"
        yield "\n".join(findings.headlines(found, listed.headline))
    if listed.patches:
        yield f"## The patches of {listed.patches}"
        yield _PATCHES
        taken = patches.steps(found, listed.patches)
        yield "\n".join(patches.overview(found, taken))
        yield from patches.sections(found, taken, listed.beside)
    if listed.finding:
        yield "## Findings"
        yield _FINDINGS
        yield "\n".join(findings.overview(found, listed.finding))
        yield from findings.sections(found, listed.finding)
