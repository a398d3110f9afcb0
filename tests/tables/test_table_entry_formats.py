"""Every bit of every EPT entry, one at a time."""

from ept_cases import ALL_CAPABILITIES, MAPS_PAGE, WRITE_BACK, bit_ranges, table
from ept_sides import by_model, by_specs
from sides import Row, hold

FORMATS = [(form, level) for form in table("entry_formats")["format"] for level in form["levels"]]
WIDTHS = (36, 40, 46, 52)
IGNORED_WITHOUT_CONTROL = {
    "ignored", "accessed", "dirty", "xu", "verify", "paging_write", "shadow_stack", "spp", "suppress_ve",
}  # fmt: skip
EVERYTHING = {"mbe": True, "flags": True, "sss": True, "tertiary": 0xC, "secondary": 0x840002}


def entries_of(form, level, extra):
    """A walk of five levels through an entry of the given format that sets `extra` as well."""
    below = level - 1 if not form["maps_page"] else 0
    entry = 7 | extra
    if form["maps_page"]:
        entry |= WRITE_BACK | (MAPS_PAGE if level > 1 else 0)
    entries = [7] * (5 - level) + [entry] + [7] * below
    if below:
        entries[-1] |= WRITE_BACK
    return tuple(entries)


def ending(by, entries, width, **options):
    """The outcome of a read, and where it ends."""
    return lambda: outcome_and_address(by(entries, levels=5, maxphyaddr=width, **options))


def outcome_and_address(verdict):
    return verdict.outcome, verdict.host_physical_address


def row(name, expected, entries, width, **options):
    return Row(name, expected, ending(by_model, entries, width, **options), ending(by_specs, entries, width, **options))


PAGE = 0x4000_0000
MISCONFIGURED, TRANSLATED = ("EPT_MISCONFIGURATION", 0), ("TRANSLATED", PAGE)


def test_the_formats_name_every_bit_once():
    for form, _ in FORMATS:
        for width in WIDTHS:
            assert sorted(bit_ranges(form["fields"], {"M": width})) == list(range(64))


def test_each_bit_has_the_meaning_that_the_table_gives_it_on_both_sides(capsys):
    def rows():
        for form, level in FORMATS:
            for width in WIDTHS:
                for bit, what in bit_ranges(form["fields"], {"M": width}).items():
                    if what == "reserved" or what in IGNORED_WITHOUT_CONTROL:
                        expected = MISCONFIGURED if what == "reserved" else TRANSLATED
                        yield row(f"{form['name']}, bit {bit}", expected, entries_of(form, level, 1 << bit), width)

    hold(capsys, "entry_formats", rows())


def test_ignored_bits_stay_ignored_under_every_control_on_both_sides(capsys):
    hold(
        capsys,
        "entry_formats under every control",
        [
            row(f"{form['name']}, bit {bit}", TRANSLATED, entries_of(form, level, 1 << bit), 40, **EVERYTHING)
            for form, level in FORMATS
            for bit, what in bit_ranges(form["fields"], {"M": 40}).items()
            if what == "ignored"
        ],
    )


def test_the_memory_type_is_one_of_five_on_both_sides(capsys):
    def rows():
        for level in (3, 2, 1):
            for memory_type in range(8):
                page = 7 | memory_type << 3 | (MAPS_PAGE if level > 1 else 0)
                expected = TRANSLATED if memory_type in (0, 1, 4, 5, 6) else MISCONFIGURED
                yield row(f"level {level}, type {memory_type}", expected, (*([7] * (5 - level)), page), 40)

    hold(capsys, "entry_formats, memory types", rows())


def test_a_large_page_that_the_processor_lacks_is_a_misconfiguration_on_both_sides(capsys):
    def rows():
        for level, capability in ((3, 17), (2, 16)):
            entries = (*([7] * (5 - level)), 7 | WRITE_BACK | MAPS_PAGE)
            yield row(f"level {level}", TRANSLATED, entries, 40)
            without = ALL_CAPABILITIES & ~(1 << capability)
            yield row(f"level {level} without", MISCONFIGURED, entries, 40, capabilities=without)

    hold(capsys, "entry_formats, large pages", rows())
