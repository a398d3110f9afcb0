"""The truth table of presence and misconfiguration, on every level of a walk."""

from itertools import product

from ept_cases import ALL_CAPABILITIES, MAPS_PAGE, WRITE_BACK, rows
from ept_sides import by_model, by_specs, controls_of
from sides import Row, hold
from spec_side import call, number

COLUMNS = ((False, False), (False, True), (True, False), (True, True))
TABLE = {
    ("".join(row[:4]), *column): verdict
    for row in rows("presence")
    for column, verdict in zip(COLUMNS, row[4:], strict=True)
}
ALL = 0x407  # R, W, X or XS, XU
CHAINS = {
    "PML5E": lambda low: (low, ALL, ALL, ALL, ALL | WRITE_BACK),
    "PML4E": lambda low: (low, ALL, ALL, ALL | WRITE_BACK),
    "PDPTE": lambda low: (ALL, low, ALL, ALL | WRITE_BACK),
    "PDPTE of a page": lambda low: (ALL, low | MAPS_PAGE | WRITE_BACK),
    "PDE": lambda low: (ALL, ALL, low, ALL | WRITE_BACK),
    "PDE of a page": lambda low: (ALL, ALL, low | MAPS_PAGE | WRITE_BACK),
    "PTE": lambda low: (ALL, ALL, ALL, low | WRITE_BACK),
}
LEVELS = ("PTE", "PDE", "PDPTE", "PML4E", "PML5E")
RESERVED_TYPES = {2, 3, 7}


def bits(rights: str) -> int:
    """R, W, XS, XU as bits of an entry."""
    return int(rights[2::-1], 2) | int(rights[3]) << 10


def options(mbe: bool, execute_only: bool) -> dict:
    return {"mbe": mbe, "capabilities": ALL_CAPABILITIES if execute_only else ALL_CAPABILITIES & ~1}


def ending(verdict) -> str:
    """NP, MC or ok. Of what is present and usable a read may be denied, but with the rights of a complete walk."""
    if verdict.outcome == "EPT_MISCONFIGURATION":
        return "MC"
    complete = verdict.outcome == "TRANSLATED" or verdict.qualification & 0x78
    return "ok" if complete else "NP"


def test_the_table_names_every_combination_of_rights_once():
    assert sorted(row[:4] for row in rows("presence")) == sorted(list(f"{value:04b}") for value in range(16))


def test_every_row_holds_at_every_level_on_both_sides(capsys):
    def judged(by, level, key):
        five = {"levels": 5} if level == "PML5E" else {}
        return lambda: ending(by(CHAINS[level](bits(key[0])), **options(*key[1:]), **five))

    hold(
        capsys,
        "presence",
        [
            Row(f"{level} {key}", verdict, judged(by_model, level, key), judged(by_specs, level, key))
            for level in CHAINS
            for key, verdict in TABLE.items()
        ],
    )


def judge(entry, level, controls):
    """The same of one entry alone, by the two rules of the specifications."""
    if not call("sdm.ept.entry.present", entry, controls):
        return "NP"
    at = number("sdm.ept.entry.EptLevel", level)
    return "MC" if call("sdm.ept.misconfiguration.misconfigured", entry, at, controls) else "ok"


def test_the_rules_of_the_specifications_say_the_same_of_one_entry_alone():
    for level, (key, verdict) in product(LEVELS, TABLE.items()):
        assert judge(bits(key[0]), level, controls_of(**options(*key[1:]))) == verdict, (level, key)


def test_all_low_bits_of_a_pte_bit_10_and_the_controls_are_judged_alike(capsys):
    def said(low, xu, *settings):
        by_hand = TABLE[("".join(str(bit) for bit in (low & 1, low >> 1 & 1, low >> 2 & 1, xu)), *settings)]
        return "MC" if by_hand == "ok" and low >> 3 in RESERVED_TYPES else by_hand

    def judged(by, case):
        return lambda: ending(by((ALL, ALL, ALL, case[0] | case[1] << 10), **options(*case[2:])))

    cases = product(range(64), (0, 1), (False, True), (False, True))
    rows_of_bits = [Row(str(c), said(*c), judged(by_model, c), judged(by_specs, c)) for c in cases]
    hold(capsys, "presence with memory types", rows_of_bits)
