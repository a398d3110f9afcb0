"""The pages of counterexamples and examples.

In: material. Out: a page for each, and the list of them.
Guarantee: a walk is drawn as the reference MMU performed it; everything else is what the example says.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.core.values import leaves
from verifier.obligations.explain import Reason
from verifier.obligations.result import Example, Result
from verifier.reports.html.bitfield import Drawing, draw
from verifier.reports.html.claims import claim_place
from verifier.reports.html.material import Material, Page, key_of, place_named
from verifier.reports.html.places import EXAMPLES, example_page
from verifier.reports.html.walks import Picture, picture
from verifier.reports.plain import verdict_sentence
from verifier.reports.run import reproduce
from verifier.reports.summary import standing
from verifier.reports.text import block
from verifier.reports.values import entries, replay_words
from verifier.types.kinds import Layout


@dataclass(frozen=True, slots=True)
class Word:
    """An input that is a bitfield, with its picture."""

    name: str
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list; `outcomes` are those of its walks."""

    name: str
    series: str
    place: str
    what: str
    statement: str
    outcomes: tuple[str, ...]


def pages(material: Material) -> Iterator[Page]:
    """A page for each example, and their list."""
    rows: list[Row] = []
    for result, command in zip(material.results, reproduce(material.results, material.run), strict=True):
        example = result.outcome.example
        if example is not None:
            pictures = [picture(walk) for walk in material.walks.get(key_of(result), ())]
            rows.append(_row(result, pictures))
            yield _page(result, example, pictures, (material, shlex.join(command)))
    yield Page(EXAMPLES, "examples.html", "Counterexamples and examples", {"rows": rows})


def what(result: Result) -> str:
    """What an example is called."""
    return "counterexample" if result.kind == "invariant" else "example"


def _row(result: Result, pictures: list[Picture]) -> Row:
    outcomes = tuple(dict.fromkeys(one.outcome for one in pictures))
    return Row(result.name, result.series or "", example_page(result), what(result), result.statement, outcomes)


def _page(result: Result, example: Example, pictures: list[Picture], rest: tuple[Material, str]) -> Page:
    material, command = rest
    title = f"{what(result).capitalize()}: {result.name}" + (f" in {result.series}" if result.series else "")
    content = {
        "result": result,
        "what": what(result),
        "claim": claim_place(result),
        "sentence_words": verdict_sentence(result),
        "standing": standing(result),
        "replayed": replay_words(example),
        "unique": example.unique,
        "pictures": pictures,
        "words": list(_words(result, example, material)),
        "deciding": list(entries([value for value in example.values if value.matters])),
        "assumed": list(entries([value for value in example.values if value.assumed])),
        "others": any(not (value.matters or value.assumed) for value in example.values),
        "reasons": [(reason, place_named(reason.place)) for reason in example.because],
        "concluding": _concluding(example.because),
        "text": block(result),
        "command": command,
    }
    return Page(example_page(result), "example.html", title, content)


def _words(result: Result, example: Example, material: Material) -> Iterator[Word]:
    """The bitfields among the inputs that decide."""
    kinds = {name: kind for param in material.claim(result).params for name, kind in leaves(param.type, param.name)}
    for value in example.values:
        kind = kinds.get(value.name)
        if value.matters and isinstance(kind, Layout):
            yield Word(value.name, draw(kind, int(value.raw, 16)))


def _concluding(reasons: tuple[Reason, ...]) -> int:
    """The position of the reason that concludes: the last one that stands by itself."""
    return max((position for position, reason in enumerate(reasons) if reason.depth == 0), default=-1)
