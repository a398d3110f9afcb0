"""`slat walk`: runs the reference MMU.

In: scenarios (slat-scenario-1, slat-nested-scenario-1). Out: what becomes of each access, as a drawing or as documents
(slat-outcome-1, slat-nested-outcome-1).
Guarantee: one answer for each line of a batch, in order, in constant memory; wrong input never ends in a traceback.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO, cast

import click

from models.scenario import Document, InputError, answer, parse_json, read_scenario, render_outcome
from models.sdm import Step, access
from verifier.cli import complete
from verifier.cli.shared import Failure, fail, reason
from verifier.cli.walk_errors import diagnose, error_object
from verifier.cli.walk_setting import setting_of
from verifier.diagnostics.model import Diagnosed
from verifier.files import open_file
from verifier.reports.walk_markdown import render_markdown
from verifier.reports.walk_text import NARROW, render

STANDARD_INPUT = "-"
NESTED = "slat-nested-scenario-1"
FORMATS = ("text", "json", "mail", "markdown")


@click.command("walk")
@click.argument("scenario", required=False, metavar="[SCENARIO]", shell_complete=complete.files)
@click.option("--batch", is_flag=True, help="Read JSON Lines and answer each line, in order, as JSON.")
@click.option("--steps", is_flag=True, help="Put the steps of the walk into the answers of a batch, too.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How the answer is written; `mail` is a drawing of at most 72 columns.")  # fmt: skip
@click.option("--json", "form", flag_value="json", help="The same as `--format json`.")
def command(scenario: str | None, batch: bool, steps: bool, form: str) -> None:
    """Perform the access of SCENARIO, a JSON file (- is standard input), on the reference MMU.

    With --batch, SCENARIO holds one scenario a line, and may be left out for standard input. A line that is no
    scenario is answered by an error object, and the exit code is 2 at the end; else it is 0, whatever the outcomes.

    \b
    Examples:
      slat walk scenario.json
      slat walk scenario.json --format mail
      slat walk --json - < scenario.json
      slat walk --batch < scenarios.jsonl
    """
    if scenario == "":
        raise fail("an empty word is no scenario", "`-` is standard input")
    if not batch and scenario is None:
        raise fail("`walk` needs a scenario", "`slat walk FILE`, `slat walk -`, or `slat walk --batch`")
    if batch and form in ("mail", "markdown"):
        raise fail(f"`--format {form}` draws one walk", "`--batch` answers with JSON Lines")
    if not batch and steps:
        raise fail("`--steps` belongs to `--batch`", "without it, the steps are always part of the answer")
    with _open(scenario or STANDARD_INPUT) as source:
        if not batch:
            click.echo(_single(_read(source, scenario or ""), scenario or "", form), nl=False)
        elif not _answer_lines(source, scenario or STANDARD_INPUT, steps):
            raise Failure(2)


def _open(name: str) -> TextIO:
    """The file, or standard input. Bytes that are no UTF-8 become characters that no scenario may contain."""
    if name != STANDARD_INPUT:
        try:
            binary = open_file(Path(name))
        except OSError as error:
            raise _cannot_read(name, error) from None
    elif sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]  (it is where the process has none)
        raise fail("cannot read standard input: it is closed", "")
    else:
        binary = sys.stdin.buffer
    return io.TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", newline="\n")


def _read(source: TextIO, name: str) -> str:
    try:
        return source.read()
    except OSError as error:
        raise _cannot_read(name, error) from None


def _cannot_read(name: str, error: OSError) -> Diagnosed:
    shown = "standard input" if name == STANDARD_INPUT else f"`{name}`"
    return fail(f"cannot read {shown}: {reason(error)}", "")


def _single(text: str, name: str, form: str) -> str:
    """The answer to one scenario."""
    try:
        scenario = parse_json(text)
        drawn = _draw_nested(scenario, form) if _is_nested(scenario) else _draw(scenario, form)
    except InputError as error:
        raise Diagnosed([diagnose(error, "<stdin>" if name == STANDARD_INPUT else name)]) from None
    return drawn


def _is_nested(document: object) -> bool:
    return isinstance(document, dict) and cast("Document", document).get("schema") == NESTED


def _draw(document: object, form: str) -> str:
    """The answer to a scenario without nesting."""
    scenario = read_scenario(document)
    trace: list[Step] = []
    answered = render_outcome(access(scenario.machine, scenario.request, trace), trace)
    if form == "json":
        return json.dumps(answered, indent=2) + "\n"
    setting = setting_of(scenario)
    if form == "markdown":
        return render_markdown(answered, setting)
    return render(answered, replace(setting, page=NARROW) if form == "mail" else setting)


def _draw_nested(document: object, form: str) -> str:
    """The answer to a scenario with an L1 and an L2."""
    from verifier.cli.walk_nested import perform  # KVM's model, which other walks do without
    from verifier.reports.walk_nested import render_nested_markdown, render_nested_walk

    answered, setting = perform(document)
    if form == "json":
        return json.dumps(answered, indent=2) + "\n"
    if form == "markdown":
        return render_nested_markdown(answered, setting)
    return render_nested_walk(answered, replace(setting, page=NARROW) if form == "mail" else setting)


def _answer_nested(document: object, steps: bool) -> Document:
    from models.kvm.scenario import answer_nested  # as above

    return answer_nested(document, steps)


def _answer_lines(lines: TextIO, name: str, steps: bool) -> bool:
    """Answers each line on a line of its own; whether every line was a scenario.

    Answers to a terminal or a pipe are sent at once: whoever feeds lines may be waiting for them.
    """
    waiting = not lines.seekable()
    output = sys.stdout
    write, encode = output.write, json.JSONEncoder().encode
    all_answered = True
    for document in _documents(_lines(lines, name), steps):
        all_answered = all_answered and "error" not in document
        write(encode(document) + "\n")
        if waiting:
            output.flush()
    output.flush()
    return all_answered


def _lines(source: TextIO, name: str) -> Iterator[str]:
    try:
        yield from source
    except OSError as error:
        raise _cannot_read(name, error) from None


def _documents(lines: Iterable[str], steps: bool) -> Iterable[Document]:
    for line in lines:
        try:
            document = parse_json(line)
            yield _answer_nested(document, steps) if _is_nested(document) else answer(document, steps)
        except InputError as error:
            yield error_object(error)
