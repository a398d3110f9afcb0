"""Guests under EPT: the mode of a linear address, and what EPT must grant on the guest's own tables."""

from ept_cases import RIGHTS, rows
from guest_cases import CR0, LEVELS, guest
from guest_sides import LARGE, OPEN, WRITE_BACK, Case, by_specs, under_ept
from sides import Row, hold

from models.sdm import EptViolation, Guest, Translated

PRESENT, WRITABLE, USER, ACCESSED, DIRTY = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6
XS, XU, READ = RIGHTS["x"], RIGHTS["u"], RIGHTS["r"]
PAGING_WRITE = 1 << 58
USER_ADDRESS, PAGING_ENTRY_BITS = 1 << 9, 1 << 8 | 1 << 1
NO_PAGING = {"cr0": CR0, "cr3": 0, "cr4": 0, "efer": 0, "rflags": 2}


def mode_of(outcome) -> tuple[bool, bool]:
    """Whether an access is done, and what bit 9 says if not."""
    if isinstance(outcome, Translated) or getattr(outcome, "outcome", "") == "TRANSLATED":
        return True, False
    return False, bool(outcome.qualification & USER_ADDRESS)


def address_case(mode: str, user: str, cpl: str, kind: str, rights: int) -> Case:
    """An access to a page of these EPT rights, through entries with these U/S bits."""
    if mode == "none":
        of, entries = Guest(cpl=int(cpl), **NO_PAGING), ()
    else:
        of = guest(mode, cpl=int(cpl))
        entries = tuple(PRESENT | WRITABLE | ACCESSED | DIRTY | USER * int(bit) for bit in user)
        if len(entries) < LEVELS[mode]:
            entries = (*entries[:-1], entries[-1] | LARGE)
    page = READ | rights | LARGE | WRITE_BACK
    return Case(mode, of, entries, kind, page=page, settings=frozenset({"mbec", "execute_only"}))


def test_the_mode_of_a_linear_address_is_that_of_the_table_on_both_sides(capsys):
    def rows_of_modes():
        for mode, user, cpl, address in rows("linear_address_modes"):
            is_user = address == "user"
            for kind, rights, expected in (
                ("fetch", XU, (is_user, False)),
                ("fetch", XS, (not is_user, is_user)),
                ("write", XS | XU, (False, is_user)),
            ):
                case = address_case(mode, user, cpl, kind, rights)
                name = f"{mode} {user} CPL {cpl}: {kind}, rights {rights:#x}"
                yield Row(name, expected, lambda c=case: mode_of(under_ept(c)), lambda c=case: mode_of(by_specs(c)))

    hold(capsys, "linear_address_modes", rows_of_modes())


def denied_at(qualification: int, defined: int) -> str:
    """Of a violation: setting a flag leaves bit 0 undefined, reading an entry does not."""
    assert not qualification >> 8 & 1, "an access to an entry is none to the translation"
    return "entry" if defined & 1 else "flag"


def denied_by_model(case: Case) -> str:
    outcome = under_ept(case)
    if isinstance(outcome, Translated):
        return "-"
    return denied_at(outcome.qualification, outcome.defined) if isinstance(outcome, EptViolation) else str(outcome)


def denied_by_specs(case: Case) -> str:
    verdict = by_specs(case)
    if verdict.outcome == "TRANSLATED":
        return "-"
    return {"GUEST_ENTRIES": "entry", "GUEST_FLAGS": "flag"}.get(verdict.stage, str(verdict))


def table_case(words: list[str]) -> Case:
    flags, paging_write, rights, accessed, dirty, kind = words
    entry = PRESENT | WRITABLE | USER | ACCESSED * int(accessed) | DIRTY * int(dirty)
    given = sum(PAGING_WRITE if letter == "p" else RIGHTS[letter] for letter in rights)
    settings = {"execute_only", *["accessed_dirty"] * int(flags), *["paging_write"] * int(paging_write)}
    return Case(
        "4-level",
        guest("4-level"),
        (entry,) * 4,
        kind,
        tables=given | LARGE | WRITE_BACK,
        page=OPEN,
        settings=frozenset(settings),
    )


def test_what_ept_must_grant_on_guest_tables_is_what_the_table_says_on_both_sides(capsys):
    def row(words):
        case = table_case(words[:6])
        return Row(" ".join(words), words[6], lambda: denied_by_model(case), lambda: denied_by_specs(case))

    hold(capsys, "guest_table_access", [row(words) for words in rows("guest_table_access")])
