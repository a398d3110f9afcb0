"""A Hypothesis strategy for well-typed modules.

In: draws. Out: the text of a module that ends in `fn main`, and in `invariant holds` where `main` is a truth value.
Guarantee: every module passes the checker; a module that does not is a failure of the test that drew it.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from programs.expressions import Expressions
from programs.shapes import BOOL, Bits, Enum, Function, Layout, Record, Type


class Writer(Expressions):
    """Draws one module."""

    def __init__(self, number: Callable[[int, int], int], undefined: bool) -> None:
        super().__init__(number, undefined)
        self.lines: list[str] = []

    def enum(self, total: bool) -> None:
        name = self.fresh("E")
        width = self.number(1, 2)
        numbers = list(range(1 << width)) if total else [0, *([2] if width == 2 else []), 1 << width]
        made = Enum(name, numbers[-1].bit_length(), tuple((f"{name}_{n}", n) for n in numbers))
        self.enums.append(made)
        self.lines.append(f"enum {name} {{ {', '.join(f'{m} = {n}' for m, n in made.members)} }}")

    def layout(self) -> None:
        name, width = self.fresh("L"), self.number(4, 14)
        fields: list[tuple[str, int, int, Type]] = []
        low = 0
        while low < width:
            size = min(self.number(1, 4), width - low)
            if self.number(0, 3):
                fields.append((self.fresh("f"), low + size - 1, low, self._field(size)))
            low += size
        made = Layout(name, width, tuple(fields))
        self.layouts.append(made)
        shown = " ".join(f"[{h}:{lo}] {n}: {k.text}" if h > lo or k != BOOL else f"[{h}] {n}" for n, h, lo, k in fields)
        self.lines.append(f"bits {name} : {width} {{ {shown} }}")

    def _field(self, width: int) -> Type:
        fitting: list[Type] = [k for k in (*self.enums, *self.layouts) if k.width == width]
        fitting = [k for k in fitting if not isinstance(k, Enum) or k.total]
        return self.pick([*fitting, BOOL if width == 1 else Bits(width)])

    def record(self) -> None:
        name = self.fresh("R")
        made = Record(name, tuple((self.fresh("g"), self.type(1)) for _ in range(self.number(1, 3))))
        self.records.append(made)
        self.lines.append(f"record {name} {{ {' '.join(f'{n}: {k.text}' for n, k in made.fields)} }}")

    def function(self, result: Type, name: str | None = None) -> Function:
        params = tuple((self.fresh("_p"), self.type(1)) for _ in range(self.number(1, 3)))
        made = Function(name or self.fresh("h"), tuple(k for _, k in params), result)
        self.scope = list(params)
        head = f"{made.name}({', '.join(f'{n}: {k.text}' for n, k in params)})"
        if result == BOOL and name is None and self.number(0, 1):
            clauses = " ".join(f"{self.fresh('c')}: {self.value(BOOL, 2)}" for _ in range(self.number(1, 3)))
            self.lines.append(f"rule {head} = {self.pick(('any', 'all'))} of {{ {clauses} }}")
        else:
            self.lines.append(f"fn {head} -> {result.text} = {self.value(result, 3)}")
        self.functions.append(made)
        return made


def write(number: Callable[[int, int], int], undefined: bool = False, claim: bool = False) -> str:
    """The text of a module; `number(low, high)` decides everything about it.

    With `undefined` it may leave values open, with `claim` it ends in a claim.
    """
    writer = Writer(number, undefined)
    writer.enum(total=True)
    writer.enum(total=False)
    for _ in range(number(1, 2)):
        writer.layout()
    writer.record()
    for _ in range(number(1, 3)):
        writer.function(writer.type(1))
    main = writer.function(BOOL if claim else writer.type(1), "main")
    if claim:
        names = [f"x{i}" for i in range(len(main.params))]
        given = ", ".join(f"{n}: {k.text}" for n, k in zip(names, main.params, strict=True))
        writer.lines.append(f"invariant holds for {given} show main({', '.join(names)})")
    return "\n".join(writer.lines) + "\n"


@st.composite
def modules(draw: st.DrawFn, undefined: bool = False, claim: bool = False) -> str:
    """The text of a module, as `write` draws it."""
    return write(lambda low, high: draw(st.integers(low, high)), undefined, claim)
