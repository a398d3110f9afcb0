"""Results of every kind, made by hand, for tests of what is made of them.

In: nothing. Out: results, as a run could give them, and some that only a hostile specification could.
Guarantee: every verdict, expectation, vacuity and kind of claim is among them, with and without a series.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from dataclasses import replace

from verifier.core.show import Named
from verifier.obligations.access_case import AccessCase, Escalation, Operation
from verifier.obligations.access_case import Outcome as Expected
from verifier.obligations.explain import Reason
from verifier.obligations.result import Citation, Example, Outcome, Result, Shown
from verifier.reports.run import Run

RUN = Run("slat 0.1.0", "0123456789ab", ("z3 1.2.3",), ("7 units of z3",), ("--rlimit", "7"))

REASONS = (
    Reason("opens(k)", "false", "specs/doors/keys.slat:5", 'SDM "Keys"', 0),
    Reason("k = keys[0]", "Key { red: true }", "", "", 1),
    Reason("stamp(" + "k, " * 40 + ")", "Key { red: true }", "specs/doors/keys.slat:11", "", 9),
    Reason("`number` is different", "", "", "", 0),
    Reason("pte_access", "Acc { read: true }", "", "", 1, Named("kvm.acc.Acc", (("read", 0, 1),))),
)
ENTRY = Named("sdm.ept.entry.EptEntry", (("r", 0, 1), ("memtype", 3, 6), ("xu", 10, 1), ("address", 12, 2)))
CONTROLS = {"mbec": True, "execute_only": False}
VALUES = (
    *(Shown(f"host.controls.flag_{n}", str(n == 3).lower(), str(n == 3).lower(), True) for n in range(12)),
    Shown("ept12.pml4e", "r - memtype=WB ---- -- xu address=0x2", "0x2431", True, named=ENTRY),
    *(Shown(f"ept12.controls.{name}", str(on).lower(), str(on).lower(), True) for name, on in CONTROLS.items()),
    Shown("spte", "r", "0x801", False, True, Named("kvm.spte.Spte", (("r", 0, 1), ("mmu_present", 11, 1)))),
    Shown("key", "red", "0x1", True, named=Named("doors.keys.Key", (("red", 0, 1), ("", 0, 0x80)))),
    Shown("undefined in stamp (2)", "true", "true", True),
    Shown("a_name_that_is_longer_than_a_column.and_goes_on", "0x1f", "0x1f", True),
    Shown("rest", "0", "0x0", False),
)
READ, FETCH, FLAG = "DATA_READ", "INSTRUCTION_FETCH", "PAGING_FLAG_UPDATE"


def access(kind: str, expected: Expected, **changed: object) -> AccessCase:
    """An access through a walk that ends at a 2-MByte page for user-mode code."""
    operation = Operation(kind, "INSTRUCTION", user=False, paging=True, user_mode=True, writable=True,
                          execute_disable=False)  # fmt: skip
    entries = ((4, 0x2407), (3, 0x3407), (2, 0x4004B0))
    return replace(
        AccessCase("ept12", ("mbec",), ("execute_only",), (), 52, 0, entries, operation, expected, "{}"),
        **changed,  # type: ignore[arg-type]
    )


ACCESSES = (
    access(READ, Expected("EPT_VIOLATION", 0x7C1, 0x1BFFF, "")),
    access(FETCH, Expected("TRANSLATED", 0, 0, "FINAL_ADDRESS")),
    access(READ, Expected("EPT_MISCONFIGURATION", 0, 0, ""), entries=((4, 0x402),), needs=(), lacks=("page_1g",)),
    access(FLAG, Expected("EPT_VIOLATION", 0x83, 0x1B1FF, "")),
)
ESCALATION = Escalation(
    access(FETCH, Expected("EPT_VIOLATION", 0x18C, 0x1BFFF, ""), controls=()),
    access(FETCH, Expected("TRANSLATED", 0, 0, ""), entries=((1, 0x8000000000000935),)),
    "level=4 access=read|exec guest_mode",
    "user fetch",
)
EXAMPLE = Example(VALUES, False, ("interpreter", "reference MMU"), REASONS, accesses=ACCESSES, escalation=ESCALATION)
PLAIN = Example(VALUES[-2:], True, ("interpreter",), ())


def result(name: str, verdict: str, expect: str = "proved", **changed: object) -> Result:
    """A result; what is `changed` may be of the result or of its outcome."""
    example = EXAMPLE if verdict == "refuted" else None
    outcome = Outcome(verdict, None, (), example, ("z3",), 326, 987654)
    whole = Result(
        "invariant", name, ("D1", "D2"), "proofs.doors", "proofs/doors.slat", 4, "A red key opens.", None, expect,
        "" if expect == "proved" else "its number may be small", (Citation("SDM", "Keys"),), outcome,
    )  # fmt: skip
    inner = {key: changed.pop(key) for key in ("vacuous", "core", "example", "solvers") if key in changed}
    return replace(whole, outcome=replace(outcome, **inner), **changed)  # type: ignore[arg-type]


KINDS = {
    "proved": result("proved_claim", "proved", core=("assume k.red", "doors.keys.opens.both")),
    "refuted as expected": result("believable_mistake", "refuted", "refuted"),
    "refuted": result("wrong_claim", "refuted"),
    "proved, and a refutation was expected": result("true_after_all", "proved", "refuted"),
    "reachable": result("witness_found", "proved", kind="witness", example=PLAIN, ids=()),
    "unreachable": result("witness_missing", "refuted", kind="witness", example=None),
    "unknown": result("hard_claim", "unknown"),
    "unknown, and a refutation was expected": result("hard_mistake", "unknown", "refuted"),
    "vacuous": result("vacuous_claim", "proved", vacuous="assume_unsatisfiable"),
    "an unneeded assumption": result("careful_claim", "proved", vacuous="unneeded: k.blue && " + "k.red || " * 20),
    "not modelled as expected": result(
        "unseen_claim", "not_modelled", "not_modelled", core=("kvm.spte.executable",), solvers=()
    ),
    "not modelled": result("lost_claim", "not_modelled", core=("kvm.spte.executable",), solvers=()),
    "a long name": result("a_claim_whose_name_is_" + "very_" * 7 + "long_ok", "refuted"),
    "nothing to say": result("silent_claim", "proved", statement="", citations=(), ids=()),
}
SERIES = {f"{kind}, in {label}": replace(KINDS[kind], series=label) for kind in KINDS for label in ("v5", "rfc_11")}

HOSTILE = {
    "markup": "<![CDATA[ & ]]> <b> &amp; \"'",
    "control characters": "a \x00\x07\x1b[31mred\x1b[0m \x85\u2028 b \udcff \ufffe",
    "a hash": "# Subtest: x # SKIP # XFAIL",
    "lines of a mail": "From here on\n> quoted\n-- \n--- a/file\nok 1 all\nBail out!\n1..0\n",
    "a long word": "w" * 300,
    "right to left": "\u202eabc\u202c café 漢字",
}
"""Words that a specification or a file's name could hold, whatever the parser makes of them."""

STRANGE = {
    f"{words}, {field}": replace(KINDS["refuted"], **{field: text, "name": f"strange_{number}"})  # type: ignore[arg-type]
    for number, (words, text) in enumerate(HOSTILE.items())
    for field in ("statement", "reason", "file")
} | {
    f"{words}, everywhere": result(
        f"strange_{number}", "refuted", citations=(Citation("SDM", text),), core=(text,),
        example=Example(
            (Shown(text, text, "0x0", True, named=Named(text, ((text, 3, 1),))),), True, ("interpreter",),
            (Reason(text, text, "", text, 2),), accesses=(replace(ACCESSES[0], walk=text),),
            escalation=replace(ESCALATION, role=text, cause=text),
        ),
    )
    for number, (words, text) in enumerate(HOSTILE.items())
}  # fmt: skip

EVERY = {**KINDS, **SERIES, **STRANGE}
