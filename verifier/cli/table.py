"""`slat table`: what the specifications say, decoded.

In: the name of a table, and what it is to show. Out: a document on standard output.
Guarantee: whatever is shown was computed from the specifications.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from verifier.cli import complete
from verifier.cli.shared import fail, root_option
from verifier.cli.table_view import FORMATS, View
from verifier.diagnostics.model import nearest
from verifier.tables import layout, misconfig, permissions, role, spte
from verifier.tables.mmus import KINDS, settings_of
from verifier.tables.version import Unanswerable
from verifier.types.kinds import Bool, Type, scalar_width

TRUTHS = {"0": 0, "1": 1, "false": 0, "true": 1}

series_option = click.option(
    "--series", "series", multiple=True, metavar="NAME|all", shell_complete=complete.series,
    help="The version of KVM, also several times [default: the one in specs/kvm].",
)  # fmt: skip
format_option = click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
                             help="How the table is written; `mail` has at most 72 columns.")  # fmt: skip
json_option = click.option("--json", "form", flag_value="json", help="The same as `--format json`.")


@click.group("table", short_help="Print what the specifications say, decoded.")
def command() -> None:
    """Print a table that is computed from the specifications.

    \b
    Examples:
      slat table permissions --role mbec=1
      slat table layout Spte --series old --series v5
      slat table misconfig
      slat table role
    """


def _shared(function: Callable[..., None]) -> Callable[..., None]:
    """The options that every table has; a question without an answer is an error."""

    @wraps(function)
    def answering(**words: Any) -> None:
        try:
            function(**words)
        except Unanswerable as reason:
            raise fail(str(reason), "`slat table --help` shows what can be asked") from None

    made: Callable[..., None] = answering
    for option in (root_option, json_option, format_option, series_option):
        made = option(made)
    return made


@command.command("permissions", short_help="Which access faults for which ACC_*.")
@click.option("--mmu", type=click.Choice(list(KINDS)), default="ept", show_default=True,
              help="Whose page tables: shadow EPT, nested NPT, or a guest's own.")  # fmt: skip
@click.option("--role", "settings", multiple=True, metavar="NAME=VALUE,...", shell_complete=complete.settings,
              help="What the role follows from [default: EPT with and without MBEC, and the like].")  # fmt: skip
@_shared
def show_permissions(
    mmu: str, settings: tuple[str, ...], series: tuple[str, ...], form: str, root: Path | None
) -> None:
    """Decode permissions[] of an MMU: which access faults for which ACC_*, and what says so.

    \b
    Examples:
      slat table permissions
      slat table permissions --role mbec=1 --series old --series v5
      slat table permissions --mmu npt --role gmet=1
      slat table permissions --mmu guest --role cr4_smap=0,cr0_wp=0
    """
    view = View(root, series, form)
    kind = KINDS[mmu]
    given = _given(settings, lambda: settings_of(view.definitions[0].function(kind.function)))
    made = view.sections(lambda version: permissions.sections(version, kind, given))
    view.print(
        "permissions", "which access faults for which ACC_*", made, ["--mmu", mmu, *_repeated("--role", settings)]
    )


@command.command("layout", short_help="Who owns each bit of a bitfield.")
@click.argument("bitfield", required=False, shell_complete=complete.bitfields)
@_shared
def show_layout(bitfield: str | None, series: tuple[str, ...], form: str, root: Path | None) -> None:
    """Show who owns each bit of BITFIELD in which version; without BITFIELD list all.

    BITFIELD is a name as the specifications have it (`Spte`, `kvm.spte.Spte`); case and underlines do not matter. Of
    an SPTE the layouts that share its word stand side by side, with what does not fit together.

    \b
    Examples:
      slat table layout
      slat table layout EptEntry
      slat table layout kvm_mmu_page_role
      slat table layout Spte --series old --series v5
    """
    view = View(root, series, form)
    versions = view.definitions if series else view.regular()
    known = layout.bitfields(versions)
    if bitfield is None:
        view.print("layout", "the bitfields of the specifications", [layout.index(known)], [])
        return
    name = _named(bitfield, list(known))
    made = [layout.section(name, versions)]
    if name == spte.SPTE:
        made += view.sections(lambda version: [spte.section(version)])
    view.print("layout", f"who owns each bit of {name.rsplit('.', 1)[-1]}", made, [name])


@command.command("misconfig", short_help="Which EPT entries are misconfigured.")
@_shared
def show_misconfig(series: tuple[str, ...], form: str, root: Path | None) -> None:
    """Decode EPT misconfigurations: rights by MBEC and capability, reserved bits, memory types.

    With --series, also what KVM's walker of that version makes of the same entries.

    \b
    Examples:
      slat table misconfig
      slat table misconfig --series rfc
    """
    view = View(root, series, form)
    made = [misconfig.section(view.definitions[0])]
    if series:
        made += view.sections(lambda version: [misconfig.walker_section(version)])
    view.print("misconfig", "which EPT entries are misconfigured", made, [])


@command.command("role", short_help="The bits of MMU roles, and what they follow from.")
@_shared
def show_role(series: tuple[str, ...], form: str, root: Path | None) -> None:
    """Show the bits of kvm_mmu_page_role, base and extended: in which version, and what each follows from.

    \b
    Examples:
      slat table role
      slat table role --series v1
    """
    view = View(root, series, form)
    made = role.places(view.definitions if len(view.definitions) > 1 else view.regular())
    made += view.sections(lambda version: [role.section(version)])
    view.print("role", "the bits of MMU roles, and what they follow from", made, [])


def _given(words: tuple[str, ...], settings: Callable[[], dict[str, Type]]) -> dict[str, int]:
    """The values of `--role`, by name."""
    pairs = [pair for word in words for pair in word.split(",")]
    known = settings() if pairs else {}
    given: dict[str, int] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in known:
            advice = nearest(name, known) or f"there are {', '.join(f'`{one}`' for one in known)}"
            raise fail(f"no role follows from `{name}`", advice)
        given[name] = _value(pair, value, known[name])
    return given


def _value(pair: str, word: str, kind: Type) -> int:
    """A number, or a truth value by number or word."""
    if isinstance(kind, Bool):
        if word not in TRUTHS:
            raise fail(f"`{pair}` gives no truth value", "0 or 1")
        return TRUTHS[word]
    try:
        number = int(word, 0)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << (scalar_width(kind) or 0):
        raise fail(f"`{pair}` gives no number of {scalar_width(kind)} bits", "0x… or decimal")
    return number


def _named(word: str, known: Iterable[str]) -> str:
    """The bitfield that a word means."""
    found = [name for name in known if _plain(word) in (_plain(name), _plain(name.rsplit(".", 1)[-1]))]
    if len(found) == 1:
        return found[0]
    if found:
        raise fail(f"`{word}` means several bitfields", " or ".join(f"`{name}`" for name in found))
    shorts = {name.rsplit(".", 1)[-1] for name in known}
    raise fail(
        f"there is no bitfield `{word}`", nearest(word, {*known, *shorts}) or "`slat table layout` lists them all"
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _repeated(option: str, words: Iterable[str]) -> list[str]:
    return [part for word in words for part in (option, word)]
