"""Models as the reader sees them: names, fields and don't-cares.

In: leaves and a model. Out: one line for each input of which something matters, and the raw numbers of all.
Guarantee: what is left out does not matter: the claim fails whatever it is, as long as the assumptions hold.
Trusted: no, checked by golden reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.core.show import named, show_number, show_value
from verifier.obligations.minimize import Model, Named
from verifier.obligations.result import Example, Shown
from verifier.smt.symbolic import Leaf
from verifier.types.kinds import Bool, Layout, LayoutField, List, Type


def leaves_of(example: Example) -> dict[str, int]:
    """The numbers of an example by leaf; what `show_values` makes strings of."""
    words = {"false": 0, "true": 1}
    return {shown.name: words[shown.raw] if shown.raw in words else int(shown.raw, 16) for shown in example.values}


def show_values(leaves: tuple[Leaf, ...], model: Model) -> tuple[Shown, ...]:
    """Every leaf in order."""
    deciding, assumed = _masks(model.relevant), _masks(model.assumed)
    return tuple(
        _shown(leaf, name, model.numbers[leaf.name], (deciding.get(leaf.name, 0), assumed.get(leaf.name, 0)))
        for leaf, name in zip(leaves, _names(leaves), strict=True)
    )


def _masks(parts: Named) -> dict[str, int]:
    """For each leaf the bits that these parts cover."""
    masks: dict[str, int] = {}
    for name, high, low in parts:
        mask = 1 if high < 0 else (1 << (high + 1)) - (1 << low)
        masks[name] = masks.get(name, 0) | mask
    return masks


def _names(leaves: tuple[Leaf, ...]) -> Iterator[str]:
    """The leaves' names; a choice is named by its field and its function, and numbered from the second on."""
    made: dict[str, int] = {}
    for leaf in leaves:
        if not leaf.name.startswith("undefined "):
            yield leaf.name
            continue
        owner = leaf.name.rsplit("/", 1)[-1].removeprefix("undefined ").split("@", 1)[0].rsplit(".", 1)[-1]
        name = f"undefined {leaf.field} in {owner}" if leaf.field else f"undefined in {owner}"
        made[name] = made.get(name, 0) + 1
        yield name + (f" ({made[name]})" if made[name] > 1 else "")


def _shown(leaf: Leaf, name: str, value: int, masks: tuple[int, int]) -> Shown:
    deciding, assumed = masks
    raw = ("false", "true")[value] if leaf.term.width == 0 else f"0x{value:x}"
    text = _text(leaf.kind, value, deciding | assumed)
    return Shown(name, text, raw, deciding != 0, assumed != 0 and deciding == 0, named(value, leaf.kind))


def _text(kind: Type, value: int, relevant: int) -> str:
    match kind:
        case Layout():
            return " ".join(_fields(kind, value, relevant)) or "0"
        case Bool():
            return show_value(bool(value), kind)
        case List():
            return str(value)
        case _:
            return show_value(value, kind)


def _fields(kind: Layout, value: int, relevant: int) -> Iterator[str]:
    """The fields that are set, and dashes for a flag that matters because it is clear."""
    rest = value
    for field in kind.fields:
        part = (value & field.mask) >> field.low
        rest &= ~field.mask
        if part or relevant & field.mask:
            yield _field(field, part)
    if rest:
        yield f"other={show_number(rest, kind.width)}"


def _field(field: LayoutField, part: int) -> str:
    if isinstance(field.kind, Bool):
        return field.name if part else "-" * len(field.name)
    return f"{field.name}={show_value(part, field.kind)}"
