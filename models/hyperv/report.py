"""In: a workload. Out: the exits a second that it costs, beside the figures of the RFC's cover letter, as text.

Guarantee: every number but the letter's is counted by `exits`; the text says what is assumed.
Trusted: no, checked by tests/unit/models/hyperv.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import get_args

from models.hyperv.exits import Cause, L1Cause, L2Cause, Mode, Nesting, Replay, all_exits, replay
from models.hyperv.l2 import L2
from models.hyperv.trace import STANDARD_PAGES, Workload, trace

LETTER = {"RUM": 1_200_000, "RUM, eVMCS": 200_000, "MBEC, eVMCS": 50_000}
"""The letter does not say whether its 50,000 are with enlightened VMCS; they are shown where they fit best."""
CAUSES: tuple[Cause, ...] = (*get_args(L2Cause), *get_args(L1Cause))
VERIFIED = (0, 25, 50, 75, 100)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The columns of the table: exits a second by cause; `accesses` is how many the reference MMU performed."""

    columns: dict[str, Counter[Cause]]
    accesses: int


def compare(workload: Workload, nesting: Nesting) -> Comparison:
    """Replays the workload in both modes and counts each with and without enlightened VMCS."""
    rum, mbec = _replay(workload, "Restricted User Mode"), _replay(workload, "MBEC")
    enlightened = replace(nesting, enlightened_vmcs=True)
    columns = {
        "RUM": _per_second(workload, rum, nesting),
        "RUM, eVMCS": _per_second(workload, rum, enlightened),
        "MBEC": _per_second(workload, mbec, nesting),
        "MBEC, eVMCS": _per_second(workload, mbec, enlightened),
    }
    return Comparison(columns, len(rum.done))


def report(workload: Workload | None = None, nesting: Nesting | None = None) -> str:
    """The whole text."""
    workload, nesting = workload or Workload(), nesting or Nesting()
    compared = compare(workload, nesting)
    lines = [
        *_parameters(workload, nesting, compared.accesses),
        "",
        *_table(compared.columns),
        "",
        *_ratios({name: counts.total() for name, counts in compared.columns.items()}),
        "",
        *_backwards(),
        "",
        *_sensitivity(workload, nesting),
        "",
        *ASSUMED,
    ]
    return "\n".join(lines)


ASSUMED = (
    "Modelled: which of L2's accesses exit; the reference MMU performs each under EPT_K, EPT_U or an EPT with MBEC.",
    "Assumed: V1, V2 and one exit for each switch; every rate, share and number of VMREADs and VMWRITEs; no shadow",
    "VMCS, EPT02 filled, VTL calls among the other exits. The rates are chosen to meet the letter. It gives three",
    "figures, and the model has three free numbers (exits of L2, VMREADs and VMWRITEs for each, share of switches):",
    "that they agree is no evidence of how Restricted User Mode works.",
)


def _replay(workload: Workload, mode: Mode) -> Replay:
    return replay(trace(workload), L2(STANDARD_PAGES), mode)


def _per_second(workload: Workload, replayed: Replay, nesting: Nesting) -> Counter[Cause]:
    counts = all_exits(replayed, nesting)
    return Counter({cause: count * 1000 // workload.milliseconds for cause, count in counts.items()})


def _parameters(workload: Workload, nesting: Nesting, accesses: int) -> list[str]:
    return [
        f"A second: {workload.round_trips:,} round trips from user mode into the kernel, {workload.other_exits:,} "
        f"other exits of L2, {workload.injecting} % of",
        f"which interrupt user mode; {workload.verified} % of user code in pages with KMX; "
        f"{nesting.vmreads} VMREADs and {nesting.vmwrites} VMWRITEs for each exit of L2.",
        f"Replayed: {workload.milliseconds} ms, {accesses:,} accesses in each mode.",
    ]


def _table(columns: dict[str, Counter[Cause]]) -> list[str]:
    def line(name: str, cells: list[str]) -> str:
        return f"{name:<24}" + "".join(f"{cell:>14}" for cell in cells)

    rows = [line("VM exits a second", list(columns))]
    rows += [line(cause, [f"{counts[cause]:,}" for counts in columns.values()]) for cause in CAUSES]
    rows.append(line("all", [f"{counts.total():,}" for counts in columns.values()]))
    rows.append(line("cover letter", [f"{LETTER[name]:,}" if name in LETTER else "-" for name in columns]))
    return rows


def _ratios(totals: dict[str, int]) -> list[str]:
    def ratio(figures: dict[str, int], before: str, after: str) -> str:
        return f"{figures[before] / figures[after]:.1f}"

    pairs = (("RUM", "RUM, eVMCS"), ("RUM, eVMCS", "MBEC, eVMCS"), ("RUM", "MBEC, eVMCS"))
    return [
        f"{f'{before} : {after}':<26}{ratio(totals, before, after):>6}   letter {ratio(LETTER, before, after):>5}"
        for before, after in pairs
    ]


def _backwards() -> list[str]:
    """The letter's figures solved for the model's parameters."""
    rum, evmcs, mbec = LETTER.values()
    handled = evmcs // 2
    cost = rum // handled
    left = [100 * mbec / each / handled for each in (2, cost)]
    return [
        f"The letter read backwards: an exit of L2 costs two with eVMCS, itself and VMRESUME: there are {handled:,} a",
        f"second. Without eVMCS each costs {cost}: {cost - 2} are VMREAD or VMWRITE. Of the exits of L2, "
        f"{100 - left[0]:.0f} % are switches",
        f"if the letter's {mbec:,} are with eVMCS, {100 - left[1]:.0f} % if they are not.",
    ]


def _sensitivity(workload: Workload, nesting: Nesting) -> list[str]:
    enlightened = replace(nesting, enlightened_vmcs=True)
    lines = ["user code with KMX, %    RUM, eVMCS"]
    for share in VERIFIED:
        varied = replace(workload, verified=share)
        counts = _per_second(varied, _replay(varied, "Restricted User Mode"), enlightened)
        lines.append(f"{share:>21}{counts.total():>14,}")
    return lines
