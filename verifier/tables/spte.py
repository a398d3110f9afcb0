"""The layouts that share the word of a shadow page-table entry, side by side.

In: a version. Out: a section: each bit in each state of an entry, who sets it, and what does not fit together.
Guarantee: bits are those of the values that the specification's functions make; a conflict is one that was met there.
Trusted: no, checked by tests/unit/verifier/tables on versions that are known to be bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from verifier.core.values import Value, assemble, leaves, zero
from verifier.tables.bits import owner, position, ranges
from verifier.tables.host import HOST, everything, l2_vcpu
from verifier.tables.probe import Inputs, Probed, named, probe
from verifier.tables.table import Cell, Grid, Section
from verifier.tables.version import Definitions, make, parameter
from verifier.types.kinds import Bool, Layout, LayoutField, Record, Type

SPTE = "kvm.spte.Spte"
ENTRY, CONTROLS, LEVEL = "sdm.ept.entry.EptEntry", "sdm.ept.controls.EptControls", "sdm.ept.entry.EptLevel"
MASKS, RIGHTS, PRESENT = "kvm.spte.kvm_mmu_set_ept_masks", "pte_access", "present"


@dataclass(frozen=True, slots=True)
class State:
    """`function` makes the entries; `case` is what it is told, besides 0, `fixed` are inputs that belong to the state.

    `shadow` entries have the fields of `Spte`; only what `maps` may grant rights.
    """

    name: str
    function: str
    case: Mapping[str, int] = field(default_factory=dict[str, int])
    fixed: tuple[str, ...] = ()
    shadow: bool = False
    maps: bool = False


MADE = "kvm.make_spte.make_spte"
USUAL = {"request.host_writable": 1}
PAGE = State("page", MADE, USUAL, shadow=True, maps=True)
TRACKED = State("tracked", MADE, {**USUAL, "request.prefetch": 1, "request.ad_disabled": 1},
                ("prefetch", "synchronizing", "ad_disabled", "ad_write_protect"), shadow=True)  # fmt: skip
STATES = (
    PAGE,
    TRACKED,
    State("table", "kvm.make_spte.make_nonleaf_spte", shadow=True, maps=True),
    State("MMIO", "kvm.mmio_spte.make_mmio_spte", {}, ("l1tf",)),
    State("frozen", "kvm.spte.FROZEN_SPTE"),
    State("empty", "kvm.spte.SHADOW_NONPRESENT_VALUE"),
)
QUESTIONS = ("kvm.spte.is_shadow_present_pte", "kvm.spte.is_access_track_spte", "kvm.mmio_spte.is_mmio_spte")
PARENTHESES = "In parentheses: the processor ignores it in an entry that maps 4 KBytes, as KVM sets the controls."
GIVEN = ("masks", "vcpu")
"""Parameters that are the host's, not the entry's."""


def section(version: Definitions) -> Section:
    """The states of an entry in one version, on a host that has everything."""
    host = everything(version)
    probed = {state.name: _probed(version, state, host) for state in STATES}
    layout = version.layout(SPTE)
    where = f", in {version.label}" if version.label else ""
    states = _states(_processor(version, host), probed, layout)
    grids = (states, _writers(probed, layout), _recognised(version, host))
    notes = (PARENTHESES, *_conflicts(version), *_claimed(version, host, probed[PAGE.name]))
    return Section(f"States of an SPTE for EPT{where}", (), grids, notes)


# ---- entries of a host


def _entries(version: Definitions, state: State, host: Value) -> Callable[[Inputs], int]:
    """The function from an entry's inputs to its word."""
    params = _params(version, state)
    given = {"masks": version.call(MASKS, host=host), "vcpu": _vcpu(version, host)}

    def entry(inputs: Inputs) -> int:
        numbers = dict(inputs)
        made = {name: assemble(kind, name, numbers) for name, kind in params.items()}
        return version.number(state.function, **given, **made)

    return entry


def _vcpu(version: Definitions, host: Value) -> Value:
    """A vCPU that runs L2, with everything that L1 may select."""
    kind = version.record(CONTROLS)
    l1 = make(kind, **{f.name: True for f in kind.fields if isinstance(f.kind, Bool)})
    return l2_vcpu(version, host, l1)


def _params(version: Definitions, state: State) -> dict[str, Type]:
    return {parameter(p): p.type for p in version.function(state.function).params if parameter(p) not in GIVEN}


def _probed(version: Definitions, state: State, host: Value) -> Probed:
    inputs: dict[str, Type] = {}
    for name, kind in _params(version, state).items():
        parts = {f"{name}.{f.name}": f.kind for f in kind.fields} if isinstance(kind, Record) else {name: kind}
        inputs |= {path: kind for path, kind in parts.items() if path.rsplit(".", 1)[-1] not in state.fixed}
    return probe(_entries(version, state, host), (_nothing(version, state), _everything(version, state)), inputs)


# ---- grids


def _states(processor: Callable[[int], str], probed: Mapping[str, Probed], layout: Layout) -> Grid:
    """Each bit in each state: the field, the input that it holds, or the value that it always has."""

    def what(bit: int) -> list[object]:
        return [processor(bit), *(_what(state, probed[state.name], layout, bit) for state in STATES)]

    cells: list[tuple[Cell, ...]] = []
    for high, low in ranges(layout.width, what):
        shown = (_shown(state, probed[state.name], layout, (high, low)) for state in STATES)
        cells.append((position(high, low), processor(low), *shown))
    return Grid("states", "Each bit: to the processor, and in each state of an entry",
                ("bits", "processor", *(state.name for state in STATES)), tuple(cells))  # fmt: skip


def _what(state: State, probed: Probed, layout: Layout, bit: int) -> object:
    """What neighbouring bits must have in common to be shown together."""
    owners = probed.owners.get(bit)
    if owners is None:
        return probed.value >> bit & 1
    if state.shadow and owner(layout, bit):
        return owner(layout, bit)
    return [(one.name, one.whole or one.bit - bit) for one in owners]


def _shown(state: State, probed: Probed, layout: Layout, run: tuple[int, int]) -> str:
    high, low = run
    what = _what(state, probed, layout, low)
    if isinstance(what, int):
        return str(what)
    return what.name if isinstance(what, LayoutField) else named([probed.owners[high], probed.owners[low]])


def _writers(probed: Mapping[str, Probed], layout: Layout) -> Grid:
    """Which input of make_spte() sets the bits of a page, and of a page that is tracked."""
    states = (probed["page"], probed["tracked"])

    def what(bit: int) -> list[object]:
        return [[(o.name, o.whole or o.bit - bit) for o in state.owners.get(bit, ())] for state in states]

    cells: list[tuple[Cell, ...]] = []
    for high, low in ranges(layout.width, what):
        if not any(what(low)):
            continue
        fields = dict.fromkeys(f.name for bit in range(high, low - 1, -1) if (f := owner(layout, bit)))
        writers = (named([state.owners.get(high, ()), state.owners.get(low, ())]) for state in states)
        cells.append((position(high, low), " ".join(fields) or "-", *(writer or "-" for writer in writers)))
    return Grid("writers", "Who decides a bit: make_spte() is told", ("bits", "field", "page", "tracked"), tuple(cells))


def _recognised(version: Definitions, host: Value) -> Grid:
    """What KVM asks of an entry to know its state, answered for one in each, and what the processor makes of it."""
    masks = version.call(MASKS, host=host)
    entries = [_with_rights(version, state, host) for state in STATES]
    cells: list[tuple[Cell, ...]] = []
    for name in QUESTIONS:
        answers = ("yes" if version.number(name, masks=masks, spte=entry) else "no" for entry in entries)
        cells.append((f"{name.rsplit('.', 1)[-1]}()", *answers))
    cells.append(("the processor", *(_standing(version, entry, host) for entry in entries)))
    return Grid("recognised", "How they are told apart: an entry of each state, with every right",
                ("asked", *(state.name for state in STATES)), tuple(cells))  # fmt: skip


def _nothing(version: Definitions, state: State) -> dict[str, int]:
    """The case of a state without any right, for a page of 4 KBytes."""
    scalars = (leaf for name, kind in _params(version, state).items() for leaf in leaves(kind, name))
    return {**{path: int(cast(int, zero(kind))) for path, kind in scalars}, **state.case}


def _everything(version: Definitions, state: State) -> dict[str, int]:
    """The same with every right."""
    rights = _params(version, state).get(RIGHTS)
    every = {RIGHTS: (1 << rights.width) - 1} if isinstance(rights, Layout) else {}
    return {**_nothing(version, state), **every}


def _with_rights(version: Definitions, state: State, host: Value) -> int:
    """An entry of a state that grants whatever it can."""
    return _entries(version, state, host)(_everything(version, state))


# ---- the processor


def _controls(version: Definitions, host: Value) -> Value:
    """What L2 runs with if L1 selects what L0 itself would, and MBEC where it is offered."""
    kind, user_space = version.record(CONTROLS), version.record("kvm.host.UserSpace")
    own = cast("tuple[Value, ...]", version.call("kvm.shadow.vmcs01_controls", host=host))
    vmm = make(user_space, **{f.name: True for f in user_space.fields})
    mbec = version.call("kvm.vmx.mbec_offered", host=host, vmm=vmm)
    l1 = tuple(mbec if f.name == "mbec" else value for f, value in zip(kind.fields, own, strict=True))
    return version.call("kvm.shadow.vmcs02_controls", host=host, l1=l1)


def _pte(version: Definitions) -> int:
    return dict(version.enum(LEVEL).members)["PTE"]


def _standing(version: Definitions, entry: int, host: Value) -> str:
    """What the processor makes of an entry that would map 4 KBytes."""
    controls = _controls(version, host)
    if not version.number("sdm.ept.entry.present", e=entry, controls=controls):
        return "absent"
    refused = version.number("sdm.ept.misconfiguration.misconfigured", e=entry, at=_pte(version), controls=controls)
    return "misconfigured" if refused else PRESENT


def _ignored(version: Definitions, entry: int, controls: Value) -> int:
    """The bits of a 4-KByte entry that the processor ignores."""
    return version.number("sdm.ept.entry.ignored_bits", e=entry, at=_pte(version), controls=controls)


def _processor(version: Definitions, host: Value) -> Callable[[int], str]:
    """The processor's name of a bit of a page's entry; in parentheses where it ignores it as KVM sets the controls."""
    layout = version.layout(ENTRY)
    ignored = _ignored(version, _with_rights(version, PAGE, host), _controls(version, host))

    def name(bit: int) -> str:
        found = owner(layout, bit)
        if found is None:
            return "-"
        return f"({found.name})" if ignored >> bit & 1 else found.name

    return name


def _claimed(version: Definitions, host: Value, page: Probed) -> Iterator[str]:
    """Bits of a page's entry that KVM uses and the processor ignores, but would not under another control."""
    kind, layout, own = version.record(CONTROLS), version.layout(ENTRY), version.layout(SPTE)
    chosen = cast("tuple[Value, ...]", _controls(version, host))
    entry = _with_rights(version, PAGE, host)
    ignored = _ignored(version, entry, chosen) & (entry | sum(1 << bit for bit in page.owners))
    found: dict[int, str] = {}
    for control, setting in zip(kind.fields, chosen, strict=True):
        if not isinstance(control.kind, Bool) or setting:
            continue
        other = tuple(True if f is control else value for f, value in zip(kind.fields, chosen, strict=True))
        read = ignored & ~_ignored(version, entry, other)
        found |= {bit: control.name for bit in range(read.bit_length()) if read >> bit & 1}
    for bit, control in sorted(found.items(), reverse=True):
        ours, theirs = (found.name if found else "nameless" for found in (owner(own, bit), owner(layout, bit)))
        yield f"Bit {bit}, {ours} to KVM, is {theirs} to a processor with {control}, which KVM does not select."


# ---- conflicts


def _conflicts(version: Definitions) -> Iterator[str]:
    """What does not fit together on a host with everything, or without one thing."""
    met: dict[str, list[str]] = {}
    for missing in ("", *(f.name for f in version.record(HOST).fields)):
        host = everything(version, missing)
        if version.number("kvm.host.host_is_consistent", host=host):
            for problem in _problems(version, host):
                met.setdefault(problem, []).append(missing)
    for problem, hosts in met.items():
        where = "" if "" in hosts else f", on a host without {' or '.join(hosts)}"
        yield f"CONFLICT: {problem}{where}."


def _problems(version: Definitions, host: Value) -> Iterator[str]:
    """A bit that two inputs set, a right that is lost, an entry that grants what it should not."""
    probed = {state.name: _probed(version, state, host) for state in STATES}
    for state, found in probed.items():
        for bit, owners in found.first.items():
            if len(owners) > 1:
                yield f"{' and '.join(setter.name for setter in owners)} each set bit {bit} of a {state} entry"
    for right in probed[TRACKED.name].idle:
        if right.input == RIGHTS and right not in probed[PAGE.name].idle:
            yield f"a {TRACKED.name} entry does not remember {right.name}"
    for state in STATES:
        if not state.maps and _standing(version, _with_rights(version, state, host), host) == PRESENT:
            yield f"a {state.name} entry is present to the processor"
