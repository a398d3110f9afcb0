"""Bochs' processor in this process, with the bare-metal program in its memory.

In: records of the program. Out: its results.
Guarantee: memory besides the program's is zero before and after each run, or the run fails.
Trusted: no, checked by test_harness.py.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import mmap
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import build
from .image import CAPABILITIES, END, PAGE, PML4, PML5, PROGRAM, RECORDS, RESULTS, STACK, image

# The constructor of Bochs' Sapphire Rapids: MBE, 5-level guest paging, #VE and SPP.
MODEL = "_Z28create_sapphire_rapids_cpuidP8BX_CPU_C"
CASE_PAGES = 0x4000  # room for the pages that the cases of one run touch
CR4_LA57 = 1 << 12


@dataclass(slots=True)
class Processor:
    """The one processor: bochscpu's memory map is global.

    `memory` has the program's pages and then those that cases have touched, whose host-physical addresses are `pages`,
    in this order; `base` is its own address in this process.
    """

    bochscpu: Any
    session: Any
    hook: Any
    memory: mmap.mmap
    base: int
    pages: list[int] = field(default_factory=list[int])
    shut_down: bool = False

    def run(self, records: Sequence[array[int]], la57: bool) -> memoryview:
        """Lets the program handle these records, with its own CR4.LA57 as given; returns its results as words.

        Raises `ValueError` if a case changed memory that it does not list or the cases touch too many pages.
        """
        offset = RECORDS
        for record in records:
            data = record.tobytes()
            self.memory[offset : offset + len(data)] = data
            offset += len(data)
        self.session.cpu.state = self._start(len(records), la57)
        self.session.run([self.hook])
        if self.shut_down:
            raise RuntimeError("the program ended in a triple fault or in HLT")
        self._check_pages()
        return memoryview(self.memory)[RESULTS:END].cast("Q")

    def capabilities(self) -> memoryview:
        """What the program has found out about the processor, as words."""
        return memoryview(self.memory)[CAPABILITIES : CAPABILITIES + PAGE].cast("Q")

    def _check_pages(self) -> None:
        touched = len(self.pages)
        changed = self.memory[END : END + touched * PAGE].lstrip(b"\0")
        if changed or touched > CASE_PAGES // 2:
            for address in self.pages:
                self.bochscpu.memory.page_remove(address)
            self.pages.clear()
            self.memory[END:] = bytes(len(self.memory) - END)
        if touched > CASE_PAGES:
            raise ValueError(f"the cases touch more than {CASE_PAGES} pages")
        if changed:
            raise ValueError("a case changed a word of memory that it does not list")

    def _start(self, records: int, la57: bool) -> Any:
        """64-bit mode at CPL 0, at the start of the program."""
        state = self.bochscpu.State()
        state.cr0, state.efer = 0x8001_0031, 0xD00
        state.cr3, state.cr4 = (PROGRAM + PML5, 0x2020 | CR4_LA57) if la57 else (PROGRAM + PML4, 0x2020)
        state.rip, state.rsp, state.rflags = PROGRAM, PROGRAM + STACK, 0x2
        state.rdi, state.rsi, state.rdx = PROGRAM + RECORDS, PROGRAM + RESULTS, records
        state.cs = self._flat(0x08, 0xA09B)
        state.ds = state.es = state.ss = self._flat(0x10, 0xC093)
        state.tr = self._flat(0x18, 0x808B)
        return state

    def _flat(self, selector: int, attributes: int) -> Any:
        segment = self.bochscpu.Segment()
        segment.present, segment.base, segment.limit = True, 0, 0xFFFF_FFFF
        segment.selector, segment.attr = selector, attributes
        return segment

    def on_missing_page(self, address: int) -> None:
        """Gives Bochs a page of zeros; one too many all share the last, and the run fails afterwards."""
        number = min(len(self.pages), CASE_PAGES)
        self.bochscpu.memory.page_insert(address & -PAGE, self.base + END + number * PAGE)
        self.pages.append(address & -PAGE)

    def on_clflush(self, session: Any, *_: Any) -> None:
        """The program has handled all records. (HLT would not do: Bochs does not start again after it.)"""
        session.stop()

    def on_shutdown(self, session: Any, *_: Any) -> None:
        """The program has failed."""
        self.shut_down = True
        session.stop()

    def close(self) -> None:
        """Lets go of Bochs, which must not outlive the interpreter; its callbacks refer back to this object."""
        self.session = self.hook = None


@functools.cache
def processor() -> Processor:
    """Builds the program and starts Bochs. Raises `build.UnavailableError` where that is not possible."""
    if reason := build.missing():
        raise build.UnavailableError(reason)
    with tempfile.TemporaryDirectory(prefix="slat-bochs-") as directory:
        code = build.program(Path(directory))
        bochscpu = _load(build.shim(Path(directory)))
    memory = mmap.mmap(-1, END + (CASE_PAGES + 1) * PAGE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for offset in range(0, END, PAGE):
        bochscpu.memory.page_insert(PROGRAM + offset, base + offset)
    for offset, data in image(code):
        memory[offset : offset + len(data)] = data
    one = Processor(bochscpu, bochscpu.Session(), bochscpu.Hook(), memory, base)
    atexit.register(one.close)
    one.session.missing_page_handler = one.on_missing_page
    one.hook.clflush = one.on_clflush
    one.hook.hlt = one.on_shutdown
    return one


def _load(shim: Path) -> Any:
    """Imports bochscpu on top of the shim, and chooses the processor's model."""
    library = ctypes.CDLL(str(shim), mode=ctypes.RTLD_GLOBAL)
    bochscpu: Any = importlib.import_module("bochscpu")
    importlib.import_module("bochscpu.memory")
    core: Any = importlib.import_module("bochscpu._bochscpu")
    model = ctypes.cast(ctypes.CDLL(core.__file__)[MODEL], ctypes.c_void_p)
    ctypes.c_void_p.in_dll(library, "processor_model").value = model.value
    return bochscpu
