"""A project with everything that a site can show, decided in a moment.

In: a directory. Out: files under `specs/` and `proofs/`; the site made of them.
Guarantee: every kind of declaration, of change, of verdict and of page is there, and text that is markup elsewhere.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from verifier.cli.report_differences import differences_of
from verifier.cli.report_walks import performed, walks_of
from verifier.names.project import read_project
from verifier.obligations.cache import Cache
from verifier.obligations.prove import Options
from verifier.obligations.result import Result
from verifier.obligations.run import Plan, run
from verifier.obligations.versions import Choice
from verifier.reports.html.material import Material, gather, key_of
from verifier.reports.run import run_of
from verifier.types.load import open_library

GOLDEN = Path(__file__).parent.parent / "golden" / "report"

MARKUP = "<b>bold</b> & 'quoted' <script>alert(1)</script> {{ 7 * 7 }}"
"""What a page must show as it is."""

FILES = {
    "specs/MANUALS.toml": f"""
[SDM]
title = "A manual"
edition = "one"
sections = [
  {{ title = "Keys", number = "1.1" }},
  {{ title = "Locks, and {MARKUP}", number = "1.2", note = "nobody cites it" }},
  {{ title = "keys", number = "1.3" }},
]

[LINUX]
title = "Linux"
edition = "a tree"
sections = [{{ title = "make_spte()", number = "arch/x86/kvm/mmu/spte.c" }}, {{ title = "[1/2] a bit" }},
  {{ title = "[2/2] the rest" }}, {{ title = "[1/1] refactored" }}]
""",
    "specs/doors/keys.slat": f"""// What keys are. A second sentence.
module doors.keys

enum Colour per SDM "Keys" {{ RED = 0, BLUE = 1, GREEN = 2, GREY = 3 }}

bits Key : 64 per SDM "Keys", SDM "keys"
  "A key with a long name of a field, and {MARKUP}." {{
  [0]      red
  [1]      blue
  [5:2]    number
  [7:6]    colour: Colour
  [51:12]  address_above "the rest"
  [63]     a_field_with_quite_a_long_name
}}

record Ring {{
  first: Key   "the first key"
  second: Key
}}

const MASTER: bits(64) per SDM "Keys" = [63]

// ---- rules

// A comment that belongs to the rule.
rule opens(k: Key) per SDM "Keys"
  = any of {{
      red:     k.red
      both:    k.blue && k.number >= 9
      master:  (k.raw & MASTER) != 0
    }}

fn colour_of(k: Key) -> Colour per SDM "Keys"
  = match (k.colour) {{
      case RED | BLUE : RED
      case _          : Colour.GREEN
    }}

fn stamp(k: Key) -> Key per SDM "Keys" = if k.red then k with {{ number: undefined }} else k
""",
    "specs/kvm/spte.slat": """module kvm.spte

bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec  [2] user_exec }

fn executable(a: Acc, user: bool) -> bool per LINUX "make_spte()" = if user then a.user_exec else a.exec
""",
    "specs/kvm/series/series.toml": 'written = "v5"\norder = ["old", "v5", "newest"]\n',
    "specs/kvm/series/old/series.toml": 'title = "before the series"\n',
    "specs/kvm/series/old/spte.slat": """module kvm.spte

bits Acc : 2 per LINUX "make_spte()" { [0] read  [1] exec }

fn unused(a: Acc) -> bool per LINUX "make_spte()" = a.read
fn executable(a: Acc, _user: bool) -> bool per LINUX "make_spte()" = a.exec
""",
    "specs/kvm/series/v5/series.toml": """title = "a bit for user mode"
base = "old"

[[patch]]
file = "01-a-bit.slat"
title = "[1/2] a bit"
author = "A <a@example.org>"
date = 2026-05-05
message_id = "1@example.org"

[[patch]]
file = "02-the-rest.slat"
title = "[2/2] the rest"
author = "B"
date = 2026-05-06
message_id = "2@example.org"
""",
    "specs/kvm/series/v5/01-a-bit.slat": """patch v5.a_bit per LINUX "[1/2] a bit"

amend kvm.spte seen

reshape bits Acc : 3 per LINUX "make_spte()" { [0] read  [1] exec  [2] user_exec }
add fn helper(a: Acc) -> bool per LINUX "make_spte()" = a.user_exec
remove unused
""",
    "specs/kvm/series/v5/02-the-rest.slat": """patch v5.the_rest per LINUX "[2/2] the rest"

amend kvm.spte seen

replace fn executable(a: Acc, user: bool) -> bool per LINUX "make_spte()" = if user then a.user_exec else a.exec
remove helper
""",
    "specs/kvm/series/newest/series.toml": """title = "later"
base = "v5"

[[patch]]
file = "01-refactored.slat"
title = "[1/1] refactored"
author = "C"
date = 2026-06-01
message_id = "3@example.org"
""",
    "specs/kvm/series/newest/01-refactored.slat": """patch newest.refactored per LINUX "[1/1] refactored"

amend kvm.spte unavailable "nobody has read it"

unavailable executable
""",
    "specs/kvm/series/known_bad/both/patch.slat": """patch known_bad.both on v5 per LINUX "make_spte()"
  "Either bit will do."

amend kvm.spte seen

replace fn executable(a: Acc, _user: bool) -> bool per LINUX "make_spte()" = a.exec || a.user_exec
""",
    "proofs/doors.slat": f"""module proofs.doors
use doors.keys

invariant a_red_key_opens is D1 per SDM "Keys" "A red key opens, and {MARKUP}."
  for k: Key assume k.red show opens(k)

invariant a_blue_key_opens per SDM "Keys" "A believable mistake: a blue key opens."
  for k: Key, ring: Ring assume k.blue assume !ring.first.red show opens(k) || opens(ring.second)
  expect refuted "its number may be small: {MARKUP}"

invariant stamping_keeps_a_key_good is D2, D3 per SDM "Keys" "What opened a door opens it after stamping."
  for k: Key assume opens(k) show opens(stamp(k))

witness a_key_without_red_opens is D4 per SDM "Keys" "A key can open without being red."
  for k: Key assume !k.red show opens(k)

invariant a_stamp_is_repeatable per SDM "Keys" "A believable mistake: stamping twice gives the same key."
  for keys: Key[1..3] show all(k in keys: stamp(k) == stamp(k))
  expect refuted "the number is left open"

invariant wrong per SDM "Keys" "No key opens, which is wrong." for k: Key show !opens(k)

invariant too_careful per SDM "Keys" "Vacuous." for k: Key assume k.red && k.blue show opens(k)

invariant colours_are_few per SDM "Keys" "What rests on no series is decided once." for k: Key
  show colour_of(k) in {{RED, GREEN}}
""",
    "proofs/decisions/execution.slat": f"""module proofs.decisions.execution
use kvm.spte

fn decision(key: bits(2), user: bool) -> bool "Whether code runs, and {MARKUP}."
  = executable(Acc {{ read: key[0], exec: key[1] }}, user)

rule possible(key: bits(2)) = all of {{ some_bit: key != 0 }}

rule accesses(user: bool) "The mode: {MARKUP}." = any of {{ supervisor_mode: !user  user_mode: user }}

rule modes(key: bits(2)) = any of {{ readable: key[0]  unreadable: !key[0] }}

rule capabilities(key: bits(2)) = any of {{ bare: !key[1]  capable: key[1] }}
""",
    "proofs/spte.slat": """module proofs.spte
use kvm.spte

invariant exec_is_for_the_supervisor is S1 per LINUX "make_spte()" "Bit 1 is what supervisor mode needs."
  for a: Acc show executable(a, false) == a.exec
  expect proved
  expect refuted in both "either bit will do"
  expect not_modelled in newest "nobody has read it"

invariant user_mode_needs_its_bit per LINUX "make_spte()" "User mode needs bit 2."
  for a: Acc show executable(a, true) == a.raw[2]
  expect proved
  expect not_modelled in old, newest "there is no such bit"
""",
}


def write(root: Path) -> Path:
    """Writes the project; returns its root."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def material(root: Path) -> Material:
    """What the site of the project is made of; one of its examples has a walk of another project."""
    project = read_project(root)
    plan = Plan(Options(), choice=Choice(("all",)))
    results = [_undecided(result) for result in run(project, plan, Cache(root, True))]
    library = open_library(project)
    walks = walks_of(library, results)
    assert walks == {}
    walk = performed("a_walk", (GOLDEN / "walk" / "scenario.json").read_text())
    walks[next(key_of(result) for result in results if result.name == "a_blue_key_opens")] = (walk,)
    diffs = differences_of(library, 1, Cache(root, True))
    return gather(library, results, run_of(project, Options()), walks, diffs)


def _undecided(result: Result) -> Result:
    """The result, as if the budget of one claim had run out."""
    if result.name != "colours_are_few":
        return result
    return replace(result, outcome=replace(result.outcome, verdict="unknown", core=()))
