"""A site on disk.

In: a directory, and the files of a site by their paths in it. Out: the directory, with these files and no others.
Guarantee: it is replaced whole, by a rename, or left as it was; nothing is deleted but what an earlier site put there.
Trusted: no, checked by tests/html.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from verifier.cli.shared import cannot_write, fail
from verifier.files import check_folder

MANIFEST = "slat-site.txt"
"""The file that lists a site's files, one a line; by it a directory is known to hold a site."""


def check_place(folder: Path) -> None:
    """Raises `Diagnosed` if the directory cannot be written, or holds what is no site of ours."""
    try:
        check_folder(_real(folder).parent)
        if os.path.lexists(folder):
            _check_content(folder)
    except OSError as error:
        raise cannot_write(OSError(error.errno, error.strerror, str(folder))) from None


def write_site(folder: Path, files: Mapping[str, bytes]) -> None:
    """Puts a site into the place of `folder`; raises `Diagnosed`."""
    target = _real(folder)
    new = target.parent / f".{target.name}.{secrets.token_hex(8)}.new"
    manifest = "".join(f"{name}\n" for name in sorted([*files, MANIFEST]))
    try:
        for name, data in {**files, MANIFEST: manifest.encode()}.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        check_place(folder)  # again: making the pages took a while
        _exchange(new, target)
    except OSError as error:
        raise cannot_write(OSError(error.errno, error.strerror, str(folder))) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _check_content(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    found = sorted(_files(folder))
    try:
        ours = set((folder / MANIFEST).read_text("utf-8").splitlines())
    except (FileNotFoundError, UnicodeDecodeError):
        ours = set[str]()
    others = [name for name in found if name not in ours]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise fail(
            f"`{folder}` holds `{others[0]}`{more}, which `slat report` did not write",
            "name a directory that is new or empty, or move them away: a site replaces the whole directory",
        )


def _files(folder: Path) -> Iterator[str]:
    """Everything below a directory that is no directory of its own."""
    for name, folders, files in os.walk(folder, onerror=_raise):
        below = Path(name).relative_to(folder)
        linked = [one for one in folders if os.path.islink(Path(name) / one)]
        yield from ((below / one).as_posix() for one in (*files, *linked))


def _raise(error: OSError) -> None:
    raise error


def _exchange(new: Path, target: Path) -> None:
    """Renames `new` to `target`; what was there goes, or comes back if that fails."""
    old = new.with_suffix(".old")
    before = target.exists()
    if before:
        os.chmod(new, target.stat().st_mode & 0o7777)
        os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        if before:
            with contextlib.suppress(OSError):
                os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)
