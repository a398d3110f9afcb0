"""The order in which a walk finds things wrong."""

from ept_cases import WRITE_BACK, rows
from ept_sides import by_model, by_specs, deciding_entry
from sides import Row, hold

ENTRIES = {"np": 0, "mc": 2, "ro": 1, "ok": 7}
OUTCOMES = {
    "ok": "TRANSLATED",
    "ept_violation": "EPT_VIOLATION",
    "ept_misconfiguration": "EPT_MISCONFIGURATION",
}


def model(entries):
    """The outcome and the deciding entry, by the last step of the trace."""
    trace = []
    verdict = by_model(entries, "write", trace)
    last = next(step.stage for step in reversed(trace) if step.stage != "memory type")
    return verdict.outcome, last.removeprefix("EPT ")


def test_the_outcome_and_the_deciding_entry_are_those_of_the_table_on_both_sides(capsys):
    def row(words):
        *names, expected, decided_by = words
        entries = tuple(ENTRIES[name] for name in names)
        entries = (*entries[:3], entries[3] | (WRITE_BACK if entries[3] else 0))
        return Row(
            " ".join(words),
            (OUTCOMES[expected], decided_by),
            lambda: model(entries),
            lambda: (by_specs(entries, "write").outcome, deciding_entry(entries)),
        )

    hold(capsys, "priorities", [row(words) for words in rows("priorities")])
