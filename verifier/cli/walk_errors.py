"""What can be wrong with a scenario.

In: an `InputError` of the reference MMU. Out: a diagnostic with its code.
Guarantee: every error word of the reference MMU has one code, E501 to E513.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.scenario import InputError
from verifier.diagnostics.model import Diagnostic


@dataclass(frozen=True, slots=True)
class WrongScenario(Diagnostic):
    """The base of the errors below: `path` is the JSON path ("memory.0x1001"; "" is the whole document)."""

    file: str
    path: str
    problem: str

    def message(self) -> str:
        return f"{self.file}: `{self.path}`: {self.problem}" if self.path else f"{self.file}: {self.problem}"


class NotJson(WrongScenario):
    code = "E501"


class UnknownSchema(WrongScenario):
    code = "E502"

    def help(self) -> str:
        return 'a scenario begins with `"schema": "slat-scenario-1"`'


class UnknownKey(WrongScenario):
    code = "E503"


class DuplicateKey(WrongScenario):
    code = "E504"


class MissingKey(WrongScenario):
    code = "E505"


class WrongType(WrongScenario):
    code = "E506"


class OutOfRange(WrongScenario):
    code = "E507"


class Misaligned(WrongScenario):
    code = "E508"


class UnmodelledControl(WrongScenario):
    code = "E509"


class InvalidGuestState(WrongScenario):
    code = "E510"


class InvalidAccess(WrongScenario):
    code = "E511"


class NonCanonical(WrongScenario):
    code = "E512"


class GeneralProtection(WrongScenario):
    code = "E513"


KINDS: dict[str, type[WrongScenario]] = {
    "blank": NotJson,
    "invalid_json": NotJson,
    "unknown_schema": UnknownSchema,
    "unknown_key": UnknownKey,
    "duplicate_key": DuplicateKey,
    "missing_key": MissingKey,
    "wrong_type": WrongType,
    "wrong_length": WrongType,
    "unknown_kind": WrongType,
    "out_of_range": OutOfRange,
    "misaligned": Misaligned,
    "unmodelled_control": UnmodelledControl,
    "invalid_guest_state": InvalidGuestState,
    "invalid_access": InvalidAccess,
    "non_canonical": NonCanonical,
    "general_protection": GeneralProtection,
}


def diagnose(error: InputError, file: str) -> WrongScenario:
    """The diagnostic for an error in a scenario that was read from `file`."""
    return KINDS[error.code](None, file, error.path, error.message)


def error_object(error: InputError) -> dict[str, object]:
    """The same in the place of a batch answer."""
    return {"error": {"code": KINDS[error.code].code, "path": error.path, "message": error.message}}
