"""Guest paging: modes, entry formats, access rights, error codes."""

from itertools import product

import pytest
from ept_cases import bit_ranges, rows, table
from guest_cases import AC, LEVELS, NXE, PKE, PKS, SMAP, SMEP, WP, chain, guest, linear, machine

from models.sdm import LinearAccess, PageFault, Translated, access
from models.sdm.paging.mode import paging_mode

PRESENT, WRITABLE, USER, MAPS_PAGE, XD = 1, 2, 4, 1 << 7, 1 << 63
OPEN = PRESENT | WRITABLE | USER
RESERVED_FAULT = 1 << 3 | 1


def expand(row: list[str], columns: int) -> list[tuple[int, ...]]:
    """The first `columns` words of a row with each dot as 0 and as 1."""
    return list(product(*((0, 1) if word == "." else (int(word),) for word in row[:columns])))


def test_the_mode_table_is_total_and_holds():
    found = {}
    for row in rows("paging_modes"):
        for bits in expand(row, 4):
            assert bits not in found, "no combination stands twice"
            found[bits] = row[4]
            paging, pae, lme, la57 = bits
            assert paging_mode(paging << 31, pae << 5 | la57 << 12, lme << 8) == row[4]
    impossible = {(1, 0, 1, 0), (1, 0, 1, 1)}  # PG and LME without PAE
    assert len(found) == 16 - len(impossible)


def walk_with(form: dict, extra: int, width: int, efer: int):
    below = 0 if form["maps_page"] else form["level"] - 1
    above = LEVELS[form["mode"]] - form["level"]
    entry = OPEN | extra | (MAPS_PAGE if form["maps_page"] and form["level"] > 1 else 0)
    memory = chain(form["mode"], *[OPEN] * above, entry, *[OPEN] * below)
    of = guest(form["mode"], efer=efer)
    return access(machine(memory, of, width), LinearAccess(kind="read", linear_address=0))


@pytest.mark.parametrize("form", table("guest_formats")["format"], ids=lambda form: form["name"])
@pytest.mark.parametrize("width", [32, 36, 40, 46, 52])
def test_each_bit_of_an_entry_has_the_meaning_that_the_table_gives_it(form, width):
    if form["mode"] == "32-bit":
        width = min(width, 40)
    meaning = bit_ranges(form["fields"], {"M": width, "W": min(40, width) - 19})
    assert sorted(meaning) == list(range(32 if form["mode"] == "32-bit" else 64))
    for bit, what in meaning.items():
        outcome = walk_with(form, 1 << bit, width, NXE)
        if what == "reserved":
            assert isinstance(outcome, PageFault), (bit, what)
            assert outcome.error_code & RESERVED_FAULT == RESERVED_FAULT
        elif what in ("ignored", "flag", "xd"):
            assert isinstance(outcome, Translated), (bit, what)
            assert outcome.host_physical_address == 0x4000_0000
        if what == "xd":
            assert isinstance(walk_with(form, 1 << bit, width, 0), PageFault), "reserved without NXE"


RIGHTS_ROWS = rows("access_rights")


def test_the_rights_table_names_every_combination_once():
    found = [(*row[:2], *bits) for row in RIGHTS_ROWS for bits in expand(row[2:], 7)]
    assert len(found) == len(set(found)) == 2 * 3 * 2**7


@pytest.mark.parametrize("row", RIGHTS_ROWS, ids=" ".join)
@pytest.mark.parametrize("mode", ["4-level", "PAE"])
def test_access_rights_are_those_of_the_table(row, mode):
    privilege, kind = row[:2]
    for user, writable, disabled, wp, smep, smap, ac in expand(row[2:], 7):
        of = guest(
            mode,
            cr0=WP * wp,
            cr4=SMEP * smep | SMAP * smap,
            rflags=AC * ac,
            cpl=3 if privilege == "user" else 0,
        )
        entry = PRESENT | WRITABLE * writable | USER * user | XD * disabled
        outcome = linear(chain(mode, *[OPEN] * (LEVELS[mode] - 1), entry), of, kind)
        assert isinstance(outcome, Translated if row[-1] == "yes" else PageFault), (user, writable, wp, ac)


ERROR_LINES = table("page_fault_error_codes")["table"].strip().splitlines()[1:]


@pytest.mark.parametrize("line", ERROR_LINES)
def test_error_codes_are_those_of_the_table(line):
    left, _, right = line.partition("|")
    cause, privilege, kind, smep, nxe = left.split()
    user = privilege == "user"
    entry = {
        "absent": 0,
        "reserved": OPEN | 1 << 51,
        "rights": PRESENT | (0 if kind != "fetch" else OPEN | XD) | (USER if kind == "fetch" and user else 0),
        "key": OPEN & ~(0 if user else USER) | 1 << 59,
    }[cause]
    if cause == "rights" and kind == "fetch" and not user:
        entry &= ~USER
    of = guest(
        "4-level",
        cr0=WP,
        cr4=(SMEP if smep == "1" else 0) | (PKE | PKS if cause == "key" else 0),
        efer=NXE if nxe == "1" else 0,
        cpl=3 if user else 0,
        pkru=1 << 2,
        pkrs=1 << 2,
    )
    outcome = linear(chain("4-level", OPEN, OPEN, OPEN, entry), of, kind)
    assert isinstance(outcome, PageFault)
    assert {bit for bit in range(32) if outcome.error_code >> bit & 1} == {int(bit) for bit in right.split()}
