"""How much of the reference MMU the comparisons exercise: `python tests/differential/coverage_of_models.py`.

Prints the branch coverage of `models/` by tests/differential and tests/tables, the branches that are never taken, and
how much the random comparisons cover with each configuration bit clear and set. Exit code 1 below 98 %. Left out are
planted mistakes, and what takes minutes and no other way: the chains of three levels, which those of two stand for, and
all inputs of KVM's functions, which random ones stand for.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random

import coverage
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REQUIRED = 98.0
SEED, WALKS, GUESTS = 1, 250, 150
BITS = (
    "five_level", "accessed_dirty", "supervisor_shadow_stack", "ept_violation_ve", "mbec", "sub_page_write",
    "paging_write", "guest_paging_verification", "execute_only", "page_2m", "page_1g", "advanced_exit_info",
)  # fmt: skip
GUEST_CANNOT = ("ept_violation_ve", "sub_page_write", "page_2m", "page_1g")
"""Settings that the random guests do not vary."""


def main() -> int:
    """Measures and reports."""
    data = coverage.Coverage(branch=True, source=[str(ROOT / "models")], config_file=False, data_file=None)
    data.start()
    data.switch_context("comparisons")
    output = StringIO()
    with redirect_stdout(output):
        left_out = [f"--ignore={path}" for path in [*sorted(HERE.glob("test_planted*.py")), HERE / "test_shrinking.py"]]
        left_out += ["-k", "not (every_chain_access_and_control and 3) and not all_inputs_that_matter"]
        code = pytest.main(["-q", "-p", "no:cacheprovider", *left_out, str(HERE), str(ROOT / "tests" / "tables")])
    for name in BITS:
        for value in (False, True):
            data.switch_context(f"{name}={value}")
            exercise(**{name: value})
    data.stop()
    total = report(data)
    if code:
        print(output.getvalue())
    return 0 if total >= REQUIRED and not code else 1


def exercise(**fixed: bool) -> None:
    """The reference MMU's side of the random comparisons, under one setting."""
    from spec_guests import random_guest_case
    from spec_side import specification_of_ept
    from spec_walks import random_case

    from models.scenario import answer, parse_json
    from models.sdm import access
    from verifier.cli.replay_scenario import Unrealisable, scenario

    rng, spec = Random(SEED), specification_of_ept()
    for _ in range(WALKS):
        try:
            document = scenario(spec.situation(*random_case(rng, **fixed)))
        except Unrealisable:
            continue
        answer(parse_json(json.dumps(document)), steps=True)
    for number in range(0 if fixed.keys() & set(GUEST_CANNOT) else GUESTS):
        case = random_guest_case(Random(number), **fixed)
        access(case.machine, case.request)
        access(case.machine, case.request, [])


def report(data: coverage.Coverage) -> float:
    """Prints the tables; returns the branch coverage in percent."""
    measured = data.get_data()
    exits = {file: data.branch_stats(file) for file in sorted(measured.measured_files())}
    possible = sum(total for stats in exits.values() for total, _ in stats.values())
    taken = sum(done for stats in exits.values() for _, done in stats.values())
    for file, stats in exits.items():
        missing = [line for line, (total, done) in sorted(stats.items()) if done < total]
        if missing:
            print(f"{Path(file).relative_to(ROOT)}: not every way on from line {', '.join(map(str, missing))}")
    print(f"\n{'configuration bit':<28}{'clear':>8}{'set':>8}   (random comparisons alone)")
    for name in BITS:
        shares = []
        for value in (False, True):
            measured.set_query_context(f"{name}={value}")
            arcs = [(file, arc) for file in exits for arc in set(measured.arcs(file) or [])]
            shares.append(100 * sum(arc[0] in exits[file] for file, arc in arcs) / possible)
        print(f"{name:<28}{shares[0]:>7.1f}%{shares[1]:>7.1f}%")
    measured.set_query_contexts(None)
    print(f"\nmodels/: {taken} of {possible} branches, {100 * taken / possible:.1f} %")
    return 100 * taken / possible


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(main())
