"""An access and its outcome in a few words.

In: an `AccessCase`. Out: a phrase for what the guest does, and one for what becomes of it.
Guarantee: two accesses through one walk that differ have different phrases.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

from verifier.obligations.access_case import AccessCase, Operation, Outcome

KINDS = {
    "DATA_READ": "read at",
    "DATA_WRITE": "write at",
    "READ_MODIFY_WRITE": "read-modify-write at",
    "INSTRUCTION_FETCH": "fetch from",
}
OUTCOMES = {
    "TRANSLATED": "done",
    "EPT_VIOLATION": "EPT violation",
    "EPT_MISCONFIGURATION": "EPT misconfiguration",
    "SUB_PAGE_EVENT": "SPP event",
}


def access_words(access: AccessCase) -> str:
    """What the guest does, and through which walk."""
    return f"{access.walk}: {operation_words(access.operation)}"


def operation_words(operation: Operation) -> str:
    """What the guest does."""
    kind, cause = operation.kind, operation.cause
    by = "" if cause == "INSTRUCTION" else f" by {_plain(cause)}"
    if kind not in KINDS:
        return _plain(kind) + by
    if not operation.paging:
        return f"{KINDS[kind]} an address without paging{by}"
    return f"{KINDS[kind]} a {'user' if operation.user_mode else 'supervisor'}-mode address{by}"


def _plain(member: str) -> str:
    return member.replace("_", " ").lower()


def outcome_words(expected: Outcome) -> str:
    """What becomes of it."""
    return OUTCOMES.get(expected.outcome, expected.outcome)
