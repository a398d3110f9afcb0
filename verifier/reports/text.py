"""Results for a terminal.

In: results. Out: a table of all verdicts, and a block for each claim that deserves one.
Guarantee: the same results give the same bytes; colour is added only if asked for.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from verifier.obligations.explain import Reason
from verifier.obligations.result import Example, Result
from verifier.reports import escalation
from verifier.reports.summary import Summary, summarize
from verifier.reports.values import Columns, entry, replay_words, value_lines

WIDTH = 110
VALUES, ESCALATION = Columns(6, 35, WIDTH), Columns(6, 16, WIDTH)


def render(results: list[Result], details: list[Result]) -> str:
    """The blocks of `details`, the table of `results` and a closing line."""
    parts = [block(result) for result in details]
    parts += [table(results), closing(summarize(results))]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(results: list[Result]) -> str:
    """One row a claim. Several series share a table with a column each, and those that decide little have their own."""
    series = list(dict.fromkeys(r.series for r in results if r.series is not None))
    if len(series) < 2:
        return _tabulated(("verdict", "id", "claim", "solver", ""), [_row(r) for r in results])
    whole = deciding_everything(results)
    same = [r for r in results if r.series is None]
    partial = [r for r in results if r.series not in (None, *whole)]
    tables = [_tabulated(("verdict", "id", "claim", "solver", ""), [_row(r) for r in same])] if same else []
    if whole:
        tables.append(_tabulated(("id", "claim", *whole, ""), _by_series(results, whole)))
    if partial:
        order = sorted(partial, key=lambda r: series.index(r.series or ""))
        rows = [(r.series or "", " ".join(r.ids), r.name, verdict_words(r), remark(r)) for r in order]
        tables.append(_tabulated(("version", "id", "claim", "verdict", ""), rows))
    return "\n\n".join(tables)


def _tabulated(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    from tabulate import tabulate

    return tabulate(rows, headers=head, tablefmt="simple", disable_numparse=True)


def _row(r: Result) -> tuple[str, ...]:
    return verdict_words(r), " ".join(r.ids), r.name, ", ".join(r.outcome.solvers), remark(r)


def deciding_everything(results: list[Result]) -> list[str]:
    """The series in which every claim is decided that is decided in any series."""
    series = list(dict.fromkeys(r.series for r in results if r.series is not None))
    claims = {name: {(r.module, r.name) for r in results if r.series == name} for name in series}
    every = set[tuple[str, str]]().union(*claims.values())
    return [name for name in series if claims[name] == every]


def _by_series(results: list[Result], series: list[str]) -> list[tuple[str, ...]]:
    """Remarks are those of all series; one that is as expected goes without."""
    rows: list[tuple[str, ...]] = []
    shown = [r for r in results if r.series in series]
    for _, group in groupby(shown, key=lambda r: (r.module, r.name)):
        found = {r.series: r for r in group}
        one = found[series[0]]
        wrong = [f"{remark(r)} in {r.series}" for r in found.values() if not r.as_expected]
        cells = [verdict_words(found[name]) for name in series]
        rows.append((" ".join(one.ids), one.name, *cells, "; ".join(wrong)))
    return rows


def verdict_words(result: Result, verdict: str = "") -> str:
    """`reachable` and `unreachable` for a witness, else the verdict: that of the result, if no other is given."""
    verdict = verdict or result.outcome.verdict
    if result.kind == "witness" and verdict in ("proved", "refuted"):
        return "reachable" if verdict == "proved" else "unreachable"
    return verdict.replace("_", " ")


def remark(result: Result) -> str:
    """What is to be said beside the verdict."""
    if result.outcome.vacuous is not None:
        return f"VACUOUS, {result.outcome.vacuous}"
    if not result.as_expected:
        return f"NOT AS EXPECTED ({result.expect})"
    return "as expected" if result.expect != "proved" else ""


def closing(summary: Summary) -> str:
    """One line that counts verdicts."""
    words = [
        f"{summary.claims} claim{'s' * (summary.claims != 1)}",
        f"{summary.proved} proved",
        f"{summary.refuted} refuted",
    ]
    words += [f"{summary.reachable} reachable"] if summary.reachable else []
    words += [f"{summary.not_modelled} not modelled"] if summary.not_modelled else []
    words += [f"{summary.unknown} unknown"] if summary.unknown else []
    words += [f"{summary.vacuous} vacuous"] if summary.vacuous else []
    wrong = summary.not_as_expected
    words.append("all as expected" if not wrong else f"{wrong} not as expected")
    return ", ".join(words)


def block(result: Result) -> str:
    """The claim, and its counterexample or example."""
    expected = f"expected {result.expect.replace('_', ' ')}" if result.kind == "invariant" else ""
    where = f"  in {result.series}" if result.series else ""
    head = f"{verdict_words(result):<9} {result.name:<44} {expected:<18} {', '.join(result.outcome.solvers)}{where}"
    lines = [head.rstrip(), *_wrapped(result.statement, f"{result.file}:{result.line}")]
    if result.outcome.verdict == "not_modelled":
        lines += [f"  says nothing here: {name}" for name in result.outcome.core]
    if result.reason and result.outcome.verdict in ("refuted", "not_modelled"):
        lines += textwrap.wrap(f"because {result.reason}", WIDTH, initial_indent="  ", subsequent_indent="  ")
    if result.outcome.vacuous:
        lines.append(f"  vacuous: {result.outcome.vacuous}")
    if result.outcome.example is not None:
        lines += _example(result.kind, result.outcome.example)
    return "\n".join(lines)


def _wrapped(statement: str, place: str) -> Iterator[str]:
    """The sentence, with the place of the claim at the end of its first line."""
    lines = textwrap.wrap(statement, max(WIDTH - len(place) - 6, WIDTH // 4)) or [""]
    yield f"  {lines[0]:<{max(WIDTH - len(place) - 4, 0)}}  {place}"
    for line in lines[1:]:
        yield f"  {line}"


def _example(kind: str, example: Example) -> Iterator[str]:
    if example.escalation is not None:
        yield f"  {escalation.heading(example.escalation)}"
        for name, text in escalation.lines(example.escalation):
            yield from entry(name, [text], ESCALATION)
    what = "minimal counterexample" if kind == "invariant" else "minimal example"
    unique = "unique" if example.unique else "not unique"
    yield f"  {what} ({unique}; {replay_words(example)})"
    yield from value_lines(example, VALUES)
    if example.because:
        yield "  the claim fails because" if kind == "invariant" else "  the claim holds because"
        for reason in example.because:
            yield _reason(reason)


def _reason(reason: Reason) -> str:
    indent = "      " + "  " * reason.depth
    if not reason.value:
        return f"{indent}{reason.text}"
    said = f"{indent}{reason.text} = {reason.value}"
    where = "  ".join(part for part in (reason.place, reason.cite) if part)
    if not where:
        return said
    return f"{said:<72}  {where}" if len(said) <= 72 else f"{said}\n{indent}    {where}"
