"""The results of a claim in several series, in few words.

In: results. Out: results by claim; what they say together, the usual verdict first; the reasons that were expected.
Guarantee: every series whose verdict is not the usual one is named.
Trusted: no, checked by golden reports and tests/unit/verifier/reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.obligations.result import Result
from verifier.reports.text import verdict_words


def by_claim(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The results of each claim by its qualified name, in their order."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(f"{result.module}.{result.name}", []).append(result)
    return found


def standing_words(result: Result) -> str:
    """The verdict, and whether it is another than the expected one."""
    return verdict_words(result) + ("" if result.as_expected else " (not as expected)")


def in_few_words(results: Sequence[Result], usual: Sequence[str]) -> str:
    """What the results of a claim say: `proved; refuted in rfc, v1`.

    The verdict that stands alone is that of the most series among the `usual` ones; of two, that of the later series.
    """
    said: dict[str, list[str]] = {}
    for result in results:
        said.setdefault(standing_words(result), []).append(result.series or "")

    def weight(words: str) -> tuple[int, int]:
        places = [usual.index(label) for label in said[words] if label in usual]
        return len(places), max(places, default=-1)

    first = max(said, key=weight)
    return "; ".join([first, *(f"{words} in {', '.join(said[words])}" for words in said if words != first)])


def reasons(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    """Each reason that a claim gives for what it expects, behind the verdict and the series of which it says so."""
    given: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.reason:
            words = verdict_words(result, result.expect)
            given.setdefault((words[:1].upper() + words[1:], result.reason), []).append(result.series or "")
    for (words, reason), labels in given.items():
        yield words if len(labels) == len(results) else f"{words} in {', '.join(labels)}", reason
