"""In: a slat-nested-scenario-1 document. Out: the slat-nested-outcome-1 answer.

Guarantee: whatever the input, the result is a value or an `InputError` with a code, a path and a message.
Trusted: no, checked by tests/unit/models/kvm (hostile scenarios).
"""

from models.kvm.scenario.reading import NestedScenario, is_nested, read_nested_scenario
from models.kvm.scenario.rendering import answer_nested, render_nested, run

__all__ = ["NestedScenario", "answer_nested", "is_nested", "read_nested_scenario", "render_nested", "run"]
