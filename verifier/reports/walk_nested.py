"""An access of a nested guest as a person would draw it: each try of L2, what KVM does about its exit, the outcome.

In: a slat-nested-outcome-1 document with its steps, and the setting of the access. Out: text in the columns of a page.
Guarantee: every step of the document is drawn, in its order, and every SPTE that was written stands among them.
Trusted: no, checked by tests/unit/verifier/cli (nested walks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verifier.reports.walk_text import Document, Setting, draw_outcome, draw_qualification, draw_steps, paged

OUTCOMES = {
    "ok": "allowed",
    "page_fault": "page fault (#PF) in L2",
    "reflected_exit": "reflected to L1",
    "vmcs12_entry_failure": "VM entry of L2 fails",
    "stuck": "L2 makes no progress",
}
EXITS = {48: "EPT violation", 49: "EPT misconfiguration"}


def render_nested_walk(document: Document, setting: Setting) -> str:
    """The text, with a final end of line."""
    lines = [*setting.headlines, "", *draw_steps(document["steps"], setting), ""]
    return paged([*lines, *_outcome(document, setting), *_memory(document, setting)], setting.page)


def render_nested_markdown(document: Document, setting: Setting) -> str:
    """The outcome in a sentence, and the drawing."""
    access, final = setting.headlines[0], _final(document)
    said = f"{access[:1].upper()}{access[1:]}: **{OUTCOMES[final['outcome']]}**"
    return f"{said}\n\n```text\n{render_nested_walk(document, setting)}```\n"


def _final(document: Document) -> Document:
    """The outcome after L0's repairs."""
    return document.get("retried", document)


def _outcome(document: Document, setting: Setting) -> Iterator[str]:
    fixed: list[Any] = document.get("fixed", [])
    if fixed:
        yield f"mended by L0 ({len(fixed)} exit{'s' if len(fixed) > 1 else ''}), then"
    final = _final(document)
    match final["outcome"]:
        case "reflected_exit":
            reason = final["exit_reason"]
            yield f"reflected to L1: {EXITS[reason]}, basic exit reason {reason}"
            yield f"  {'guest-physical address':<24}{final['guest_physical_address']}"
            if reason == 48:
                yield from draw_qualification(final, setting)
        case "ok" if "emulated_by_l0" in final:
            yield f"L0 emulates the access: {final['emulated_by_l0']}"
            yield f"  {'guest-physical address':<24}{final['guest_physical_address']}"
        case "vmcs12_entry_failure":
            yield f"{OUTCOMES['vmcs12_entry_failure']}: {final['because']}"
            yield from (f"  {words:<24}{final[key]}" for key, words in ENTRY_FIELDS if key in final)
        case "stuck":
            yield f"{OUTCOMES['stuck']}: {final['because']}"
            yield f"  {'guest-physical address':<24}{final['guest_physical_address']}"
        case _:
            yield from draw_outcome(final, setting)
    yield from (f"  KVM warns: {warning}" for warning in document.get("warnings", []))


ENTRY_FIELDS = (
    ("vm_instruction_error", "VM-instruction error"),
    ("exit_reason", "basic exit reason"),
    ("exit_qualification", "exit qualification"),
)


def _memory(document: Document, setting: Setting) -> Iterator[str]:
    """The words of memory that changed and are no SPTEs."""
    sptes = {write["address"] for write in document["sptes_written"]}
    words = {at: word for at, word in document["memory_written"].items() if at not in sptes}
    if words:
        yield "  memory that changed, SPTEs left out"
    for at, word in words.items():
        yield f"    {at:<16}{hex(setting.memory.get(int(at, 16), 0)):<19}-> {word}"
