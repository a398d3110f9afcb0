"""What guest accesses do on Bochs, a batch at a time.

In: `Case`s. Out: one `Observation` each, in order.
Guarantee: cases do not see each other; memory is zero but for what a case lists, and TLBs are empty (VPIDs are
not used, so every VM entry and exit flushes them).
Trusted: no, checked by test_harness.py.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence

from .case import Access, Capabilities, Case, Observation
from .image import CODE_OFFSET, PROGRAM, RECORDS, RESULTS
from .processor import CR4_LA57, processor

BATCH = 2000  # cases in one run of the program, at most


def run(cases: Sequence[Case]) -> list[Observation]:
    """Runs each case on Bochs.

    Raises `build.UnavailableError` if Bochs cannot be started, `ValueError` if a case is not what `Case` demands.
    """
    observed: dict[int, Observation] = {}
    for la57 in (
        False,
        True,
    ):  # Bochs does not set the width of linear addresses at VM entry: the program has to have it
        chosen = [number for number, case in enumerate(cases) if bool(case.guest.cr4 & CR4_LA57) is la57]
        found: list[Observation] = []
        for batch in _batches(cases[number] for number in chosen):
            found += _observations(processor().run(batch, la57), len(batch))
        observed.update(zip(chosen, found, strict=True))
    return [observed[number] for number in range(len(cases))]


def capabilities() -> Capabilities:
    """What the processor reports about itself."""
    processor().run([], la57=False)
    maxphyaddr, ept_vpid_cap, primary, secondary, tertiary = processor().capabilities()[:5].tolist()
    return Capabilities(maxphyaddr, ept_vpid_cap, primary, secondary, tertiary)


def _batches(cases: Iterable[Case]) -> Iterator[list[array[int]]]:
    """The records of the cases, as many at a time as there is room for."""
    batch: list[array[int]] = []
    room = (RESULTS - RECORDS) // 8
    for case in cases:
        record = _record(case)
        if len(record) > room or len(batch) == BATCH:
            yield batch
            batch, room = [], (RESULTS - RECORDS) // 8
        batch.append(record)
        room -= len(record)
    if batch:
        yield batch


def _record(case: Case) -> array[int]:
    """`struct record` of the program."""
    controls, guest, memory = case.controls, case.guest, case.memory
    if any(address & 7 or not 0 <= address < PROGRAM for address in memory):
        raise ValueError(f"memory is listed by multiples of 8 below {PROGRAM:#x}")
    record = array("Q", (controls.eptp, controls.primary, controls.secondary, controls.tertiary))
    record.extend((controls.ve_information_address, controls.sppt_pointer))
    record.extend((guest.cr0, guest.cr3, guest.cr4, guest.efer, guest.cpl, guest.rflags))
    record.extend(guest.pdptes)
    if case.kind is Access.FETCH:
        record.extend((case.linear_address, 0))
    else:
        record.extend((case.code + CODE_OFFSET[case.kind], case.linear_address))
    record.append(len(memory))
    record.extend(itertools.chain.from_iterable(memory.items()))
    return record


def _observations(results: memoryview, count: int) -> Iterator[Observation]:
    """Reads `struct result` of the program, `count` times."""
    offset = 0
    for _ in range(count):
        error, reason, qualification, physical, linear, exception, code, value, changed = results[offset : offset + 9]
        words = results[offset + 9 : offset + 9 + 2 * changed].tolist()
        offset += 9 + 2 * changed
        memory = dict(zip(words[::2], words[1::2], strict=True))
        yield Observation(error, reason, qualification, physical, linear, exception, code, value, memory)
