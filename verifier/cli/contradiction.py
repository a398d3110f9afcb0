"""Specification and reference MMU say different things of one access.

In: a walk of an example, and what either side says. Out: words for whoever has to find out which side is wrong.
Guarantee: both verdicts, in words, with the commands that show the walk; no document is poured out.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from verifier.cli.replay_ept import Verdict
from verifier.cli.replay_scenario import Fields

COLUMN = 15
OUTCOMES = {
    "TRANSLATED": "allowed",
    "EPT_VIOLATION": "EPT violation",
    "EPT_MISCONFIGURATION": "EPT misconfiguration",
    "SUB_PAGE_EVENT": "SPP event",
}
STAGES = {
    "GUEST_ENTRIES": "at the guest's entries",
    "GUEST_RIGHTS": "at the guest's rights",
    "GUEST_FLAGS": "at the guest's accessed and dirty flags",
    "FINAL_ADDRESS": "at the final address",
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """`verdicts` on an access of `document`: the specification's, and the reference MMU's.

    `claim` names the example, the words of `again` save its document as `file`; so many `others` differ, too.
    """

    claim: str
    again: tuple[str, ...]
    document: Fields
    file: str
    verdicts: tuple[Verdict, Verdict]
    others: int

    def __str__(self) -> str:
        said, seen = self.verdicts
        rows = {
            "access": access_words(self.document["access"]) + (f", and {self.others} more" if self.others else ""),
            "specification": verdict_words(said),
            "reference MMU": verdict_words(seen),
            "look closer": f"{shlex.join(self.again)} --save DIR; slat walk DIR/{shlex.quote(self.file)}",
        }
        head = f"disagreement: of the example of `{self.claim}` specification and reference MMU say different things"
        return "\n".join([f"{head}; one is wrong", *(f"  {name:<{COLUMN}} {text}" for name, text in rows.items())])


def verdict_words(verdict: Verdict) -> str:
    """What becomes of an access, in one line."""
    words = [" ".join(filter(None, (OUTCOMES.get(verdict.outcome, verdict.outcome), STAGES.get(verdict.stage))))]
    if verdict.guest_physical_address:
        words.append(f"guest-physical address {verdict.guest_physical_address:#x}")
    if verdict.outcome == "TRANSLATED":
        words.append(f"host-physical address {verdict.host_physical_address:#x}")
    if verdict.defined:
        words.append(f"exit qualification {verdict.qualification:#x} (defined bits {verdict.defined:#x})")
    words += [f"writes {word:#x} to {address:#x}" for address, word in verdict.written]
    return ", ".join(words)


def access_words(access: Fields) -> str:
    """The access of a scenario, in one line."""
    names = {"linear_address": "linear address", "guest_physical_address": "guest-physical address"}
    places = [f"{words} {access[key]}" for key, words in names.items() if key in access]
    flags = [key.replace("_", " ") for key, value in access.items() if value is True]
    return ", ".join([f"{access['kind']} at {places[0]}" if places else access["kind"], *flags])
