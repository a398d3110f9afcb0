"""An access as a case of an EPT access test, in the words of kvm-unit-tests.

In: an `AccessCase`. Out: the members of a `struct ept_access_case` as C expressions, or why there is no such test.
Guarantee: an entry's address is left to the test, but for the bits that a processor of that width reserves; what the
expressions leave out does not bear on the outcome.
Trusted: no, checked by tests/access_tests: compiled, run against a small EPT written in C, and read back.

Source: the names of x86/vmx.h and x86/vmx_tests.c of kvm-unit-tests (1da1819e). The structure is declared by
tests/access_tests/ept_access.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verifier.obligations.access_case import AccessCase

EPT_BITS: Mapping[int, str] = {
    0: "EPT_RA", 1: "EPT_WA", 2: "EPT_EA", 6: "EPT_IGNORE_PAT", 7: "EPT_LARGE_PAGE", 8: "EPT_ACCESS_FLAG",
    9: "EPT_DIRTY_FLAG", 10: "EPT_EA_USER", 63: "EPT_SUPPRESS_VE",
}  # fmt: skip
MEMORY_TYPES: Mapping[int, str] = {
    1: "EPT_MEM_TYPE_WC", 4: "EPT_MEM_TYPE_WT", 5: "EPT_MEM_TYPE_WP", 6: "EPT_MEM_TYPE_WB",
}  # fmt: skip
QUALIFICATION_BITS = (
    "EPT_VLT_RD", "EPT_VLT_WR", "EPT_VLT_FETCH", "EPT_VLT_PERM_RD", "EPT_VLT_PERM_WR", "EPT_VLT_PERM_EX",
    "EPT_VLT_PERM_USER_EX", "EPT_VLT_LADDR_VLD", "EPT_VLT_PADDR", "EPT_VLT_GUEST_USER", "EPT_VLT_GUEST_RW",
    "EPT_VLT_GUEST_NX",
)  # fmt: skip
GUEST_BITS = 0b111 << 9
"""The bits of EPT_VLT_GUEST_MASK."""
CAPABILITIES: Mapping[str, str] = {
    "execute_only": "EPT_CAP_EXEC_ONLY", "page_2m": "EPT_CAP_2M_PAGE", "page_1g": "EPT_CAP_1G_PAGE",
    "advanced_exit_info": "EPT_CAP_ADV_EPT_INFO",
}  # fmt: skip
OPERATIONS: Mapping[str, str] = {"DATA_READ": "OP_READ", "DATA_WRITE": "OP_WRITE", "INSTRUCTION_FETCH": "OP_EXEC"}
EXIT_REASONS: Mapping[str, str] = {
    "TRANSLATED": "VMX_VMCALL", "EPT_VIOLATION": "VMX_EPT_VIOLATION", "EPT_MISCONFIGURATION": "VMX_EPT_MISCONFIG",
}  # fmt: skip
"""A guest whose access is done goes on to its next VMCALL."""
ORDINARY_CONTROLS = ("accessed_dirty", "mbec")
MEMORY_TYPE = 7 << 3


class Untestable(Exception):  # noqa: N818  (no error: the access is one that no access test makes)
    """Why an access test does not make the access."""


def members(case: AccessCase, neighbour: int | None = None) -> list[tuple[str, str]]:
    """The members that are not 0, in the order of the structure. Raises `Untestable`.

    `neighbour` is the entry that maps the next page, where the guest is to read that first.
    """
    _check(case)
    if neighbour is not None:
        _check_neighbour(case, neighbour)
    found = {
        "caps": _joined(_capabilities(case)),
        "no_caps": _joined(CAPABILITIES[name] for name in case.lacks),
        "maxphyaddr": str(case.maxphyaddr) if _beyond(case) else "",
        "ctrl1": "CPU_MODE_BASED_EPT_EXEC" if "mbec" in case.controls else "",
        "eptp": "EPTP_AD_FLAG" if "accessed_dirty" in case.controls else "",
        **{f"ept[{level}]": _entry(level, entry, case.maxphyaddr) for level, entry in case.entries},
        "neighbour": "" if neighbour is None else _entry(1, neighbour, case.maxphyaddr),
        "no_paging": "" if case.operation.paging else "true",
        "pte": _joined(_guest_page(case)),
        "op": OPERATIONS[case.operation.kind] + ("_USER" if _fetched_by_user(case) else ""),
        "exit_reason": EXIT_REASONS[case.expected.outcome],
        "qual": _qualification(case.expected.qualification),
        "qual_undefined": _undefined(case),
    }
    return [(name, text) for name, text in found.items() if text]


def _check(case: AccessCase) -> None:
    operation, expected = case.operation, case.expected
    unknown = [name for name in case.controls if name not in ORDINARY_CONTROLS]
    if expected.stage not in ("", "FINAL_ADDRESS"):
        raise Untestable("it ends at the guest's own entries")
    if operation.kind not in OPERATIONS or operation.cause != "INSTRUCTION":
        raise Untestable(f"no operation of the guest is a {operation.kind} by {operation.cause}")
    if unknown:
        raise Untestable(f"the control {unknown[0]} is none of the test's")
    if case.guest_physical >> 48:
        raise Untestable("the guest-physical address has more than 48 bits")
    if expected.outcome not in EXIT_REASONS:
        raise Untestable(f"it ends in {expected.outcome}")
    if operation.kind == "INSTRUCTION_FETCH" and operation.execute_disable:
        raise Untestable("the guest's own paging refuses it")


def _check_neighbour(case: AccessCase, neighbour: int) -> None:
    """The guest reads the neighbour through the same tables, but for the entry that maps it."""
    levels = [level for level, _ in case.entries]
    entries = [neighbour, *(entry for level, entry in case.entries if level > 1)]
    memory_type = (neighbour & MEMORY_TYPE) >> 3
    well_formed = memory_type in (0, *MEMORY_TYPES) and not neighbour & _bits(51, case.maxphyaddr)
    if levels[-1:] != [1] or not well_formed or not all(entry & 1 for entry in entries):
        raise Untestable("the guest cannot read the neighbour")


def _joined(words: Iterator[str]) -> str:
    return " | ".join(words)


def _capabilities(case: AccessCase) -> Iterator[str]:
    yield from (CAPABILITIES[name] for name in case.needs)
    if "accessed_dirty" in case.controls:
        yield "EPT_CAP_AD_FLAG"


def _fetched_by_user(case: AccessCase) -> bool:
    return case.operation.kind == "INSTRUCTION_FETCH" and case.operation.user


def _maps_a_page(level: int, entry: int) -> bool:
    return level == 1 or (level in (2, 3) and bool(entry >> 7 & 1))


def _beyond(case: AccessCase) -> bool:
    """Whether an entry sets a bit that only a narrow processor reserves."""
    return any(entry & _bits(51, case.maxphyaddr) for _, entry in case.entries)


def _bits(high: int, low: int) -> int:
    return (1 << high + 1) - (1 << low) if high >= low else 0


def _entry(level: int, entry: int, maxphyaddr: int) -> str:
    """All of an entry but the address of its table or page."""
    page = _maps_a_page(level, entry)
    shift = 12 + 9 * (level - 1) if page else 12
    return _joined(_entry_words(entry & ~_bits(maxphyaddr - 1, shift), page)) or "0"


def _entry_words(entry: int, page: bool) -> Iterator[str]:
    memory_type = (entry & MEMORY_TYPE) >> 3
    for position in range(entry.bit_length()):
        if page and memory_type and 1 << position == 1 << 3:
            yield f"({MEMORY_TYPES.get(memory_type, f'{memory_type}ul')} << EPT_MEM_TYPE_SHIFT)"
        elif entry >> position & 1 and not (page and 1 << position & MEMORY_TYPE):
            yield EPT_BITS.get(position, f"(1ull << {position})")


def _guest_page(case: AccessCase) -> Iterator[str]:
    operation = case.operation
    if operation.paging:
        yield from ["PT_USER_MASK"] * operation.user_mode
        yield from ["PT_WRITABLE_MASK"] * operation.writable
        yield from ["PT64_NX_MASK"] * operation.execute_disable


def _qualification(bits: int) -> str:
    return _joined(name for position, name in enumerate(QUALIFICATION_BITS) if bits >> position & 1)


def _undefined(case: AccessCase) -> str:
    if case.expected.outcome != "EPT_VIOLATION":
        return ""
    undefined = ~case.expected.defined & _bits(len(QUALIFICATION_BITS) - 1, 0)
    words = [_qualification(undefined & ~GUEST_BITS)] if undefined & ~GUEST_BITS else []
    words += ["EPT_VLT_GUEST_MASK"] if undefined & GUEST_BITS else []
    return _joined(iter(words))
