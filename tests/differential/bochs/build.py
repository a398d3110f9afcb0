"""Compiles the shim and the bare-metal program.

In: the C and assembly sources of this folder. Out: a shared library's path and the program's bytes.
Guarantee: nothing is written outside the given directory. Raises `UnavailableError` where the tools are missing.
Trusted: no, checked by test_harness.py.
"""

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FREESTANDING = (
    *("-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-fpie", "-mno-red-zone"),
    *("-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables"),
    "-fvisibility=hidden",
)


class UnavailableError(Exception):
    """Bochs cannot be run here; the message says what is missing."""


def missing() -> str | None:
    """What keeps Bochs from running on this machine, or None."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return f"bochscpu-python has no wheel for {sys.platform} on {platform.machine()}"
    if sys.version_info[:2] != (3, 11):
        return "the Linux wheel of bochscpu-python is for CPython 3.11"
    if importlib.util.find_spec("bochscpu") is None:
        return "bochscpu-python is not installed"
    for tool in ("gcc", "ld"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


def shim(directory: Path) -> Path:
    """Builds the library that must be loaded before bochscpu."""
    library = directory / "shim.so"
    _run("gcc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", HERE / "shim.c", "-o", library)
    return library


def program(directory: Path) -> bytes:
    """Builds the bare-metal program: a flat image whose first byte is its entry point."""
    sources, image = HERE / "program", directory / "program.bin"
    objects = [directory / f"{name}.o" for name in ("enter", "monitor")]
    for source, target in zip(("enter.S", "monitor.c"), objects, strict=True):
        _run("gcc", *FREESTANDING, "-c", sources / source, "-o", target)
    _run("ld", "-T", sources / "program.ld", "--oformat", "binary", *objects, "-o", image)
    return image.read_bytes()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{command[0]} failed: {done.stderr.strip()}")
