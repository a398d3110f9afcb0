"""Files are read without waiting, and written whole or not at all; what is no regular file is never replaced."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.files import Writing, check_file, check_folder, files_below, open_file, read_file, write_file

NULL, FULL = (1, 3), (1, 7)
"""Numbers of devices: whatever is written to the first is lost, to the second is refused."""


def device(path: Path, numbers: tuple[int, int], kind: int = stat.S_IFCHR) -> Path:
    """A device of our own: a mistake must not cost the machine one of its."""
    try:
        os.mknod(path, kind | 0o666, os.makedev(*numbers))
        os.close(os.open(path, os.O_WRONLY))
    except PermissionError:
        pytest.skip("nobody else may make a device that works")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- one file


def test_a_file_and_its_folders_are_made(tmp_path: Path):
    write_file(tmp_path / "a" / "b" / "file", b"text")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"text"
    assert names(tmp_path / "a" / "b") == ["file"]


def test_a_new_file_has_the_permissions_that_the_user_wants_for_new_files(tmp_path: Path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_permissions_and_its_symbolic_link(tmp_path: Path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    write_file(link, b"after")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode), link.is_symlink()) == ("after", 0o640, True)


def test_a_link_to_what_does_not_exist_yet_is_followed(tmp_path: Path):
    (tmp_path / "link").symlink_to("new/file")
    write_file(tmp_path / "link", b"text")
    assert (tmp_path / "new" / "file").read_bytes() == b"text"
    assert (tmp_path / "link").is_symlink()


def test_a_device_is_written_and_stays_a_device(tmp_path: Path):
    null = device(tmp_path / "null", NULL)
    (tmp_path / "link").symlink_to("null")
    for path in (null, tmp_path / "link"):
        check_file(path)
        write_file(path, b"text")
    assert null.is_char_device()
    assert (tmp_path / "link").is_symlink()


def test_a_full_device_is_an_error_and_stays_a_device(tmp_path: Path):
    full = device(tmp_path / "full", FULL)
    with pytest.raises(OSError, match="No space left on device") as raised:
        write_file(full, b"text")
    assert raised.value.filename == str(full)
    assert full.is_char_device()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a named pipe": (pipe, "is a named pipe"),
    "a socket": (a_socket, "is a socket"),
    "a directory": (Path.mkdir, "is a directory"),
    "a block device": (lambda path: os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 250)), "is a block device"),
    "a link to itself": (lambda path: path.symlink_to(path), "Too many levels"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_and_no_stream_is_refused_and_stays(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make, words = REFUSED[kind]
    place = Path("place")
    try:
        make(place)
    except PermissionError:
        pytest.skip("nobody else may make one")
    before = os.lstat(place)
    for use in (check_file, lambda path: write_file(path, b"text")):
        with pytest.raises(OSError, match=words) as raised:
            use(place)
        assert raised.value.filename == "place"
    assert (os.lstat(place).st_ino, os.lstat(place).st_mode) == (before.st_ino, before.st_mode)
    assert names(tmp_path) == ["place"]


def test_what_lies_below_a_file_or_below_a_link_that_leads_nowhere_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    for check in (check_file, check_folder):
        for place in ("file/place", "file/a/b"):
            with pytest.raises(NotADirectoryError):
                check(tmp_path / place)
    with pytest.raises(FileNotFoundError):
        check_folder(tmp_path / "link" / "place")
    with pytest.raises(NotADirectoryError):
        check_folder(tmp_path / "file")
    assert names(tmp_path) == ["file", "link"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_place_that_may_not_be_written_is_refused(tmp_path: Path):
    (tmp_path / "folder").mkdir(0o500)
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o400)
    for check, place in ((check_folder, "folder"), (check_file, "folder/file"), (check_file, "file")):
        with pytest.raises(PermissionError):
            check(tmp_path / place)


def test_a_check_makes_nothing(tmp_path: Path):
    check_file(tmp_path / "a" / "file")
    check_folder(tmp_path / "a" / "b")
    assert names(tmp_path) == []


def test_a_stream_that_is_open_already_is_written_as_a_stream(tmp_path: Path):
    reading, writing = os.pipe()
    write_file(Path(f"/dev/fd/{writing}"), b"text")
    assert os.read(reading, 10) == b"text"
    for handle in (reading, writing):
        os.close(handle)


def test_standard_output_that_is_a_file_is_written_in_its_turn(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    os.write(1, b"before ")
    write_file(Path("/dev/stdout"), b"text")
    os.write(1, b" after")
    assert capfd.readouterr().out == "before text after"


# ---- several files


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_that_cannot_be_written_is_as_it_was_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("before")
    monkeypatch.setattr(os, "replace", refuse)
    for place in ("file", "folder/file"):
        with pytest.raises(OSError, match="No space"):
            write_file(tmp_path / place, b"after")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "before"


def write_three(folder: Path) -> None:
    with Writing() as writing:
        for name in ("one", "two", "three"):
            writing.add(folder / name, b"after")


def test_of_several_files_none_is_written_if_one_is_refused(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one").write_text("before")
    (tmp_path / "out" / "three").mkdir()
    with pytest.raises(OSError, match="is a directory"):
        write_three(tmp_path / "out")
    assert names(tmp_path / "out") == ["one", "three"]
    assert (tmp_path / "out" / "one").read_text() == "before"


def test_of_several_files_none_is_written_if_the_last_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "one").write_text("before")
    replace = os.replace

    def third_time(source: str, target: str) -> None:
        if target.endswith("three"):
            refuse()
        replace(source, target)

    monkeypatch.setattr(os, "replace", third_time)
    with pytest.raises(OSError, match="No space") as raised:
        write_three(tmp_path)
    assert raised.value.filename == str(tmp_path / "three")
    assert names(tmp_path) == ["one"]
    assert (tmp_path / "one").read_text() == "before"


def test_several_files_are_written_and_what_else_is_there_stays(tmp_path: Path):
    (tmp_path / "one").write_text("before")
    (tmp_path / "other").write_text("kept")
    write_three(tmp_path)
    assert {name: (tmp_path / name).read_text() for name in names(tmp_path)} == {
        "one": "after", "two": "after", "three": "after", "other": "kept",
    }  # fmt: skip


# ---- reading


def test_a_file_is_read_through_links(tmp_path: Path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link") == b"text"


@pytest.mark.parametrize("kind", ["a named pipe", "a socket", "a directory", "a link to itself"])
def test_what_is_no_file_and_no_stream_is_not_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    make, words = REFUSED[kind]
    make(Path("place"))
    with pytest.raises(OSError, match=words) as raised:
        read_file(Path("place"))
    assert raised.value.filename == "place"


def test_a_device_is_not_read(tmp_path: Path):
    with pytest.raises(OSError, match="is a device"):
        read_file(device(tmp_path / "zero", (1, 5)))


def test_a_stream_that_is_open_already_is_read_to_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"text")
    os.close(writing)
    with open_file(Path(f"/dev/fd/{reading}")) as file:
        assert file.read() == b"text"
    os.close(reading)


def test_files_below_a_folder_are_found_in_order_and_what_cannot_be_looked_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("b.slat", "a/c.slat", "a/other", "secret/d.slat"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "again").symlink_to(".")
    scan = os.scandir

    def forbidding(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    told: list[OSError] = []
    found = files_below(tmp_path, ".slat", told.append)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/c.slat", "b.slat"]
    assert [error.filename for error in told] == [str(tmp_path / "secret")]
