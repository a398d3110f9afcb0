"""Counterexamples and examples in KVM's own words.

In: results, those that deserve a closer look, and what the run was of. Out: for each of these what its inputs are, what
follows from them and what the architecture makes of its walks, as assignments of C macros with comments.
Guarantee: what KVM has no names for is a number or a word of the specifications; comments end where they should.
Trusted: no, checked by golden reports and the conformance tests of the formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.obligations.access_case import AccessCase
from verifier.obligations.result import Example, Result, Shown
from verifier.reports.access_tests import comment
from verifier.reports.access_words import access_words, outcome_words
from verifier.reports.kvm_words import FLAGS, in_macros, qualification_in_macros
from verifier.reports.plain import full_name, verdict_sentence
from verifier.reports.run import Run, facts, reproduce

PLACE = re.compile(r"\w+(\.\w+|\[\d+\])*")
"""What C could assign to; the choices that `undefined` leaves open are no such thing."""
CLEAR = ("false", "0x0")


def render(results: list[Result], details: list[Result], run: Run) -> str:
    """The blocks of `details`, and a line for each other result."""
    closer = {full_name(result) for result in details}
    heading = [f"{name}: {said}" for name, said in facts(results, run).items()]
    lines = comment(["By slat prove --format macros. What is not assigned does not matter, or is 0.", *heading])
    others: list[str] = []
    for result, command in zip(results, reproduce(results, run), strict=True):
        sentence = f"{full_name(result)}: {verdict_sentence(result)}"
        if full_name(result) in closer:
            reason = [f"because {result.reason}"] if result.reason and result.outcome.verdict == "refuted" else []
            lines += ["", *comment([sentence, result.statement, *reason, f"$ {' '.join(command)}"])]
            lines += _block(result)
        else:
            others.append(sentence)
    if others:
        lines += ["", *comment(others)]
    return "\n".join(lines) + "\n"


def _block(result: Result) -> Iterator[str]:
    example = result.outcome.example
    if example is None:
        return
    yield from _assignments([value for value in example.values if value.matters], "=")
    assumed = [value for value in example.values if value.assumed and value.raw not in CLEAR]
    if assumed:
        yield "/* so that the assumptions hold */"
        yield from _assignments(assumed, "|=")
    yield from _consequences(example)
    if example.accesses:
        yield "/* what the architecture makes of it */"
    told: set[tuple[object, ...]] = set()
    for access in example.accesses:
        if _told(access) not in told:
            told.add(_told(access))
            yield from _outcome(access)


def _assignments(shown: list[Shown], operator: str) -> Iterator[str]:
    """One for each input; controls and capabilities of one record share theirs, with this operator."""
    flags: dict[str, list[Shown]] = {}
    for value in shown:
        if record := _record(value):
            flags.setdefault(record, []).append(value)
    for value in shown:
        together = flags.get(_record(value), [])
        if not together:
            yield from _assignment(value.name, _text(value))
        elif value is together[0]:
            yield from _flags(f"{_record(value)} {operator}", together)


def _record(value: Shown) -> str:
    """The record that holds a control or capability."""
    record, _, name = value.name.rpartition(".")
    return record if name in FLAGS and value.raw in ("true", "false") else ""


def _flags(left: str, values: list[Shown]) -> Iterator[str]:
    names = {raw: [FLAGS[v.name.rpartition(".")[2]] for v in values if v.raw == raw] for raw in ("true", "false")}
    yield f"{left} {' | '.join(names['true']) or '0'};"
    if names["false"]:
        yield from comment([f"without {', '.join(names['false'])}"])


def _text(value: Shown) -> str:
    return in_macros(value.named) if value.named.kind else value.value


def _assignment(name: str, text: str) -> Iterator[str]:
    if PLACE.fullmatch(name):
        yield f"{name} = {text};"
    else:
        yield from comment([f"{name} = {text}"])


def _consequences(example: Example) -> Iterator[str]:
    """The bitfields on which the claim turns."""
    found = [f"{reason.text} = {in_macros(reason.named)}" for reason in example.because if reason.named.kind]
    if found:
        yield from comment(["what it comes to", *found])


def _told(access: AccessCase) -> tuple[object, ...]:
    """Data accesses of both modes are told once where the same becomes of them."""
    operation = access.operation
    fetched = operation.user_mode if operation.kind == "INSTRUCTION_FETCH" else None
    return access.walk, operation.kind, operation.paging, fetched, access.expected


def _outcome(access: AccessCase) -> Iterator[str]:
    yield from comment([f"{access_words(access)}: {outcome_words(access.expected)}"])
    if access.expected.defined:
        yield f"exit_qualification = {qualification_in_macros(access.expected.qualification)};"
