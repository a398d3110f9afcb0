"""The reference MMU on a batch: `slat walk --batch` over Python's `json` on the same lines.

In: nothing; the scenarios are four-level guests under four-level EPT, some denied. Out: ratios of time and of memory.
Guarantee: the batch is a whole process, start-up included; the peer parses each line and prints each outcome.
Trusted: no.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from bench.timing import Times, ratio, timed

LINES = 50_000
LIMIT = 8.0
FEW, MANY, MEMORY_LIMIT = 20_000, 1_000_000, 1.1
SEED = 1
READ_WRITE_EXECUTE, WRITE_BACK = 0x407, 6 << 3
TABLES = (0x600000, 0x601000, 0x602000, 0x603000)
GUEST_TABLES = (0x10000, 0x11000, 0x12000, 0x13000)
PAGE = 0x20000


def measure(words: tuple[str, ...] = ()) -> str:
    """The ratio of processor times."""
    del words
    rng, batch, peer = Random(SEED), Times(), Times()
    lines = [json.dumps(scenario(rng)) for _ in range(LINES)]
    with tempfile.TemporaryDirectory() as folder:
        source, answers = Path(folder) / "scenarios.jsonl", Path(folder) / "outcomes.jsonl"
        source.write_text("\n".join(lines) + "\n", "utf-8")
        with timed(batch), answers.open("w") as output:
            subprocess.run(
                [sys.executable, "-m", "verifier", "walk", "--batch", str(source)], stdout=output, check=True
            )
        outcomes = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
        with timed(peer), source.open() as again, answers.open("w") as output:
            for line, outcome in zip(again, outcomes, strict=True):
                json.loads(line)
                output.write(json.dumps(outcome) + "\n")
    return ratio("walk", batch, peer, LIMIT)


def measure_memory(words: tuple[str, ...] = ()) -> str:
    """The most memory that a million scenarios take, over that of a few."""
    del words
    few, many = peak_memory(FEW), peak_memory(MANY)
    sizes = f"{many / 1024:.0f} MByte over {few / 1024:.0f} MByte"
    return f"{'memory':<10} {many / few:6.2f}  (at most {MEMORY_LIMIT}; {sizes}, {MANY} scenarios over {FEW})"


def peak_memory(lines: int) -> int:
    """The largest resident size, in KByte, of a batch that is fed so many scenarios through a pipe."""
    rng = Random(SEED)
    command = [sys.executable, "-m", "verifier", "walk", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as batch:
        assert batch.stdin is not None
        for _ in range(lines):
            batch.stdin.write(json.dumps(scenario(rng)) + "\n")
        batch.stdin.flush()
        return high_water(batch.pid)


def high_water(process: int) -> int:
    """The largest resident size so far, in KByte: `getrusage` would count what the caller was before it became this."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def scenario(rng: Random) -> dict[str, Any]:
    """One access through four guest tables to a page that EPT sometimes denies."""
    linear = rng.randrange(0, 1 << 39, 1 << 12)
    memory: dict[int, int] = {}
    for address in GUEST_TABLES:
        map_page(memory, address, READ_WRITE_EXECUTE)
    map_page(memory, PAGE, rng.choice((0x407, 0x407, 0x401, 0x3, 0)))
    for level, (table, below) in enumerate(zip(GUEST_TABLES, (*GUEST_TABLES[1:], PAGE), strict=True)):
        memory[0x700000 + table | linear >> 9 * (4 - level) & 0xFF8] = below | 0x67
    return {
        "schema": "slat-scenario-1",
        "cpu": {"maxphyaddr": 40, "ept_vpid_cap": "0x6734141"},
        "vmcs": {
            "eptp": "0x60001e",
            "primary_controls": "0x80000000",
            "secondary_controls": "0x400082",
            "tertiary_controls": "0x0",
        },
        "guest": {
            "cr0": "0x80050033",
            "cr3": "0x10000",
            "cr4": "0x2020",
            "efer": "0xd00",
            "cpl": 0,
            "rflags": "0x2",
        },
        "memory": {hex(address): hex(word) for address, word in memory.items()},
        "access": {"kind": rng.choice(("read", "write", "rmw", "fetch")), "linear_address": hex(linear)},
    }


def map_page(memory: dict[int, int], address: int, rights: int) -> None:
    """EPT entries that map a guest-physical page 700000H further up."""
    for level, (table, below) in enumerate(zip(TABLES, (*TABLES[1:], 0x700000 + address), strict=True)):
        last = table == TABLES[-1]
        flags = rights | WRITE_BACK if last else READ_WRITE_EXECUTE
        memory[table | address >> 9 * (4 - level) & 0xFF8] = below | flags
