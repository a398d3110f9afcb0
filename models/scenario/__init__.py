"""In: a slat-scenario-1 document. Out: the machine and access it describes, and the slat-outcome-1 answer.

Guarantee: whatever the input, the result is a value or an `InputError` with a code, a path and a message.
Trusted: no, checked by tests/unit/models (hostile scenarios).
"""

from models.scenario.reading import parse_json
from models.scenario.rendering import Document, render_outcome
from models.scenario.scenario import Scenario, answer, read_scenario
from models.sdm.errors import InputError

__all__ = ["Document", "InputError", "Scenario", "answer", "parse_json", "read_scenario", "render_outcome"]
