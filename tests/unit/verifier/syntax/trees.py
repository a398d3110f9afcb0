"""Generated syntax trees: every construct, names that are no keywords, and no place in any source."""

from __future__ import annotations

from hypothesis import strategies as st

from verifier.source import Source, Span
from verifier.syntax import tree

NOWHERE = Span(Source("<generated>", ""), 0, 0)

lower_names = st.sampled_from(["a", "b2", "_unused", "walk", "at_level", "a_rather_long_name_of_a_value"])
upper_names = st.sampled_from(["A", "PTE", "EptEntry", "A_RATHER_LONG_NAME_OF_A_CONSTANT"])
words = lower_names.map(lambda text: tree.Word(text, NOWHERE))
upper_words = upper_names.map(lambda text: tree.Word(text, NOWHERE))
paths = st.lists(lower_names, min_size=1, max_size=3).map(lambda parts: tree.Path(".".join(parts), NOWHERE))
docs = st.sampled_from(["", "one", "A sentence with `code` and // no comment.", "x" * 90])
titles = st.sampled_from(["", "EPT Violations", "make_spte()"])
numbers = st.integers(0, 1 << 70)
positions = st.integers(0, 63)


def tuples(strategy, low=0, high=3):
    return st.lists(strategy, min_size=low, max_size=high).map(tuple)


# ---- types

scalar_types = st.one_of(
    st.just(tree.BoolType(NOWHERE)),
    st.integers(1, 64).map(lambda width: tree.BitsType(width, NOWHERE)),
    upper_words.map(lambda word: tree.NamedType(word, NOWHERE)),
)
types = st.recursive(
    scalar_types,
    lambda inner: st.builds(tree.ListType, inner, st.integers(0, 4), st.integers(0, 4), st.just(NOWHERE)),
    max_leaves=3,
)

# ---- expressions

CHAINS = ["&&", "||", "&", "|", "^", "+", "++"]
BINARIES = ["==", "!=", "<", "<=", ">", ">=", "-", "<<", ">>", "within", "implies"]

names = st.one_of(lower_names, upper_names).map(lambda text: tree.Name(text, NOWHERE))
integers = st.builds(tree.Integer, numbers, st.booleans(), st.just(NOWHERE))
booleans = st.booleans().map(lambda value: tree.Boolean(value, NOWHERE))
singles = st.one_of(
    upper_names.map(lambda text: tree.Name(text, NOWHERE)), integers, booleans, st.just(tree.Anything(NOWHERE))
)
leaves = st.one_of(
    names,
    integers,
    booleans,
    st.just(tree.Undefined(NOWHERE)),
    st.builds(tree.Mask, tuples(st.tuples(positions, positions), 1), st.just(NOWHERE)),
)


def composites(inner):
    here = st.just(NOWHERE)
    assignments = tuples(st.tuples(words, inner))
    arms = st.builds(tree.Arm, tuples(tuples(singles, 1), 1), inner, here)
    return st.one_of(
        st.builds(tree.Member, inner, st.one_of(words, upper_words), here),
        st.builds(tree.Index, inner, positions, st.none() | positions, here),
        st.builds(tree.Call, inner, tuples(inner), here),
        st.builds(tree.Literal, upper_words, assignments, here),
        st.builds(tree.With, inner, tuples(st.tuples(words, inner), 1), here),
        st.builds(tree.ListOf, tuples(inner, 1), here),
        st.builds(tree.Unary, st.sampled_from("!~"), inner, here),
        st.builds(tree.Chain, st.sampled_from(CHAINS), tuples(inner, 2, 4), here),
        st.builds(tree.Binary, st.sampled_from(BINARIES), inner, inner, here),
        st.builds(tree.InSet, inner, tuples(inner, 1), here),
        st.builds(tree.If, inner, inner, inner, here),
        st.builds(tree.Let, words, st.none() | types, inner, inner, here),
        st.builds(tree.Match, tuples(inner, 1), tuples(arms, 1), here),
        st.builds(
            tree.Quantifier,
            st.sampled_from(["all", "any", "meet", "until"]),
            words,
            st.none() | words,
            inner,
            inner,
            here,
        ),
    )


expressions = st.recursive(leaves, composites, max_leaves=12)

# ---- declarations

here = st.just(NOWHERE)
cites = tuples(st.builds(tree.Cite, upper_words, titles, here))
abouts = st.builds(tree.About, cites, docs, docs)
short_abouts = st.builds(tree.About, cites, docs, st.just(""))
params = st.builds(tree.Param, words, types, here)
members = st.builds(tree.EnumMember, upper_words, st.integers(0, 99), docs, here)
fields = st.builds(tree.Field, words, types, docs, here)
bit_fields = st.builds(tree.BitField, words, positions, positions, st.none() | scalar_types, docs, here)
clauses = st.builds(tree.Clause, words, expressions, cites, here)
series = st.builds(tree.SeriesRange, words, st.none() | words, here)
verdicts = st.sampled_from(["proved", "refuted", "not_modelled"])
expects = st.builds(tree.Expect, verdicts, tuples(series), docs, here)

enums = st.builds(tree.Enum, upper_words, tuples(members, 1), short_abouts, here)
records = st.builds(tree.Record, upper_words, tuples(fields, 1), short_abouts, here)
bits = st.builds(tree.Bits, upper_words, st.integers(0, 64), tuples(bit_fields), short_abouts, here)
consts = st.builds(tree.Const, upper_words, types, abouts, expressions, here)
fns = st.builds(tree.Fn, words, tuples(params), types, abouts, expressions, here)
rules = st.builds(tree.Rule, words, tuples(params), st.sampled_from(["any", "all"]), abouts, tuples(clauses, 1), here)


@st.composite
def claims(draw):
    kind = draw(st.sampled_from(["invariant", "witness"]))
    return tree.Claim(
        kind,
        draw(words),
        draw(tuples(upper_words)),
        draw(short_abouts),
        draw(tuples(params)),
        draw(tuples(expressions)),
        draw(expressions),
        draw(tuples(expects)) if kind == "invariant" else (),
        NOWHERE,
    )


decls = st.one_of(enums, records, bits, consts, fns, rules, claims())


@st.composite
def changes(draw):
    kind = draw(st.sampled_from(["add", "replace", "reshape", "remove", "unavailable"]))
    if kind in ("remove", "unavailable"):
        reason = draw(docs) if kind == "unavailable" else ""
        return tree.Change(kind, draw(st.one_of(words, upper_words)), None, reason, NOWHERE)
    decl = draw(decls)
    return tree.Change(kind, decl.name, decl, "", NOWHERE)


modules = st.builds(tree.Module, paths, tuples(paths), tuples(decls), here)
amends = st.builds(
    tree.Amend,
    paths,
    st.sampled_from(["seen", "inferred", "unavailable"]),
    docs,
    tuples(paths),
    tuples(changes()),
    here,
)
some_cites = tuples(st.builds(tree.Cite, upper_words, titles, here), 1)
patches = st.builds(tree.Patch, paths, st.none() | words, some_cites, docs, tuples(amends), here)
files = st.one_of(modules, patches)
