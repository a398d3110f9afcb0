"""Files that are read and written.

In: paths and bytes. Out: bytes; files that are written whole or not at all, several of them together.
Guarantee: only regular files are replaced, through links; streams that are open already are written as streams; nothing
waits for somebody at the other end of a named pipe. Every error is an `OSError` with the path as it was given.
Trusted: no, checked by tests/unit/verifier/test_files.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Generator
from dataclasses import dataclass
from fcntl import F_GETFL, fcntl
from pathlib import Path
from typing import BinaryIO, Self

KINDS = {
    stat.S_IFIFO: "is a named pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFBLK: "is a block device",
    stat.S_IFCHR: "is a device",
    stat.S_IFDIR: "is a directory",
}


def open_file(path: Path) -> BinaryIO:
    """Opens a regular file, or one of the streams that are open already (`/dev/stdin`), for reading."""
    with _naming(path):
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) and _own(found, os.O_WRONLY) is None:
            raise OSError(errno.EINVAL, KINDS[stat.S_IFMT(found.st_mode)])
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(handle, True)
        return os.fdopen(handle, "rb")


def read_file(path: Path) -> bytes:
    """The bytes of a file that `open_file` opens."""
    with open_file(path) as file, _naming(path):
        return file.read()


def files_below(folder: Path, suffix: str, failed: Callable[[OSError], object]) -> list[Path]:
    """Everything with this suffix below a folder; `failed` is told of folders that cannot be read."""
    found: list[Path] = []
    for name, folders, files in os.walk(folder, onerror=failed):
        found += [Path(name) / file for file in (*folders, *files) if file.endswith(suffix)]
    return sorted(found)


# ---- writing


def check_file(path: Path) -> None:
    """Raises `OSError` if it is known that nothing can be written to `path`."""
    with _naming(path):
        _place(path)


def check_folder(path: Path) -> None:
    """The same for files in a folder, which need not exist yet."""
    with _naming(path):
        _check_folder(path)


def write_file(path: Path, data: bytes) -> None:
    """Writes one file, and the folders above it, whole or not at all."""
    with Writing() as writing:
        writing.add(path, data)


@dataclass(slots=True)
class _Waiting:
    """A new file beside the one whose place it will take; `path` is how that was named.

    `before` says whether something was in the place, `kept` whether it still is beside it under `old`.
    """

    path: Path
    new: str
    target: str
    before: bool = False
    kept: bool = False

    @property
    def old(self) -> str:
        return f"{self.new}.old"

    def exchange(self) -> None:
        """Puts the new file into its place."""
        self.before = os.path.lexists(self.target)
        if self.before:
            with contextlib.suppress(OSError):  # not every file system has second names
                os.link(self.target, self.old)
                self.kept = True
        os.replace(self.new, self.target)

    def undo(self) -> None:
        """Puts back what was there."""
        if self.kept:
            os.replace(self.old, self.target)
        elif not self.before:
            os.unlink(self.target)


class Writing:
    """Files that are written together, all of them or none; their folders are made.

    The end of the `with` statement puts them into their places, an exception forgets them.
    """

    def __init__(self) -> None:
        self._streams: list[tuple[Path, bytes]] = []
        self._waiting: list[_Waiting] = []
        self._folders: list[Path] = []

    def add(self, path: Path, data: bytes) -> None:
        """Prepares a file; raises `OSError`."""
        with _naming(path):
            target = _place(path)
            if target is None:
                self._streams.append((path, data))
                return
            self._make_folder(target.parent)
            waiting = _Waiting(path, f"{target.parent}/.{secrets.token_hex(8)}.new", str(target))
            handle = os.open(waiting.new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            self._waiting.append(waiting)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            _take_over(waiting)

    def _make_folder(self, folder: Path) -> None:
        for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            one.mkdir()
            self._folders.append(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        done: list[_Waiting] = []
        try:
            if kind is None:
                self._finish(done)
        except BaseException:
            for waiting in done:
                with contextlib.suppress(OSError):
                    waiting.undo()
            raise
        else:
            self._folders = self._folders if kind else []
        finally:
            for waiting in self._waiting:
                for name in (waiting.new, waiting.old):
                    with contextlib.suppress(OSError):
                        os.unlink(name)
            for folder in reversed(self._folders):
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _finish(self, done: list[_Waiting]) -> None:
        for path, data in self._streams:
            with _naming(path):
                _write_stream(path, data)
        for waiting in self._waiting:
            with _naming(waiting.path):
                waiting.exchange()
            done.append(waiting)


def _take_over(waiting: _Waiting) -> None:
    """Gives a new file the owner and the permissions of the one whose place it takes."""
    if os.path.exists(waiting.target):
        before = os.stat(waiting.target)
        with contextlib.suppress(OSError):
            os.chown(waiting.new, before.st_uid, before.st_gid)
        os.chmod(waiting.new, stat.S_IMODE(before.st_mode))


def _write_stream(path: Path, data: bytes) -> None:
    own = _own(os.stat(path), os.O_RDONLY)
    handle = os.open(path, os.O_WRONLY | os.O_NOCTTY) if own is None else os.dup(own)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


# ---- what stands in a place


def _place(path: Path) -> Path | None:
    """The regular file to replace, or None for a stream; raises `OSError` where nothing can be written."""
    real = Path(os.path.realpath(path))
    try:
        found = os.stat(path)
    except FileNotFoundError:
        _check_folder(real.parent)
        return real
    kind = stat.S_IFMT(found.st_mode)
    own = _own(found, os.O_RDONLY)
    if own is not None and (kind != stat.S_IFREG or own in (1, 2)):
        return None
    if kind not in (stat.S_IFREG, stat.S_IFCHR):
        raise OSError(errno.EINVAL, KINDS[kind])
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    if kind == stat.S_IFCHR:
        return None
    _check_folder(real.parent)
    return real


def _check_folder(folder: Path) -> None:
    """Raises `OSError` if the folder, or the nearest one above that exists, takes no new files."""
    while True:
        try:
            found = os.stat(folder)
            break
        except FileNotFoundError:
            if os.path.islink(folder):
                raise
            folder = Path(os.path.abspath(folder)).parent
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def _own(found: os.stat_result, useless: int) -> int | None:
    """The descriptor of this process, not opened in a `useless` way, for what `found` describes."""
    for handle in range(64):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(handle), found) and fcntl(handle, F_GETFL) & os.O_ACCMODE != useless:
                return handle
    return None


@contextlib.contextmanager
def _naming(path: Path) -> Generator[None]:
    """Errors of the system under the name that the user gave."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
