"""The modules of a version: a base, and patches applied to it.

In: the modules of `specs/` and `proofs/`, the catalogue of series, a version. Out: `Assembled`: every module as it is
in that version.
Guarantee: a module that no patch changes is the very same tree; a definition keeps its place, with its own source.
Trusted: no, checked by a test that `old` with all patches of `v5` says what `v5` says whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from verifier.diagnostics.model import Diagnosed, Diagnostic
from verifier.names import errors
from verifier.names.series import Catalogue, Version
from verifier.syntax import tree


@dataclass(slots=True)
class Assembled:
    """Modules by name; `unavailable` says why, for each definition that nobody has seen."""

    modules: dict[str, tree.Module]
    unavailable: dict[str, str] = field(default_factory=dict[str, str])


def assemble(modules: Iterable[tree.Module], catalogue: Catalogue, version: Version) -> Assembled:
    """The modules of `version`; raises `Diagnosed` with every change that cannot be made."""
    found: list[Diagnostic] = []
    made = _assemble({m.name.text: m for m in modules}, catalogue, version, found)
    if found:
        raise Diagnosed(found)
    return made


def differences(modules: Iterable[tree.Module], catalogue: Catalogue) -> Iterator[Diagnostic]:
    """Where the patches of the written series, all of them applied, do not lead to what is written."""
    written = catalogue.series[catalogue.written or ""]
    if not written.patches:
        return
    whole = {m.name.text: m for m in modules}
    made = assemble(whole.values(), catalogue, Version(written.name, written.patches[-1].number)).modules
    for name in sorted(catalogue.changeable & whole.keys()):
        theirs = {decl.name.text: decl for decl in made[name].decls}
        for decl in whole[name].decls:
            other = theirs.pop(decl.name.text, None)
            if other is None or meaning(other) != meaning(decl):
                place = other.name.span if other else None
                yield errors.LeadsElsewhere(decl.name.span, decl.name.text, name, written.name, place)
        for word, decl in theirs.items():
            yield errors.LeadsElsewhere(whole[name].name.span, word, name, written.name, decl.name.span)


def meaning(decl: tree.Decl) -> tree.Decl:
    """The declaration without its citations and sentences."""
    bare = replace(decl, about=tree.About((), "", ""))
    match bare:
        case tree.Enum():
            return replace(bare, members=tuple(replace(m, doc="") for m in bare.members))
        case tree.Record():
            return replace(bare, fields=tuple(replace(f, doc="") for f in bare.fields))
        case tree.Bits():
            return replace(bare, fields=tuple(replace(f, doc="") for f in bare.fields))
        case tree.Rule():
            return replace(bare, clauses=tuple(replace(c, cites=()) for c in bare.clauses))
        case tree.Const() | tree.Fn() | tree.Claim():
            return bare
        case _:
            assert_never(bare)


def _assemble(
    modules: dict[str, tree.Module], catalogue: Catalogue, version: Version, found: list[Diagnostic]
) -> Assembled:
    series = catalogue.series[version.series]
    if version == Version(catalogue.written or ""):
        return Assembled(dict(modules))
    if series.base is None:
        return Assembled({**modules, **{m.name.text: m for m in series.modules}})
    made = _assemble(modules, catalogue, Version(series.base), found)
    for patch in series.patches:
        if version.upto is None or patch.number <= version.upto:
            for amend in patch.tree.amends:
                _apply(made, amend, found)
    return made


def _apply(made: Assembled, amend: tree.Amend, found: list[Diagnostic]) -> None:
    name = amend.target.text
    module = made.modules.get(name)
    if module is None:
        found.append(errors.UnknownModule(amend.target.span, name, tuple(made.modules)))
        return
    decls = {decl.name.text: decl for decl in module.decls}
    for change in amend.changes:
        problem = _problem(change, name, decls)
        if problem is not None:
            found.append(problem)
            continue
        word = change.name.text
        match change.kind:
            case "remove":
                del decls[word]
            case "unavailable":
                made.unavailable[f"{name}.{word}"] = change.reason or amend.doc
            case _:
                assert change.decl is not None
                decls[word] = change.decl
                made.unavailable.pop(f"{name}.{word}", None)
    known = {use.text for use in module.uses}
    uses = (*module.uses, *(use for use in amend.uses if use.text not in known))
    made.modules[name] = replace(module, uses=uses, decls=tuple(decls.values()))


def _problem(change: tree.Change, module: str, decls: dict[str, tree.Decl]) -> Diagnostic | None:
    """Why a change cannot be made."""
    word = change.name.text
    before = decls.get(word)
    if change.kind == "add":
        return None if before is None else errors.DefinedAlready(change.name.span, word, module, before.name.span)
    if before is None:
        return errors.UnknownDefinition(change.name.span, change.kind, word, module, tuple(decls))
    if change.kind == "unavailable" and isinstance(before, (tree.Enum, tree.Record, tree.Bits, tree.Claim)):
        problem, advice = "only functions, rules and constants can be unavailable", "leave a type as it was last seen"
        return errors.OutOfPlace(change.name.span, problem, advice)
    if change.decl is None:
        return None
    differs = signature(before) != signature(change.decl)
    if differs == (change.kind == "reshape"):
        return None
    return errors.SignatureChange(change.name.span, word, before.name.span, differs)


def signature(decl: tree.Decl) -> object:
    """What users of a declaration depend on: types of parameters and result, names and types of fields.

    The positions of a bitfield's fields and the numbers of an enum's members are no part of it.
    """
    match decl:
        case tree.Fn():
            return ([param.type for param in decl.params], decl.result)
        case tree.Rule():
            return ([param.type for param in decl.params], tree.BoolType(decl.span))
        case tree.Const():
            return decl.type
        case tree.Record():
            return [(f.name.text, f.type) for f in decl.fields]
        case tree.Bits():
            return (decl.width, sorted((f.name.text, f.high - f.low, repr(f.type)) for f in decl.fields))
        case tree.Enum():
            return sorted(member.name.text for member in decl.members)
        case tree.Claim():
            return None
        case _:
            assert_never(decl)
