"""`python -m bench [NAME] [CLAIM...]`.

In: the name of a benchmark and of claims. Out: its ratios on standard output.
Guarantee: both times of a ratio are taken in this run.
Trusted: no.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import diff, extras, machines, overhead, series, site, sweep, unchanged, walk
from verifier.diagnostics.model import Diagnosed
from verifier.diagnostics.render import render

BENCHMARKS: dict[str, Callable[[tuple[str, ...]], str]] = {
    "overhead": overhead.measure,
    "extras": extras.measure,
    "second": extras.measure_second,
    "unchanged": unchanged.measure,
    "walk": walk.measure,
    "memory": walk.measure_memory,
    "machines": machines.measure,
    "sweep": sweep.measure,
    "series": series.measure,
    "site": site.measure,
    "diff": diff.measure,
}


def main(words: list[str]) -> int:
    """Runs the benchmark that the first word names, or all of them."""
    sys.setrecursionlimit(20_000)
    named = words[:1] if words and words[0] in BENCHMARKS else []
    claims = tuple(words[len(named) :])
    for name in named or BENCHMARKS:
        try:
            print(BENCHMARKS[name](claims), flush=True)
        except Diagnosed as error:
            print(*map(render, error.diagnostics), sep="\n", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
