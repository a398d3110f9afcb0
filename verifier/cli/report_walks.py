"""The walks of examples, as a site draws them.

In: a library and results. Out: for each result the walks of its example on the reference MMU, with their steps.
Guarantee: the scenarios are those that a replay runs; an example that is no walk has none.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from models.scenario import read_scenario, render_outcome
from models.sdm import Step, access
from verifier.cli.replay import Referee
from verifier.cli.walk_setting import setting_of
from verifier.core.values import Value, assemble
from verifier.obligations.result import Example, Result
from verifier.reports.html.material import ClaimKey, key_of
from verifier.reports.html.walks import Walk
from verifier.types import typed
from verifier.types.load import Library, Loaded


def walks_of(library: Library, results: Sequence[Result]) -> dict[ClaimKey, tuple[Walk, ...]]:
    """The walks by claim; examples that have none are left out."""
    found: dict[ClaimKey, tuple[Walk, ...]] = {}
    for label in dict.fromkeys(result.series for result in results):
        version = None if label is None else library.catalogue.version(label)
        loaded = library.written if version is None else library.load(version)
        for result in results:
            if result.series == label and result.outcome.example is not None:
                found[key_of(result)] = tuple(_walks(loaded, result, result.outcome.example))
    return {key: walks for key, walks in found.items() if walks}


def _walks(loaded: Loaded, result: Result, example: Example) -> Iterator[Walk]:
    claim = next(c for c in loaded.checked.claims if (c.module, c.name) == (result.module, result.name))
    scenarios: dict[str, str] = {}
    Referee(loaded.checked, result.series, scenarios, [])(claim, _inputs(claim, example))
    head = ".".join(filter(None, (claim.name, result.series, "")))
    for name, text in scenarios.items():
        yield performed(name.removeprefix(head).removesuffix(".json"), text)


def _inputs(claim: typed.Claim, example: Example) -> dict[str, Value]:
    """The values of a claim's parameters in an example."""
    words = {"true": 1, "false": 0}
    leaves = {shown.name: words[shown.raw] if shown.raw in words else int(shown.raw, 16) for shown in example.values}
    return {param.name: assemble(param.type, param.name, leaves) for param in claim.params}


def performed(name: str, text: str) -> Walk:
    """The walk of a scenario, which is `text`."""
    scenario = read_scenario(json.loads(text))
    trace: list[Step] = []
    outcome = render_outcome(access(scenario.machine, scenario.request, trace), trace)
    return Walk(name, outcome, setting_of(scenario))
