"""One access as a person would draw it: the walk level by level, then the outcome.

In: a slat-outcome-1 document with its steps, and the setting of the access. Out: text in the columns of a page, which
is about 100 wide on a terminal and 72 in a mail.
Guarantee: every step of the document is drawn, in its order; the one that decides carries an arrow and its section.
Trusted: no, checked by tests/unit/verifier/cli (walks as text).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verifier.reports.walk_bits import (
    MODE_BASED_QUALIFICATION_BITS,
    QUALIFICATION_BITS,
    SUB_PAGE_BITS,
    entry_bits,
    error_code_bits,
    numbers,
    qualification_bits,
)

Document = Mapping[str, Any]

STAGE, ADDRESS, ENTRY = 14, 16, 19
AFTERMATH = ("EPT flags", "guest flags", "memory type", "#VE")
"""Stages that follow from the decision and take no part in it."""

OUTCOMES = {
    "ok": "allowed",
    "page_fault": "page fault (#PF)",
    "ept_violation": "EPT violation: VM exit, basic exit reason 48",
    "ept_misconfiguration": "EPT misconfiguration: VM exit, basic exit reason 49",
    "spp_event": "SPP-related event: VM exit, basic exit reason 66",
    "virtualization_exception": "EPT violation, delivered as #VE (vector 20)",
    "vm_entry_failure": "VM entry fails",
}
FIELDS = (
    ("guest_linear_address", "guest-linear address"),
    ("guest_physical_address", "guest-physical address"),
    ("host_physical_address", "host-physical address"),
    ("effective_memory_type", "effective memory type"),
    ("vm_instruction_error", "VM-instruction error"),
)
_citation = re.compile(r" \((SDM \"[^\"]*\")\)$")


@dataclass(frozen=True, slots=True)
class Page:
    """Columns: `bits` of an entry stand beside it, or below it at `column` if there is no room for them."""

    width: int
    bits: int
    column: int


WIDE = Page(100, 38, 3 + STAGE + ADDRESS + ENTRY)
NARROW = Page(72, 0, 3 + STAGE)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the drawing needs of a scenario: headlines, whether MBE is in force, the words of memory by address."""

    headlines: tuple[str, ...]
    mode_based: bool
    memory: Mapping[int, int]
    page: Page = WIDE


def render(document: Document, setting: Setting) -> str:
    """The text, with a final end of line."""
    lines = [*setting.headlines, "", *draw_steps(document["steps"], setting), ""]
    return paged([*lines, *draw_outcome(document, setting), *_memory(document, setting)], setting.page)


def paged(lines: Iterable[str], page: Page) -> str:
    """The lines as they fit the page, with a final end of line."""
    return "\n".join(part.rstrip() for line in lines for part in _fitting(line, page)) + "\n"


def draw_steps(steps: list[Document], setting: Setting) -> Iterator[str]:
    """The walk level by level, below its columns' names."""
    page, deciding = setting.page, decisive(steps)
    if any("entry" in step for step in steps):
        bits = f"{'bits':<{page.bits}}" if page.bits else ""
        yield f"{'':3}{'':<{STAGE}}{'address':<{ADDRESS}}{'entry':<{ENTRY}}{bits}rights"
    for position, step in enumerate(steps):
        yield from _step(step, position == deciding, setting)


def _fitting(line: str, page: Page) -> list[str]:
    """The line, broken where it is wider than a narrow page; a wide one lets it be."""
    if page is not NARROW or len(line) <= page.width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) or 7)  # a headline goes on after its first word
    return textwrap.wrap(line, page.width, subsequent_indent=indent, break_on_hyphens=False)


def decisive(steps: list[Document]) -> int:
    """The position of the step that decides: the last one that is no consequence of another."""
    return max((i for i, step in enumerate(steps) if step["stage"] not in AFTERMATH), default=-1)


def _step(step: Document, decides: bool, setting: Setting) -> Iterator[str]:
    note, citation = cited(step["note"])
    page = setting.page
    if step["stage"] == "EPT" and "address" in step:
        yield f"EPT {note}: guest-physical {step['address']}"
        return
    head = f"{'=> ' if decides else '   '}{step['stage']:<{STAGE}}"
    head += f"{step.get('address', ''):<{ADDRESS}}" if "address" in step or "entry" in step else ""
    if "entry" not in step:
        yield from _hanging(head, note, page)
    elif " -> " in note:
        bits, _, rights = note.partition("; rights so far: ")
        yield from _with_rights(head + f"{step['entry']:<{ENTRY}}", bits, rights, page)
    else:
        bits = entry_bits(step["stage"], int(step["entry"], 16), setting.mode_based)
        yield from _beside(head + f"{step['entry']:<{ENTRY}}", bits, page)
        yield from _hanging(" " * page.column, note, page)
    if decides and citation:
        yield " " * (page.column if "entry" in step else len(head)) + citation


def cited(note: str) -> tuple[str, str]:
    """A note and the section that it cites, which may be empty."""
    found = _citation.search(note)
    return (note[: found.start()], found[1]) if found else (note, "")


def _with_rights(head: str, bits: str, rights: str, page: Page) -> Iterator[str]:
    """Rights so far stand beside the entry's bits; where the entry points goes below if there is no room."""
    if not page.bits:
        yield head + rights
        yield from _hanging(" " * page.column, bits, page)
        return
    if len(bits) < page.bits:
        yield f"{head}{bits:<{page.bits}}{rights}"
        return
    flags, _, target = bits.partition(" -> ")
    yield f"{head}{flags:<{page.bits}}{rights}"
    yield f"{'':{page.column}}-> {target}"


def _beside(head: str, bits: str, page: Page) -> Iterator[str]:
    """The bits beside the entry, or below it on a page without a column for them."""
    if not page.bits:
        yield head
        head = " " * page.column
    yield from _hanging(head, bits, page)


def _hanging(head: str, text: str, page: Page) -> Iterator[str]:
    """The text after its head, wrapped below its own beginning."""
    first, *rest = textwrap.wrap(text, page.width - len(head), break_on_hyphens=False) or [""]
    yield head + first
    for line in rest:
        yield " " * len(head) + line


def draw_outcome(document: Document, setting: Setting) -> Iterator[str]:
    """What the access ends in, with its addresses and codes."""
    yield OUTCOMES[document["outcome"]]
    yield from (f"  {words:<24}{document[key]}" for key, words in FIELDS if key in document)
    if document["outcome"] == "vm_entry_failure" and "exit_reason" in document:
        yield f"  {'basic exit reason':<24}{document['exit_reason']}, qualification {document['exit_qualification']}"
    elif "exit_qualification" in document:
        yield from draw_qualification(document, setting)
    if "virtualization_exception_information" in document:
        yield from _virtualization_exception(document, setting)
    if "page_fault_error_code" in document:
        code = document["page_fault_error_code"]
        yield f"  {'error code':<24}{code}"
        yield from (f"    bit {bit}" for bit in error_code_bits(int(code, 16)))


def draw_qualification(document: Document, setting: Setting) -> Iterator[str]:
    """The exit qualification, bit by bit."""
    value, defined = document["exit_qualification"], document["exit_qualification_defined"]
    yield f"  {'exit qualification':<24}{value} (defined bits {defined})"
    names = dict(enumerate(MODE_BASED_QUALIFICATION_BITS if setting.mode_based else QUALIFICATION_BITS))
    if document.get("outcome") == "spp_event":
        names = dict(SUB_PAGE_BITS)
    phrases = list(qualification_bits(int(value, 16), int(defined, 16), names))
    if setting.page is NARROW:
        yield from (f"    bit {phrase}" for phrase in phrases)
        return
    half = (len(phrases) + 1) // 2
    for left, right in zip(phrases[:half], [*phrases[half:], ""], strict=False):
        yield f"    bit {left + ' ':<40}" + (f"bit {right}" if right else "")


def _virtualization_exception(document: Document, setting: Setting) -> Iterator[str]:
    area = document["virtualization_exception_information"]
    yield f"  {'information area':<24}{area['address']} (host-physical)"
    yield f"  {' guest-linear address':<24}{area['guest_linear_address']}"
    yield f"  {' guest-physical address':<24}{area['guest_physical_address']}"
    yield f"  {' EPTP index':<24}{area['eptp_index']}"
    yield from draw_qualification(area, setting)
    if "exit_reason" in document:
        yield "  intercepted by the exception bitmap: VM exit, basic exit reason 0"


def _memory(document: Document, setting: Setting) -> Iterator[str]:
    written: Mapping[str, str] = document.get("memory_written", {})
    if not written:
        return
    structures = {s["address"]: s["stage"] for s in document["steps"] if "address" in s and "entry" in s}
    yield "  memory that changed"
    for address, word in written.items():
        before, after = setting.memory.get(int(address, 16), 0), int(word, 16)
        stage = structures.get(address, "")
        flags = " ".join(str(position) for position in numbers(after & ~before))
        what = f"{stage}: " if stage.startswith("EPT") else ""
        note = f"{what}sets bit{'s' if ' ' in flags else ''} {flags}" if len(flags) < 12 else ""
        line = f"    {address:<16}{hex(before):<19}-> {word:<19}"
        yield from [line, f"{'':20}{note}"] if note and setting.page is NARROW else [line + note]
