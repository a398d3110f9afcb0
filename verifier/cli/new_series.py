"""`slat new-series`: the skeleton of a series.

In: a name, a base, and what the series begins with. Out: a directory under `specs/kvm/series`.
Guarantee: nothing that is there is changed; the files are written together or not at all; `slat check` accepts them.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import click

from verifier.cli import complete
from verifier.cli.series_skeleton import NewPatch, NewSeries, files, is_name
from verifier.cli.shared import Place, cannot_write, fail, open_project, root_option
from verifier.diagnostics.model import Diagnosed, nearest
from verifier.files import Writing
from verifier.names import errors
from verifier.names.amend import assemble
from verifier.names.project import Project
from verifier.names.series import FOLDER, KNOWN_BAD, LIST, Catalogue, Version
from verifier.source import Source
from verifier.syntax import tree
from verifier.types.load import Library, open_library

LONGEST = 40
FIRST = "first change"
RESERVED = ("all", KNOWN_BAD)


@click.command("new-series", short_help="Begin a series: a patch of yours, to be proved.")
@click.argument("name")
@click.option("--base", required=True, metavar="SERIES", shell_complete=complete.bases,
              help="The version of KVM that the series amends, and whose verdicts are expected of it.")  # fmt: skip
@click.option("--patch", "subjects", multiple=True, metavar="SUBJECT",
              help="A patch, also several in their order [default: one without a subject].")  # fmt: skip
@click.option("--mbox", type=Place(), metavar="FILE",
              help="Take the patches, their authors, dates and message ids from a mailbox.")  # fmt: skip
@click.option("--amend", "definitions", multiple=True, metavar="MODULE.NAME", shell_complete=complete.definitions,
              help="Copy a definition of the base into the first patch, to be edited; also several.")  # fmt: skip
@root_option
def command(
    name: str,
    base: str,
    subjects: tuple[str, ...],
    mbox: Path | None,
    definitions: tuple[str, ...],
    root: Path | None,
) -> None:
    """Write the skeleton of a series NAME into specs/kvm/series/NAME.

    The files are a README, the list of patches, and a file a patch. They pass `slat check`, and `slat prove --series
    NAME` gives the verdicts of the base until a patch changes something.

    \b
    Examples:
      slat new-series mine --base v5
      slat new-series mine --base v5 --amend kvm.spte.kvm_mmu_set_ept_masks
      slat new-series v7 --base v5 --mbox v7.mbx
    """
    project = open_project(root)
    library = open_library(project)
    _check_name(name, library.catalogue, project.root)
    _check_base(base, library.catalogue)
    patches = tuple(_patches(subjects, mbox))
    title = patches[0].subject if len(patches) == 1 else f"{name}, {len(patches)} patches"
    copied = tuple(_definitions(library, Version(base), definitions))
    made = {
        (FOLDER / name / file).as_posix(): text
        for file, text in files(NewSeries(name, base, title, patches, copied)).items()
    }
    _check(project, made, Version(name))
    _write(project.root, made)
    for file in made:
        click.echo(f"wrote {file}")
    where = "" if root is None else f" --root {shlex.quote(str(root))}"
    first = FOLDER / name / patches[0].file
    click.echo(f"\nNext: write into {first} what the patch changes; then")
    click.echo(f"  slat check{where}\n  slat prove --series {name}{where}")


def _check_name(name: str, catalogue: Catalogue, root: Path) -> None:
    """Raises `Diagnosed` for a name that no series can get."""
    if len(name) > LONGEST or name in RESERVED or not is_name(name):
        raise fail(
            f"`{name}` is no name for a series",
            f"up to {LONGEST} small letters, digits and underlines, a letter first; no word of the language",
        )
    if re.search(r"_\d+$", name):
        raise fail(f"`{name}` would name patches of a series", "end the name with a letter, or leave out the `_`")
    if name in catalogue.series or os.path.lexists(root / FOLDER / name):
        raise fail(f"there is a series `{name}` already", "choose another name; what is there is never changed")


def _check_base(base: str, catalogue: Catalogue) -> None:
    regular = tuple(series.name for series in catalogue.regular)
    if base in catalogue.series and base not in regular:
        raise fail(f"`{base}` is a known mistake, and no base", f"its own base is `{catalogue.series[base].base}`")
    if base not in regular:
        raise Diagnosed([errors.UnknownSeries(None, base, regular)])


def _patches(subjects: tuple[str, ...], mbox: Path | None) -> Iterable[NewPatch]:
    if mbox is not None and subjects:
        raise fail("`--mbox` and `--patch` both name patches", "leave one of them out")
    if mbox is not None:
        from verifier.cli.patch_mails import patches_in  # which a series by hand does without

        return patches_in(mbox)
    cleaned = [" ".join(subject.replace('"', "'").split()) for subject in subjects] or [FIRST]
    if not all(subject.isprintable() and subject for subject in cleaned):
        raise fail("a subject of a patch is one line of text", "write what the mail's subject says")
    return [NewPatch(number, subject) for number, subject in enumerate(cleaned, start=1)]


def _definitions(library: Library, base: Version, words: tuple[str, ...]) -> Iterator[tuple[str, tree.Decl]]:
    """The definitions of the base that words name, those of a module side by side."""
    if not words:
        return
    modules = assemble(library.modules, library.catalogue, base).modules
    known = {
        f"{module}.{decl.name.text}": decl
        for module, file in modules.items()
        if not module.startswith("proofs.")
        for decl in file.decls
    }
    for word in sorted(dict.fromkeys(words), key=lambda word: word.rpartition(".")[0]):
        if word not in known:
            ends = [name for name in known if name.endswith(f".{word}")]
            advice = " or ".join(f"`{name}`" for name in ends) or nearest(word, known) or "write MODULE.NAME"
            raise fail(f"there is no definition `{word}` in `{base.label}`", advice)
        yield word.rpartition(".")[0], known[word]


def _check(project: Project, made: dict[str, str], version: Version) -> None:
    """Raises `Diagnosed` if the project would not be sound with the new files."""
    suffix = PurePosixPath(LIST).suffix
    written = [Source(file, text) for file, text in made.items()]
    lists = (*project.lists, *(source for source in written if source.name.endswith(suffix)))
    slat = (*project.sources, *(source for source in written if source.name.endswith(".slat")))
    open_library(replace(project, sources=slat, lists=lists)).load(version)


def _write(root: Path, made: dict[str, str]) -> None:
    names = {str(root / file): file for file in made}
    try:
        with Writing() as writing:
            for file, text in made.items():
                writing.add(root / file, text.encode())
    except OSError as error:
        error.filename = names.get(error.filename, error.filename)
        raise cannot_write(error, "no file was written") from None
