"""Guest paging: modes, entry formats, access rights, error codes."""

from itertools import product

from ept_cases import bit_ranges, rows, table
from guest_cases import AC, LEVELS, NXE, PKE, PKS, SMAP, SMEP, WP, chain, guest, linear
from guest_sides import Case, allowed, by_specs, without_ept
from sides import Row, hold
from spec_side import call, make, member, record
from spec_walks import beyond

from models.sdm import PageFault
from models.sdm.paging.mode import paging_mode

PRESENT, WRITABLE, USER, MAPS_PAGE, XD = 1, 2, 4, 1 << 7, 1 << 63
OPEN = PRESENT | WRITABLE | USER
RESERVED_FAULT = 1 << 3 | 1
WIDTHS = (32, 36, 40, 46, 52)
MODES = {
    "NO_PAGING": "none",
    "PAGING_32_BIT": "32-bit",
    "PAE_PAGING": "PAE",
    "PAGING_4_LEVEL": "4-level",
    "PAGING_5_LEVEL": "5-level",
}


def expand(row: list[str], columns: int) -> list[tuple[int, ...]]:
    """The first `columns` words of a row with each dot as 0 and as 1."""
    return list(product(*((0, 1) if word == "." else (int(word),) for word in row[:columns])))


def mode_by_specs(cr0: int, cr4: int, efer: int) -> str:
    paging = make(
        record("sdm.paging.mode.GuestPaging"),
        cr0=cr0, cr4=cr4, efer=efer, ac=False, pkru=0, pkrs=0, page_1g=True, pse36=True, beyond_maxphyaddr=beyond(40),
    )  # fmt: skip
    return MODES[member("sdm.paging.mode.PagingMode", call("sdm.paging.mode.paging_mode", paging))]


def test_the_mode_table_is_total_and_holds_on_both_sides(capsys):
    combinations = [(bits, row[4]) for row in rows("paging_modes") for bits in expand(row, 4)]
    impossible = {(1, 0, 1, 0), (1, 0, 1, 1)}  # PG and LME without PAE
    assert len(combinations) == len({bits for bits, _ in combinations}) == 16 - len(impossible)

    def row(bits, mode):
        paging, pae, lme, la57 = bits
        registers = paging << 31, pae << 5 | la57 << 12, lme << 8
        return Row(str(bits), mode, lambda: paging_mode(*registers), lambda: mode_by_specs(*registers))

    hold(capsys, "paging_modes", [row(*combination) for combination in combinations])


def case_with(form: dict, extra: int, width: int, efer: int) -> Case:
    """A read through an entry of the given format that sets `extra` as well."""
    below = 0 if form["maps_page"] else form["level"] - 1
    above = LEVELS[form["mode"]] - form["level"]
    entry = OPEN | extra | (MAPS_PAGE if form["maps_page"] and form["level"] > 1 else 0)
    entries = (*[OPEN] * above, entry, *[OPEN] * below)
    return Case(form["mode"], guest(form["mode"], efer=efer), entries, width=width)


def format_by_model(case: Case) -> str:
    outcome = without_ept(case)
    if isinstance(outcome, PageFault):
        return "reserved" if outcome.error_code & RESERVED_FAULT == RESERVED_FAULT else "another page fault"
    return "ignored" if outcome.host_physical_address == 0x4000_0000 else "another page"


def format_by_specs(case: Case) -> str:
    """Every entry is present, so that a page fault while they are read is one for a reserved bit."""
    verdict = by_specs(case)
    if verdict.outcome == "#PF":
        return "reserved" if verdict.stage == "GUEST_ENTRIES" else "another page fault"
    return "ignored" if verdict.outcome == "TRANSLATED" else verdict.outcome


def test_each_bit_of_an_entry_has_the_meaning_that_the_table_gives_it_on_both_sides(capsys):
    def row(form, bit, expected, width, efer):
        case = case_with(form, 1 << bit, width, efer)
        name = f"{form['name']}, bit {bit}, width {width}"
        return Row(name, expected, lambda: format_by_model(case), lambda: format_by_specs(case))

    def rows_of_bits():
        for form, given in product(table("guest_formats")["format"], WIDTHS):
            width = min(given, 40) if form["mode"] == "32-bit" else given
            meaning = bit_ranges(form["fields"], {"M": width, "W": min(40, width) - 19})
            assert sorted(meaning) == list(range(32 if form["mode"] == "32-bit" else 64))
            for bit, what in meaning.items():
                if what in ("reserved", "ignored", "flag", "xd"):
                    yield row(form, bit, "reserved" if what == "reserved" else "ignored", width, NXE)
                if what == "xd":
                    yield row(form, bit, "reserved", width, 0)

    hold(capsys, "guest_formats", rows_of_bits())


RIGHTS_ROWS = rows("access_rights")


def test_the_rights_table_names_every_combination_once():
    found = [(*row[:2], *bits) for row in RIGHTS_ROWS for bits in expand(row[2:], 7)]
    assert len(found) == len(set(found)) == 2 * 3 * 2**7


def test_access_rights_are_those_of_the_table_on_both_sides(capsys):
    def row(mode, words, bits):
        privilege, kind = words[:2]
        user, writable, disabled, wp, smep, smap, ac = bits
        of = guest(
            mode,
            cr0=WP * wp,
            cr4=SMEP * smep | SMAP * smap,
            rflags=AC * ac,
            cpl=3 if privilege == "user" else 0,
        )
        entry = PRESENT | WRITABLE * writable | USER * user | XD * disabled
        case = Case(mode, of, (*[OPEN] * (LEVELS[mode] - 1), entry), kind)
        return Row(
            f"{mode} {' '.join(words)}: {bits}",
            words[-1] == "yes",
            lambda: allowed(without_ept(case)),
            lambda: by_specs(case).outcome == "TRANSLATED",
        )

    cases = ((m, words, bits) for m in ("4-level", "PAE") for words in RIGHTS_ROWS for bits in expand(words[2:], 7))
    hold(capsys, "access_rights", (row(*case) for case in cases))


ERROR_LINES = table("page_fault_error_codes")["table"].strip().splitlines()[1:]


def error_code(cause: str, privilege: str, kind: str, smep: str, nxe: str) -> list[int]:
    """The bits of the error code that the reference MMU gives."""
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
    return [bit for bit in range(32) if outcome.error_code >> bit & 1]


def test_error_codes_which_the_specifications_leave_out_are_those_of_the_table(capsys):
    def row(line):
        left, _, right = line.partition("|")
        return Row(line, [int(bit) for bit in right.split()], lambda: error_code(*left.split()), None)

    hold(capsys, "page_fault_error_codes", [row(line) for line in ERROR_LINES])
