"""A project that is decided in a moment.

In: a directory. Out: files under `specs/` and `proofs/`.
Guarantee: every verdict is the expected one, until a test says otherwise.
Trusted: no, it serves tests.
"""

from __future__ import annotations

from pathlib import Path

MAIN = "import sys; from verifier.cli.main import main; sys.argv = ['slat', *sys.argv[1:]]; main()"
"""What `slat` runs, for a process of its own."""

MANUALS = '[SDM]\ntitle = "A manual"\nedition = "one"\nsections = [{ title = "Keys", number = "1.1" }]\n'
KEYS = """module doors.keys

bits Key : 6 per SDM "Keys" { [0] red [1] blue [5:2] number }

rule opens(k: Key) per SDM "Keys"
  = any of {
      red:    k.red
      both:   k.blue && k.number >= 9
    }

fn stamp(k: Key) -> Key per SDM "Keys" = if k.red then k with { number: undefined } else k
"""
CLAIMS = """module proofs.doors
use doors.keys

invariant a_red_key_opens is D1 per SDM "Keys" "A red key opens."
  for k: Key assume k.red show opens(k)

invariant a_blue_key_opens per SDM "Keys" "A believable mistake: a blue key opens."
  for k: Key, _who: bits(2) assume k.blue show opens(k)
  expect refuted "its number may be small"

invariant stamping_keeps_a_key_good is D2, D3 per SDM "Keys" "What opened a door opens it after stamping."
  for k: Key assume opens(k) show opens(stamp(k))

witness a_key_without_red_opens is D4 per SDM "Keys" "A key can open without being red."
  for k: Key assume !k.red show opens(k)

invariant a_stamp_is_repeatable per SDM "Keys" "A believable mistake: stamping twice gives the same key."
  for keys: Key[1..3] show all(k in keys: stamp(k) == stamp(k))
  expect refuted "the number is left open"
"""
WRONG = '\ninvariant wrong per SDM "Keys" "No key opens." for k: Key show !opens(k)\n'
HARD = """
invariant hard per SDM "Keys" "Addition is associative, which takes a solver a while."
  for x: bits(64), y: bits(64), z: bits(64)
  show ((x + y) << 3) + (z << 3) == ((z + y) << 3) + (x << 3) && (x & y) + (x | y) == x + y
"""


def write(root: Path, claims: str = CLAIMS) -> Path:
    """Writes the project with these claims; returns its root."""
    for name, text in (("specs/MANUALS.toml", MANUALS), ("specs/doors/keys.slat", KEYS), ("proofs/doors.slat", claims)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
