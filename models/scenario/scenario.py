"""In: the value of a slat-scenario-1 document. Out: a machine and a request, and what becomes of them.

Guarantee: nothing of the document is ignored; the first thing wrong with it is reported, in a fixed order.
Trusted: no, checked by tests/unit/models (hostile scenarios).
"""

from dataclasses import dataclass

from models.scenario.access import read_access
from models.scenario.machine import read_guest, read_processor, read_vmcs
from models.scenario.memory import read_memory
from models.scenario.rendering import Document, render_outcome
from models.scenario.values import read_fields, shown
from models.sdm import InputError, Machine, Request, Step, access

SCHEMA = "slat-scenario-1"
KEYS = frozenset({"schema", "cpu", "vmcs", "guest", "memory", "access"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One access on one machine."""

    machine: Machine
    request: Request


def read_scenario(document: object) -> Scenario:
    """The scenario that a parsed document describes. Raises `InputError`."""
    fields = read_fields(document, "", KEYS, KEYS)
    if fields["schema"] != SCHEMA:
        message = f'expected "{SCHEMA}", found "{shown(fields["schema"])}"'
        raise InputError("unknown_schema", "schema", message)
    processor = read_processor(fields["cpu"])
    machine = Machine(
        processor=processor,
        vmcs=read_vmcs(fields["vmcs"]),
        guest=read_guest(fields["guest"]),
        memory=read_memory(fields["memory"], processor.maxphyaddr),
    )
    return Scenario(machine, read_access(fields["access"]))


def answer(document: object, steps: bool = False) -> Document:
    """The slat-outcome-1 document for a parsed scenario, with its steps if asked for. Raises `InputError`."""
    scenario = read_scenario(document)
    trace: list[Step] | None = [] if steps else None
    return render_outcome(access(scenario.machine, scenario.request, trace), trace)
