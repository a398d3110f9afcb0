"""One chain of EPT entries and one access to guest-physical address 0, on both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ept_cases import ALL_CAPABILITIES, ROOT, chain, machine
from spec_side import call, make, member, number, record, specification_of_ept
from spec_walks import ACCESS, CAUSE, CONTROLS, KIND, LEVELS, LINEAR, WALK, beyond, circumstances

from models.sdm import Circumstances, PhysicalAccess, access
from verifier.cli.replay_ept import Verdict, observed

AROUND = ("event_delivery", "asynchronous", "nmi_unblocking_by_iret", "idt_vectoring_valid")
KINDS = {"read": "DATA_READ", "write": "DATA_WRITE", "rmw": "READ_MODIFY_WRITE", "fetch": "INSTRUCTION_FETCH"}
NMI_EXITING, VIRTUAL_NMIS = 3, 5


def by_model(entries: tuple[int, ...], kind: str = "read", trace: Any = None, **options: Any) -> Verdict:
    """What the reference MMU makes of it; `options` are those of `machine`, and the flags of a `PhysicalAccess`."""
    given = {name: options.pop(name) for name in PhysicalAccess.__slots__ if name in options}
    around = Circumstances(**{name: options.pop(name) for name in AROUND if name in options})
    built = machine(chain(*entries), **options)
    if given.get("shadow_stack"):
        built = replace(built, guest=replace(built.guest, cr4=0x80_2020, ia32_s_cet=1))
    request = PhysicalAccess(kind=kind, guest_physical_address=0, circumstances=around, **given)
    return observed(access(built, request, trace))


def by_specs(entries: tuple[int, ...], kind: str = "read", **options: Any) -> Verdict:
    """What the specifications say of it."""
    return specification_of_ept().verdict(walk_of(entries, **options), access_of(kind, **options), around_of(**options))


def walk_of(entries: tuple[int, ...], **options: Any) -> Any:
    """The walk as a value."""
    words = list(chain(*entries).values())
    names = LEVELS[0 if options.get("levels") == 5 else 1 :]
    given = dict.fromkeys(LEVELS, 0) | dict(zip(names, words, strict=False))
    return make(record(WALK), controls=controls_of(**options), root=ROOT, guest_physical=0, **given)


def controls_of(**options: Any) -> Any:
    """The controls, from the same bits as those of `machine`."""
    secondary, tertiary = options.get("secondary", 0x2), options.get("tertiary", 0)
    capabilities = options.get("capabilities", ALL_CAPABILITIES)
    return make(
        record(CONTROLS),
        five_level=options.get("levels") == 5,
        accessed_dirty=bool(options.get("flags")),
        supervisor_shadow_stack=bool(options.get("sss")),
        ept_violation_ve=bool(secondary >> 18 & 1),
        mbec=bool(options.get("mbe")),
        sub_page_write=bool(secondary >> 23 & 1),
        paging_write=bool(tertiary >> 2 & 1),
        guest_paging_verification=bool(tertiary >> 3 & 1),
        execute_only=bool(capabilities & 1),
        page_2m=bool(capabilities >> 16 & 1),
        page_1g=bool(capabilities >> 17 & 1),
        advanced_exit_info=bool(capabilities >> 22 & 1) and options.get("advanced", True),
        beyond_maxphyaddr=beyond(options.get("maxphyaddr", 40)),
    )


def access_of(kind: str, **options: Any) -> Any:
    """The access as the specifications name it: by CPL 0, so that a shadow stack is the supervisor's."""
    name = KINDS[kind]
    if options.get("shadow_stack"):
        name = f"SUPERVISOR_SHADOW_STACK_{kind.upper()}"
    if options.get("paging_structure"):
        name = "PAGING_ENTRY_READ" if options.get("linear_address_valid", True) else "PDPTE_LOAD"
    cause = "PEBS" if options.get("asynchronous") else "INSTRUCTION"
    cause = "EVENT_DELIVERY" if options.get("idt_vectoring_valid") else cause
    linear = make(
        record(LINEAR),
        user_mode=options.get("user_linear_address", False),
        writable=options.get("page_writable", True),
        execute_disable=options.get("execute_disable", False),
    )
    return make(
        record(ACCESS),
        kind=number(KIND, name),
        cause=number(CAUSE, cause),
        linear=linear,
        guest_paging_verified=True,
        sub_page_excluded=False,
        sub_page=0,
    )


def around_of(**options: Any) -> Any:
    """The circumstances."""
    pin = options.get("pin", 0)
    return circumstances(
        nmi_exiting=bool(pin >> NMI_EXITING & 1),
        virtual_nmis=bool(pin >> VIRTUAL_NMIS & 1),
        unblocked_by_iret=options.get("nmi_unblocking_by_iret", False),
    )


def deciding_entry(entries: tuple[int, ...], **options: Any) -> str:
    """By the specifications: the level of the entry that stops the walk, or "rights"."""
    walk = walk_of(entries, **options)
    if call("sdm.ept.walk.reaches_a_page", walk):
        return "rights"
    return member("sdm.ept.entry.EptLevel", call("sdm.ept.walk.used", walk)[-1][0])
