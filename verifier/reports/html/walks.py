"""One access as a picture of its walk.

In: a slat-outcome-1 document with its steps, and the setting of the access. Out: a `Picture`, level by level.
Guarantee: every step of the document is there, in its order; one of them decides.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from verifier.reports.walk_bits import entry_bits
from verifier.reports.walk_text import (
    AFTERMATH,
    NARROW,
    OUTCOMES,
    Document,
    Setting,
    cited,
    decisive,
    draw_outcome,
    render,
)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk of an example on the reference MMU: the claim's `name` for it, its outcome, and its setting."""

    name: str
    document: Document
    setting: Setting


@dataclass(frozen=True, slots=True)
class Step:
    """A step. With an `entry` it reads one: `bits` are its set bits, `target` where it leads, `rights` those so far.

    `kind` is `phase` for the beginning of a walk through EPT, `ept` for a step of it, else `guest`.
    """

    kind: str
    stage: str
    address: str
    entry: str
    bits: str
    target: str
    rights: str
    note: str
    cite: str
    decides: bool
    follows: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a walk; `setting` says what is in force of guest and EPT.

    `details` are lines of text about its outcome, `text` is the whole walk as text.
    """

    name: str
    access: str
    setting: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    outcome: str
    details: str
    text: str


def picture(walk: Walk) -> Picture:
    """The picture of a walk."""
    document, setting = walk.document, replace(walk.setting, page=NARROW)
    title, *details = draw_outcome(document, setting)
    access, *around = walk.setting.headlines
    assert title == OUTCOMES[document["outcome"]]
    return Picture(
        walk.name,
        access,
        tuple(_halves(line) for line in around),
        tuple(_steps(document, setting)),
        title,
        "\n".join(line.removeprefix("  ") for line in details),
        render(document, setting),
    )


def _halves(headline: str) -> tuple[str, str]:
    """What a headline is about, and what it says."""
    about, _, said = headline.partition(" ")
    return about, said.strip()


def _steps(document: Document, setting: Setting) -> Iterator[Step]:
    steps = document["steps"]
    decides = decisive(steps)
    for position, step in enumerate(steps):
        yield _step(step, position == decides, setting)


def _step(step: Document, decides: bool, setting: Setting) -> Step:
    note, cite = cited(step["note"])
    stage, address, entry = step["stage"], step.get("address", ""), step.get("entry", "")
    if stage == "EPT" and address:
        return Step("phase", f"EPT {note}", address, "", "", "", "", "", cite, decides, False)
    kind = "ept" if stage.startswith("EPT") else "guest"
    bits = target = rights = ""
    if entry and " -> " in note:
        said, _, rights = note.partition("; rights so far: ")
        bits, _, target = said.partition(" -> ")
        note = ""
    elif entry:
        bits = entry_bits(stage, int(entry, 16), setting.mode_based)
    return Step(kind, stage, address, entry, bits, target, rights, note, cite, decides, stage in AFTERMATH)
