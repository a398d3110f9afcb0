"""The vectorised decision against the scalar one."""

from itertools import product, repeat

import numpy as np
import pytest
from two_dimensions import EPT_ROOT

from models.sdm import (
    Circumstances,
    EptMisconfiguration,
    EptViolation,
    Guest,
    PhysicalAccess,
    Translated,
    Vmcs,
)
from models.sdm.ept.access import (
    GUEST_ENTRY_READ,
    GUEST_FLAG_UPDATE,
    PDPTE_READ,
    guest_entry_access,
    physical_access,
)
from models.sdm.ept.entry import EPT_OFF, EptPage, configure
from models.sdm.ept.vectorised import ALLOWED, MISCONFIGURATION, VIOLATION, decide
from models.sdm.ept.walk import translate
from models.sdm.memory import PhysicalMemory
from models.sdm.run import Run

SEED = 20260823
CAPABILITIES = 0xE341C1
GUEST = Guest(cr0=0x8005_0033, cr3=0, cr4=0x2020, efer=0xD00, cpl=0, rflags=2)
OUTCOMES = {
    Translated: ALLOWED,
    EptPage: ALLOWED,
    EptViolation: VIOLATION,
    EptMisconfiguration: MISCONFIGURATION,
}
CIRCUMSTANTIAL = ~(1 << 12 | 1 << 16)
MBE, SPP = 1 << 22, 1 << 23
ADVANCED = 1 << 22


def configurations():
    """Every combination of what the decision reads: length, A/D, EPTP[7], MBE, paging-write, capabilities."""
    for five, flags, shadow, mbe, paging_write, execute_only, large in product((0, 1), repeat=7):
        capabilities = CAPABILITIES & ~(0 if execute_only else 1) & ~(0 if large else 3 << 16)
        if mbe and not flags:
            capabilities &= ~ADVANCED
        eptp = (0x26 if five else 0x1E) | flags << 6 | shadow << 7
        yield configure(40, capabilities, eptp, 2 | MBE * mbe, 4 * paging_write)


def accesses(configuration):
    """Every kind of access that reaches EPT."""
    yield from (GUEST_ENTRY_READ, guest_entry_access(configuration), GUEST_FLAG_UPDATE, PDPTE_READ)
    for kind in ("read", "write", "rmw", "fetch"):
        for user in (False, True):
            for shadow_stack in ("none",) if kind == "fetch" else ("none", "user", "supervisor"):
                request = PhysicalAccess(kind=kind, guest_physical_address=0, user_linear_address=user)
                yield physical_access(configuration, request, shadow_stack)


def scalar(configuration, access, column):
    """Outcome, deciding level, qualification and mask by `translate`, of the walk of address 0.

    The tables lie where the entries point; None if two of them would be the same.
    """
    trace = []
    memory, table = {}, EPT_ROOT
    for entry in column:
        memory[table] = entry
        table = entry & 0xF_FFFF_FFFF_F000
    if len(memory) < len(column) or table in memory:
        return None
    vmcs = Vmcs(eptp=EPT_ROOT, primary_controls=0, secondary_controls=0)
    run = Run(vmcs, GUEST, PhysicalMemory(memory), configuration, Circumstances(), (), None, trace)
    outcome = translate(run, 0, access)
    numbers = {level.name: level.number for level in configuration.levels}
    level = next(numbers[step.stage] for step in reversed(trace) if step.stage in numbers)
    if isinstance(outcome, EptViolation):
        return VIOLATION, level, outcome.qualification & CIRCUMSTANTIAL, outcome.defined & CIRCUMSTANTIAL
    return OUTCOMES[type(outcome)], level, 0, 0


def compare(configuration, access, entries):
    """How many columns were compared: those whose tables are distinct."""
    found = decide(configuration, access, entries)
    compared = 0
    for index, column in enumerate(entries.T.tolist()):
        expected = scalar(configuration, access, column)
        if expected is None:
            continue
        compared += 1
        seen = (
            int(found.outcome[index]),
            int(found.level[index]),
            int(found.qualification[index]),
            int(found.defined[index]),
        )
        assert seen == expected, [hex(entry) for entry in column]
    return compared


def compare_in_bulk(configuration, entries):
    """Every access through every column: how many were compared, and where they differ.

    The tables of a column must be distinct. The level at which a walk ends is told by a trace, which takes time; no
    access changes it.
    """
    columns = entries.T.tolist()
    runs = [run_of(configuration, column) for column in columns]
    levels = [scalar(configuration, GUEST_ENTRY_READ, column)[1] for column in columns]
    compared, wrong = 0, []
    for access in dict.fromkeys(accesses(configuration)):
        found = decide(configuration, access, entries)
        parts = (found.outcome, found.level, found.qualification, found.defined)
        seen = zip(*(part.tolist() for part in parts), strict=True)
        expected = map(untraced, runs, repeat(access), levels)
        wrong += [
            ([hex(entry) for entry in column], access, one, other)
            for column, one, other in zip(columns, seen, expected, strict=True)
            if one != other
        ]
        compared += len(columns)
    return compared, wrong


def run_of(configuration, column):
    """A walk of address 0 through these entries, without a trace."""
    memory, table = {}, EPT_ROOT
    for entry in column:
        memory[table] = entry
        table = entry & 0xF_FFFF_FFFF_F000
    assert len(memory) == len(column)
    vmcs = Vmcs(eptp=EPT_ROOT, primary_controls=0, secondary_controls=0)
    return Run(vmcs, GUEST, PhysicalMemory(memory), configuration, Circumstances(), (), None, None)


def untraced(run, access, level):
    """As `scalar`, for a walk that ends at a known level; what it writes is forgotten."""
    outcome = translate(run, 0, access)
    if run.memory.written:
        run.memory.written = {}
    if isinstance(outcome, EptViolation):
        return VIOLATION, level, outcome.qualification & CIRCUMSTANTIAL, outcome.defined & CIRCUMSTANTIAL
    return OUTCOMES[type(outcome)], level, 0, 0


def placed(low, rows):
    """Entries with distinct table addresses, so that no walk meets a table twice."""
    addresses = (np.arange(rows, dtype=np.uint64) + np.uint64(0x700)) << np.uint64(12)
    return low | addresses[:, None]


def permission_patterns(rows):
    """Every combination of the 16 patterns of R, W, X, XU in `rows` entries, one a column."""
    number = np.arange(16**rows, dtype=np.uint64)
    low = [number >> np.uint64(4 * row) & np.uint64(15) for row in range(rows)]
    return np.stack([bits & np.uint64(7) | (bits & np.uint64(8)) << np.uint64(7) for bits in low])


@pytest.mark.parametrize(("chained", "without_large_pages"), [(2, True), (3, False)])
def test_both_agree_on_every_chain_and_access_in_every_configuration(chained, without_large_pages, capsys):
    """Of three levels, in the configurations with large pages alone: no entry here sets bit 7."""
    patterns = permission_patterns(chained)
    compared, disagreements = 0, []
    for configuration in configurations():
        rows = len(configuration.levels)
        if without_large_pages or configuration.levels[-2].page_mask:
            upper = np.full((rows - chained, patterns.shape[1]), 0x407, np.uint64)
            entries = placed(np.concatenate([upper, patterns]), rows)
            count, wrong = compare_in_bulk(configuration, entries)
            compared, disagreements = compared + count, disagreements + wrong
    with capsys.disabled():
        name = f"vectorised form against the scalar one, every chain of {chained} levels"
        print(f"\n{name}: {compared} cases, {len(disagreements)} disagreements")
    assert not disagreements, disagreements[0]
    assert compared == 16**chained * 2624 // (1 if without_large_pages else 2), "2624 configurations and accesses"


def test_both_agree_on_random_entries_of_all_64_bits():
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    compared = 0
    for configuration in configurations():
        rows = len(configuration.levels)
        entries = random.integers(0, 1 << 63, (rows, 40), dtype=np.uint64) << np.uint64(1)
        entries |= random.integers(0, 2, entries.shape, dtype=np.uint64)
        entries[:, ::2] &= np.uint64(0xFF00_00FF_FFFF_FF07)  # clear most reserved bits
        entries[:, ::2] |= np.uint64(1)
        for access in list(accesses(configuration))[::3]:
            compared += compare(configuration, access, entries)
    assert compared > 20_000


def test_each_single_bit_of_an_entry_is_judged_alike():
    for configuration in list(configurations())[::7]:
        rows = len(configuration.levels)
        for row in range(rows):
            for base in (0x407, 0x437, 0x487, 0x4B7, 0x404, 0):
                entries = placed(np.full((rows, 65), 0x407, np.uint64), rows)
                entries[row] &= ~np.uint64(0xFFF)
                entries[row] |= np.uint64(base)
                entries[row, :64] ^= np.uint64(1) << np.arange(64, dtype=np.uint64)
                compare(configuration, GUEST_FLAG_UPDATE, entries)


def test_fewer_rows_are_the_last_levels_of_a_walk():
    configuration = configure(40, CAPABILITIES, 0x1E, 2 | MBE, 0)
    patterns = permission_patterns(2)
    whole = np.concatenate([np.full((2, patterns.shape[1]), 0x407, np.uint64), patterns])
    for access in accesses(configuration):
        short, full = decide(configuration, access, patterns), decide(configuration, access, whole)
        for name in ("outcome", "level", "qualification", "defined"):
            assert np.array_equal(getattr(short, name), getattr(full, name)), name


def test_columns_beyond_one_block_are_decided_too():
    configuration = configure(40, CAPABILITIES, 0x1E, 2 | MBE, 0)
    patterns = np.tile(permission_patterns(2), (1, 300))
    found = decide(configuration, GUEST_ENTRY_READ, patterns)
    once = decide(configuration, GUEST_ENTRY_READ, permission_patterns(2))
    assert np.array_equal(found.outcome, np.tile(once.outcome, 300))


@pytest.mark.parametrize("shape", [(0, 4), (5, 4), (4,)])
def test_another_shape_is_a_value_error(shape):
    configuration = configure(40, CAPABILITIES, 0x1E, 2, 0)
    with pytest.raises(ValueError, match="rows"):
        decide(configuration, GUEST_ENTRY_READ, np.zeros(shape, np.uint64))


def test_what_the_entries_alone_do_not_decide_is_a_value_error():
    configuration = configure(40, CAPABILITIES, 0x1E, 2 | SPP, 0)
    request = PhysicalAccess(kind="write", guest_physical_address=0)
    access = physical_access(configuration, request, "none")
    with pytest.raises(ValueError, match="alone"):
        decide(configuration, access, np.zeros((4, 1), np.uint64))


def test_the_configuration_without_ept_has_no_levels_to_decide():
    with pytest.raises(ValueError, match="rows"):
        decide(EPT_OFF, GUEST_ENTRY_READ, np.zeros((1, 1), np.uint64))
