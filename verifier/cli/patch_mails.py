"""The patches in a mailbox.

In: an mbox, as `b4 mbox`, `b4 am` or a mail program writes it. Out: its patches, in the order of their numbers.
Guarantee: answers, covers and mails without a patch are left out; of two mails with one number the first counts.
Trusted: no, checked by tests/unit/verifier/cli.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

from verifier.cli.series_skeleton import NewPatch
from verifier.cli.shared import fail
from verifier.diagnostics.model import Diagnosed
from verifier.files import read_file
from verifier.names.project import unreadable

_FROM = re.compile(rb"^From .*\n", re.MULTILINE)
_SUBJECT = re.compile(r"\[[^]]*\bPATCH\b(?:[^]]*?(\d+)/\d+)?[^]]*\]")


def patches_in(file: Path) -> list[NewPatch]:
    """The patches of a mailbox; raises `Diagnosed` if there is none."""
    try:
        data = read_file(file)
    except OSError as error:
        raise Diagnosed([unreadable(error, str(file))]) from None
    found: dict[int, NewPatch] = {}
    for patch in _patches(data):
        found.setdefault(patch.number, patch)
    if not found:
        advice = "a patch is a mail with `[PATCH …]` first in its subject; answers and covers are none"
        raise fail(f"there is no patch in `{file}`", advice)
    return [found[number] for number in sorted(found)]


def _patches(data: bytes) -> Iterator[NewPatch]:
    for text in _FROM.split(data.replace(b"\r\n", b"\n")):
        mail = BytesParser().parsebytes(text, headersonly=True)
        subject = _header(mail, "Subject").replace('"', "'")
        kind = _SUBJECT.match(subject)
        number = int(kind[1] or 1) if kind else 0
        if 0 < number < 1000:
            identity = _header(mail, "Message-ID").strip("<>") or "unknown"
            yield NewPatch(number, subject, _author(mail), _date(mail), identity)


def _header(mail: Message, name: str) -> str:
    """A header in plain words on one line; empty if there is none."""
    written = str(mail.get(name, ""))
    try:
        said = str(make_header(decode_header(written)))
    except (ValueError, LookupError):  # what is encoded in no known way stands as it is
        said = written
    return " ".join("".join(char if char.isprintable() else " " for char in said).split())


def _author(mail: Message) -> str:
    name, address = parseaddr(_header(mail, "From"))
    return name or address or "unknown"


def _date(mail: Message) -> str:
    try:
        return parsedate_to_datetime(_header(mail, "Date")).date().isoformat()
    except (ValueError, TypeError, OverflowError):
        return "unknown"
