"""A replayed access as a test of it could be written down.

In: a walk of EPT or of a guest, as the specifications have it, with its scenario and its verdict. Out: an `AccessCase`.
Guarantee: every processor with what is needed and without what is lacked has the verdict of the specifications; no
capability is named on which that does not depend.
Trusted: no, checked by tests/unit/verifier/cli and by the reference MMU, which has run the scenario.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from verifier.cli.replay_ept import ORDINARY, Specification, Verdict, fields_of
from verifier.cli.replay_guest import GuestSpecification
from verifier.cli.replay_scenario import CAPABILITIES, LEVELS, Fields, Situation, maxphyaddr
from verifier.core.values import Value
from verifier.obligations.access_case import AccessCase, Operation, Outcome


def ept_case(
    spec: Specification, name: str, walked: tuple[Value, Value, Value], document: Fields, said: Verdict
) -> AccessCase:
    """An access to EPT alone: what was `walked` are the walk, the access and its circumstances."""
    walk, access, around = walked
    at, parts = spec.situation(*walked), fields_of(spec.walk, walk)

    def judge(controls: Value) -> Verdict:
        return spec.verdict(tuple((parts | {"controls": controls}).values()), access, around)

    operation = _operation(at, user=at.linear["user_mode"], paging=True)
    return _case(name, at, operation, (document, said), judge)


def guest_case(spec: GuestSpecification, name: str, walk: Value, document: Fields, said: Verdict) -> AccessCase:
    """An access to a linear address."""
    at = spec.ept.situation(*spec.at_the_final_address(walk), ORDINARY)
    guest, parts = spec.situation(walk, final=False), fields_of(spec.walk, walk)

    def judge(controls: Value) -> Verdict:
        return spec.verdict(tuple((parts | {"controls": controls}).values()))

    user = guest.access["cpl"] == 3 and not guest.access["implicit"]
    operation = _operation(at, user, paging=guest.mode != "NO_PAGING")
    return _case(name, at, operation, (document, said), judge)


def _operation(at: Situation, user: bool, paging: bool) -> Operation:
    linear = at.linear
    return Operation(
        at.kind, at.cause, user, paging, linear["user_mode"], linear["writable"], linear["execute_disable"]
    )


def _case(
    name: str,
    at: Situation,
    operation: Operation,
    run: tuple[Fields, Verdict],
    judge: Callable[[Value], Verdict],
) -> AccessCase:
    document, said = run
    controls = {key: value for key, value in at.controls.items() if value is True}
    needs, lacks = _capabilities(at.controls, said, judge)
    return AccessCase(
        walk=name,
        controls=tuple(key for key in controls if key not in CAPABILITIES),
        needs=needs,
        lacks=lacks,
        maxphyaddr=maxphyaddr(at.controls["beyond_maxphyaddr"]),
        guest_physical=at.walk["guest_physical"] & (1 << 52) - 1,
        entries=tuple((5 - LEVELS.index(level), at.walk[level]) for level in at.used),
        operation=operation,
        expected=Outcome(said.outcome, said.qualification, said.defined, said.stage),
        scenario=json.dumps(document),
    )


def _capabilities(
    controls: Fields, said: Verdict, judge: Callable[[Value], Verdict]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that the processor must have for the verdict, and those that it must not have."""

    def holds(other: Mapping[str, bool]) -> bool:
        return _covers(judge(tuple({**controls, **other}.values())), said)

    has = {name: bool(controls[name]) for name in CAPABILITIES}
    found = decisive(has, holds)
    return tuple(name for name in found if has[name]), tuple(name for name in found if not has[name])


def decisive(has: Mapping[str, bool], holds: Callable[[Mapping[str, bool]], bool]) -> tuple[str, ...]:
    """Those capabilities of a processor that must stay as they are, so that something still `holds`.

    First those that matter alone. Two deficits may each hide the other: of the rest a processor may have all or none,
    and where that matters, one more has to stay. Having more never undoes what having some of it does.
    """
    found = [name for name in has if not holds({**has, name: not has[name]})]
    while True:
        free = [name for name in has if name not in found]
        matters = (value for value in (True, False) if not holds({**has, **dict.fromkeys(free, value)}))
        value = next(matters, None)
        if value is None:
            return tuple(name for name in has if name in found)
        found.append(next(name for name in free if has[name] != value))


def _covers(other: Verdict, said: Verdict) -> bool:
    """Whether the other verdict says all that this one says."""
    both = other.defined & said.defined
    same = (other.outcome, other.stage, other.host_physical_address) == (
        said.outcome,
        said.stage,
        said.host_physical_address,
    )
    return same and both == said.defined and (other.qualification ^ said.qualification) & both == 0
