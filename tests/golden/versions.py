"""A project with series that is decided in a moment: two regular ones on top of `old`, and a known-bad one."""

from __future__ import annotations

from pathlib import Path

from golden.cases import make_project

WHOLE = """module kvm.spte

bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec  [2] user_exec }

fn executable(a: Acc, user: bool) -> bool per LINUX "make_spte()" = if user then a.user_exec else a.exec
"""
OLD = """module kvm.spte

bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec }

fn executable(a: Acc, _user: bool) -> bool per LINUX "make_spte()" = a.exec
"""
PATCHES = {
    "01-new-bit.slat": """patch v5.new_bit per LINUX "[1/2] new bit"
amend kvm.spte seen
reshape bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec  [2] user_exec }
""",
    "02-use-it.slat": """patch v5.use_it per LINUX "[2/2] use it"
amend kvm.spte seen
replace fn executable(a: Acc, user: bool) -> bool per LINUX "make_spte()" = if user then a.user_exec else a.exec
""",
}
KNOWN_BAD = """patch known_bad.both on v5 per LINUX "make_spte()" "Either bit will do."
amend kvm.spte seen
replace fn executable(a: Acc, _user: bool) -> bool per LINUX "make_spte()" = a.exec || a.user_exec
"""
UNSEEN = """patch newest.refactored per LINUX "[1/1] refactored"
amend kvm.spte unavailable "nobody has read it"
unavailable executable
"""
CLAIMS = """module proofs.spte
use kvm.spte

invariant exec_is_for_the_supervisor per LINUX "make_spte()" "Bit 1 is what supervisor mode needs."
  for a: Acc show executable(a, false) == a.exec
  expect proved
  expect refuted in both "either bit will do"
  expect not_modelled in newest "nobody has read it"

invariant user_mode_needs_its_bit per LINUX "make_spte()" "User mode needs bit 2."
  for a: Acc assume a.user_exec show executable(a, true)
  expect proved
  expect not_modelled in old, newest "there is no such bit"
  expect refuted in v5_1..v5_1 "the bit is there and nobody looks"

invariant reading_is_a_bit "What rests on no series is decided once."
  for x: bits(2) assume x[0] show x != 0
"""
LEVELS = 'const LEVELS: bits(3) per LINUX "make_spte()"'
V5 = """title = "the new bit"
base = "old"
[[patch]]
file = "01-new-bit.slat"
title = "[1/2] new bit"
author = "A"
date = 2026-05-05
message_id = "1@example.org"
[[patch]]
file = "02-use-it.slat"
title = "[2/2] use it"
author = "A"
date = 2026-05-05
message_id = "2@example.org"
"""
NEWEST = """title = "later"
base = "v5"
[[patch]]
file = "01-refactored.slat"
title = "[1/1] refactored"
author = "A"
date = 2026-09-01
message_id = "3@example.org"
"""


def project(folder: Path, **changed: str) -> Path:
    """A project with two regular series on top of `old`, and a known-bad one."""
    root = make_project(folder)
    series = root / "specs" / "kvm" / "series"
    files = {
        root / "specs" / "kvm" / "spte.slat": WHOLE,
        root / "proofs" / "spte.slat": CLAIMS,
        series / "series.toml": 'written = "v5"\norder = ["old", "v5", "newest"]\n',
        series / "old" / "series.toml": 'title = "before"\n',
        series / "old" / "spte.slat": OLD,
        series / "v5" / "series.toml": V5,
        series / "newest" / "series.toml": NEWEST,
        series / "newest" / "01-refactored.slat": UNSEEN,
        series / "known_bad" / "both" / "patch.slat": KNOWN_BAD,
        **{series / "v5" / name: text for name, text in PATCHES.items()},
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.name, text))
    return root
