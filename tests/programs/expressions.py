"""Well-typed expressions, drawn.

In: a source of numbers, the declared types and functions, the names in scope. Out: the text of an expression.
Guarantee: the checker accepts every expression for the type that was asked for.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from programs.shapes import BOOL, Bits, Bool, Enum, Function, Layout, List, Record, Type

T = TypeVar("T")
WIDTHS = (1, 2, 3, 4, 5, 8, 13)


class Expressions:
    """Draws expressions. Names are numbered through, so that nothing shadows anything."""

    def __init__(self, number: Callable[[int, int], int], undefined: bool) -> None:
        self.number = number
        self._undefined = undefined
        self._made = 0
        self.enums: list[Enum] = []
        self.layouts: list[Layout] = []
        self.records: list[Record] = []
        self.functions: list[Function] = []
        self.scope: list[tuple[str, Type]] = []

    # ---- draws

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(0, len(options) - 1)]

    def fresh(self, stem: str) -> str:
        self._made += 1
        return f"{stem}{self._made}"

    def type(self, depth: int) -> Type:
        """Some type; `depth` bounds lists in lists."""
        scalars: list[Type] = [BOOL, Bits(self.pick(WIDTHS)), *self.enums, *self.layouts]
        if depth and self.number(0, 3) == 0:
            low = self.number(0, 2)
            return List(self.type(depth - 1), low, max(1, low + self.number(0, 2)))
        return self.pick([*scalars, *self.records])

    # ---- expressions: `value` may take its width from its context, `rigid` never does

    def value(self, kind: Type, depth: int) -> str:
        if isinstance(kind, (Bool, Bits, Layout)) or (isinstance(kind, Enum) and kind.total):
            if self._undefined and self.number(0, 9) == 0:
                return "undefined"
            if isinstance(kind, Bits) and self.number(0, 3) == 0:
                return self._literal(kind)
        return self.rigid(kind, depth)

    def rigid(self, kind: Type, depth: int) -> str:
        if depth <= 0:
            return self._leaf(kind)
        general: list[Callable[[Type, int], str]] = [self._if, self._let, self._match, self._leaf_at]
        if any(f.result == kind for f in self.functions):
            general += [self._call] * 3
        match kind:
            case Bool():
                own = [self._logic, self._not, self._relation, self._member, self._bit, self._quantified]
            case Bits():
                own = [self._chain, self._sum, self._shift, self._slice, self._extend, self._concat, self._raw,
                       self._meet, self._length]  # fmt: skip
            case Enum():
                own = [self._from_bits] if kind.total else []
            case Layout():
                own = [self._from_bits, self._make, self._with, self._chain, self._meet]
            case Record():
                own = [self._make, self._with]
            case List():
                own = [self._until, self._make_list]
        return self.pick([*own, *own, *general])(kind, depth - 1)

    def _leaf_at(self, kind: Type, depth: int) -> str:
        del depth
        return self._leaf(kind)

    def _leaf(self, kind: Type) -> str:
        known = [*self._reachable(kind)]
        if known and self.number(0, 5):
            return self.pick(known)
        match kind:
            case Bool():
                return self.pick(("true", "false"))
            case Bits():
                name = self.fresh("k")
                return f"(let {name}: {kind.text} = {self._literal(kind)}; {name})"
            case Enum():
                member = self.pick(kind.members)[0]
                return self.pick((member, f"{kind.text}.{member}"))
            case Layout():
                return f"{kind.text}({self._literal(Bits(kind.width))})"
            case Record():
                return self._make(kind, 0)
            case List():
                return self._make_list(kind, 0)

    def _reachable(self, kind: Type) -> list[str]:
        """Names in scope and what is directly inside them."""
        found: list[str] = []
        for name, has in self.scope:
            if has == kind:
                found.append(name)
            match has:
                case Record():
                    found += [f"{name}.{field}" for field, inner in has.fields if inner == kind]
                case Layout():
                    found += [f"{name}.{field}" for field, _, _, inner in has.fields if inner == kind]
                case List() if has.element == kind and has.low:
                    found += [f"{name}[{i}]" for i in range(has.low)] + [f"last({name})"]
                case _:
                    pass
        return found

    def _literal(self, kind: Bits) -> str:
        number = self.pick((0, 1, (1 << kind.width) - 1, self.number(0, (1 << kind.width) - 1)))
        if number and self.number(0, 2) == 0:
            ones = [i for i in range(kind.width) if number >> i & 1]
            return f"[{', '.join(str(i) for i in reversed(ones))}]"
        return self.pick((str(number), f"0x{number:x}"))

    def _known(self, kind: Type, depth: int) -> str:
        """A value whose type shows by itself; a list's bounds do only through a name."""
        if isinstance(kind, List):
            name = self.fresh("k")
            return f"(let {name}: {kind.text} = {self.value(kind, depth)}; {name})"
        return self.rigid(kind, depth)

    def _if(self, kind: Type, depth: int) -> str:
        return f"(if {self.value(BOOL, depth)} then {self._known(kind, depth)} else {self.value(kind, depth)})"

    def _let(self, kind: Type, depth: int) -> str:
        name, held = self.fresh("k"), self.type(1)
        said = f"let {name}: {held.text} = {self.value(held, depth)}"
        if not isinstance(held, List) and self.number(0, 1):
            said = f"let {name} = {self._known(held, depth)}"
        self.scope.append((name, held))
        body = self._known(kind, depth)
        self.scope.pop()
        return f"({said}; {body})"

    def _match(self, kind: Type, depth: int) -> str:
        over = [self.pick([BOOL, Bits(self.number(1, 2)), *self.enums]) for _ in range(self.number(1, 2))]
        rows = self._rows([_cases(k) for k in over])
        if len(rows) > 1 and self.number(0, 1):
            rows[-1] = "_"
        arms = " ".join(f"case {row} : {self._known(kind, depth - 1)}" for row in rows)
        return f"(match ({', '.join(self.rigid(k, depth - 1) for k in over)}) {{ {arms} }})"

    def _rows(self, columns: list[list[str]]) -> list[str]:
        """Patterns that partition the product of the columns."""
        first, *rest = columns
        cut = self.number(1, len(first))
        rows: list[str] = []
        for group in (first[:cut], first[cut:]):
            inner = self._rows(rest) if rest and self.number(0, 1) else [", ".join("_" for _ in rest)]
            rows += [", ".join(filter(None, (" | ".join(group), row))) for row in inner if group]
        return rows

    def _call(self, kind: Type, depth: int) -> str:
        function = self.pick([f for f in self.functions if f.result == kind])
        return f"{function.name}({', '.join(self.value(k, depth) for k in function.params)})"

    # ---- truth values

    def _logic(self, kind: Type, depth: int) -> str:
        if self.number(0, 2) == 0:
            return f"({self.value(kind, depth)} implies {self.value(kind, depth)})"
        parts = (self.value(kind, depth) for _ in range(self.number(2, 3)))
        operator = self.pick((" && ", " || "))
        return f"({operator.join(parts)})"

    def _not(self, kind: Type, depth: int) -> str:
        return f"(!{self.rigid(kind, depth)})"

    def _relation(self, kind: Type, depth: int) -> str:
        del kind
        of = self.type(1)
        ops = ["==", "!="]
        if isinstance(of, (Bits, Enum)):
            ops += ["<", "<=", ">", ">="]
        if isinstance(of, (Bits, Layout)):
            ops += ["within", "within"]
        return f"({self._known(of, depth)} {self.pick(ops)} {self.value(of, depth)})"

    def _member(self, kind: Type, depth: int) -> str:
        del kind
        of = self.pick([Bits(self.pick(WIDTHS)), *self.enums, *self.layouts])
        members = ", ".join(self.value(of, depth - 1) for _ in range(self.number(1, 3)))
        return f"({self.rigid(of, depth)} in {{ {members} }})"

    def _bit(self, kind: Type, depth: int) -> str:
        del kind
        of = self.pick([Bits(self.pick(WIDTHS)), *self.layouts])
        return f"{self.rigid(of, depth)}[{self.number(0, of.width - 1)}]"

    def _over(self, list_type: List, depth: int, body: Callable[[], str]) -> str:
        """`element at index in list: body`, with both names in scope of the body."""
        name, index = self.fresh("k"), self.fresh("i")
        over = self._known(list_type, depth)
        self.scope += [(name, list_type.element), (index, Bits(list_type.high.bit_length()))]
        said = f"{name} at {index} in {over}: {body()}"
        del self.scope[-2:]
        return said

    def _some_list(self) -> List:
        low = self.number(0, 2)
        return List(self.type(0), low, max(1, low + self.number(0, 2)))

    def _quantified(self, kind: Type, depth: int) -> str:
        over = self._over(self._some_list(), depth, lambda: self.value(kind, depth))
        return f"{self.pick(('all', 'any'))}({over})"

    # ---- numbers

    def _chain(self, kind: Type, depth: int) -> str:
        parts = [self.rigid(kind, depth), *(self.value(kind, depth) for _ in range(self.number(1, 2)))]
        if isinstance(kind, Bits) and self.number(0, 4) == 0:
            return f"(~{parts[0]})"
        operator = self.pick((" & ", " | ", " ^ "))
        return f"({operator.join(parts)})"

    def _sum(self, kind: Type, depth: int) -> str:
        return f"({self.rigid(kind, depth)} {self.pick(('+', '-'))} {self.value(kind, depth)})"

    def _shift(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        by = str(self.number(0, kind.width - 1)) if self.number(0, 1) else self.rigid(kind, depth)
        return f"({self.rigid(kind, depth)} {self.pick(('<<', '>>'))} {by})"

    def _slice(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        wider: list[Bits | Layout] = [k for k in self.layouts if k.width >= kind.width]
        of = self.pick([Bits(kind.width + self.number(0, 5)), *wider])
        low = self.number(0, of.width - kind.width)
        return f"{self.rigid(of, depth)}[{low + kind.width - 1}:{low}]"

    def _extend(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        narrow = self.pick([BOOL, Bits(self.number(1, kind.width))])
        return f"{self.pick(('extend', 'sign_extend'))}({self.rigid(narrow, depth)}, {kind.width})"

    def _concat(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        if kind.width == 1:
            return self._leaf(kind)
        low = self.number(1, kind.width - 1)
        parts = [self.rigid(BOOL if w == 1 and self.number(0, 1) else Bits(w), depth) for w in (kind.width - low, low)]
        return f"({parts[0]} ++ {parts[1]})"

    def _raw(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        same = [k for k in (*self.enums, *self.layouts) if k.width == kind.width]
        return f"{self.rigid(self.pick(same), depth)}.raw" if same else self._leaf(kind)

    def _length(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, Bits)
        if kind.width > 2:
            return self._leaf(kind)
        low, high = self.pick(((0, 1), (1, 1)) if kind.width == 1 else ((0, 2), (2, 3), (1, 2)))
        return f"length({self._known(List(self.type(0), low, high), depth)})"

    def _meet(self, kind: Type, depth: int) -> str:
        return f"meet({self._over(self._some_list(), depth, lambda: self.rigid(kind, depth))})"

    # ---- enums, bitfields, records, lists

    def _from_bits(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, (Enum, Layout))
        return f"{kind.text}({self.value(Bits(kind.width), depth)})"

    def _fields(self, kind: Layout | Record, depth: int, all_of_them: bool) -> str:
        named: list[tuple[str, Type]] = [(f[0], f[-1]) for f in kind.fields]  # type: ignore[misc]
        given = named if all_of_them else [f for f in named if self.number(0, 1)] or named[:1]
        return ", ".join(f"{name}: {self.value(k, depth)}" for name, k in given)

    def _make(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, (Layout, Record))
        return f"{kind.text} {{ {self._fields(kind, depth, isinstance(kind, Record))} }}"

    def _with(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, (Layout, Record))
        fields = self._fields(kind, depth, False)
        return f"({self.rigid(kind, depth)} with {{ {fields} }})" if fields else self._leaf(kind)

    def _make_list(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, List)
        count = self.number(max(kind.low, 1), kind.high)
        return f"list({', '.join(self.rigid(kind.element, depth) for _ in range(count))})"

    def _until(self, kind: Type, depth: int) -> str:
        assert isinstance(kind, List)
        if kind.low > 1:
            return self._make_list(kind, depth)
        over = List(kind.element, self.number(kind.low, kind.high), kind.high)
        return f"until({self._over(over, depth, lambda: self.value(BOOL, depth))})"


def _cases(kind: Type) -> list[str]:
    match kind:
        case Bool():
            return ["true", "false"]
        case Enum():
            return [member for member, _ in kind.members]
        case Bits():
            return [str(n) for n in range(1 << kind.width)]
        case _:
            raise AssertionError(kind)
