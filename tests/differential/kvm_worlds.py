"""Random worlds for KVM's shadow MMU: an L0 with an EPT01, an L1 with an EPT12, an L2, all in memory.

Nothing here asks models/kvm for anything but to run: each world keeps L1's memory twice, as L1 sees it and as L0 holds
it, so that the two tables can be composed directly.

What no world has, and why:
- an EPT01 that denies reading, that tells XS from XU, or that denies execution of a 4-KByte page: KVM makes none, for
  it grants L1 every right on its memory but W;
- EPT12, or L2's own tables, in read-only or no memory of L1: KVM drops the flags that it cannot set, and its emulator
  asks EPT12 for W on L2's tables always;
- addresses of L2 beyond 48 bits under a 4-level EPT12, which KVM's walker does not look at;
- an L1 whose MAXPHYADDR is not the host's, which KVM leaves to user space;
- shadow stacks, NMI unblocking by IRET, asynchronous accesses: KVM never forwards bits 12, 13 and 16;
- a new generation of memory slots, after which KVM walks EPT12 as for a read, whatever the access was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from models.kvm import Host, Nested, Parameters, Setting, Slot, UserSpace, Version
from models.sdm import Guest, LinearAccess, Machine, PhysicalAccess, Processor, Request, Vmcs

PAGE, PAGE_2M, PAGE_1G = 1 << 12, 1 << 21, 1 << 30
SIZES = {1: PAGE, 2: PAGE_2M, 3: PAGE_1G}
R, W, X, XU = 1, 2, 4, 1 << 10
ALL = R | W | X | XU
MBEC, UNRESTRICTED, EPT = 1 << 22, 1 << 7, 1 << 1
CAPS = {"exec_only": 0, "five": 7, "2m": 16, "1g": 17, "ad": 21, "advanced": 22}
ALWAYS = 1 << 6 | 1 << 14 | 1 << 20 | 1 << 25 | 1 << 26
RIGHTS = (ALL, ALL, ALL, ALL, R | X | XU, R | W | XU, R | W | X, R, R | W, R | XU, R | X, X, XU, X | XU, W, 0)
WIDTH = 46

TABLES = 0x10_0000  # L1's: EPT12 and L2's tables
SMALL, LARGE, HUGE = 0x4000_0000, 0x8000_0000, 0x1_0000_0000  # L1's: pages of 4 KBytes, 2 MBytes, 1 GByte
L0_TABLES, L0_FREE = 0x2_0000_0000, 0x10_0000_0000
GUEST_TABLES = 0x7F_0000_0000  # L2's


@dataclass
class World:
    """One L1 and L2. `words`: L1's memory by its own addresses; `pages`: host address, W and level of L1's pages.

    `entries`: where those of EPT12 are; `upper`: its tables above the last level; `tracked`: pages that EPT01 denies
    until they are used.
    """

    rng: Random
    version: Version
    memory: dict[int, int] = field(default_factory=dict)
    words: dict[int, int] = field(default_factory=dict)
    pages: dict[int, tuple[int, bool, int]] = field(default_factory=dict)
    targets: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    linear: list[int] = field(default_factory=list)
    tracked: set[int] = field(default_factory=set)
    upper: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        rng = self.rng
        chosen = {name for name in CAPS if rng.random() < (0.3 if name == "five" else 0.8)}
        chosen |= {"2m"} if "1g" in chosen else set()
        self.caps = ALWAYS | sum(1 << CAPS[name] for name in sorted(chosen))
        secondary = EPT | UNRESTRICTED | (MBEC if rng.random() < 0.85 else 0)
        self.cpu = Processor(
            maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=self.caps, procbased_ctls2=secondary << 32
        )
        self.parameters = Parameters(
            nx_huge_pages=rng.random() < 0.4, eptad=rng.random() < 0.7, mbec=rng.random() < 0.85
        )
        advanced = self.has("advanced")
        offers = {"old": False, "rfc": True, "v1": True}.get(self.version.name, advanced)
        parameter = self.version.name == "v1" or self.parameters.mbec
        self.mbec_offered = bool(secondary & MBEC) and offers and parameter
        self.ad = self.has("ad") and self.parameters.eptad
        self.next_table, self.next_host = TABLES, L0_FREE
        self.shadow_pages = 1 << WIDTH - 1
        self._map_l1()
        self.nested = Nested(self._setting(), self.memory)
        self.levels12 = 5 if self.has("five") and self.rng.random() < 0.4 else 4
        self.root12 = self.new_table()
        self._build_guest_tables()
        self._build_ept12()
        self._fill_guest_tables()
        for at, word in self.words.items():
            self.nested.memory[self.host(at)] = word
        self.enter()

    def has(self, name: str) -> bool:
        """Whether the processor has an EPT capability."""
        return bool(self.caps >> CAPS[name] & 1)

    # ---- L1's memory, and EPT01

    def _map_l1(self) -> None:
        rng = self.rng
        self.with_ept01 = rng.random() < 0.6
        self.slots: list[Slot] = []
        self.ept01_tables: dict[int, int] = {}
        self.five01 = self.has("five") and rng.random() < 0.5
        for number in range(64):
            self._map_page(TABLES + number * PAGE, 1, True)
        for number in range(8):
            if rng.random() < 0.8:
                self._map_page(SMALL + number * PAGE, 1, rng.random() < 0.7)
        for number in range(3):
            self._map_page(LARGE + number * PAGE_2M, 2 if self.has("2m") else 1, rng.random() < 0.7)
        self._map_page(HUGE, 3 if self.has("1g") else 1, rng.random() < 0.7)

    def _map_page(self, address: int, level: int, writable: bool) -> None:
        size = SIZES[level]
        self.next_host = -(-self.next_host // size) * size
        host, self.next_host = self.next_host, self.next_host + size
        self.pages[address] = (host, writable, level)
        if self.with_ept01:
            self._ept01_leaf(address, host, level, writable)
        else:
            self.slots.append(Slot(address, host, size, writable, self.rng.randint(1, 3)))

    def _ept01_leaf(self, address: int, host: int, level: int, writable: bool) -> None:
        table, rng = L0_TABLES, self.rng
        for upper in range(5 if self.five01 else 4, level, -1):
            at = table | address >> 9 * upper & 0xFF8
            if at not in self.memory:
                self.memory[at] = L0_TABLES + PAGE * (len(self.ept01_tables) + 1) | ALL
                self.ept01_tables[at] = 1
            table = self.memory[at] & 0xF_FFFF_FFFF_F000
        rights = R | X | XU | (W if writable else 0)
        if level > 1 and self.parameters.nx_huge_pages and rng.random() < 0.6:
            rights &= ~(X | XU)
        leaf = host | rights | 6 << 3 | (1 << 7 if level > 1 else 0)
        if not self.ad and self.version.read_right and rng.random() < 0.1:
            # Access-tracked: R, X and XU are kept in bits 52, 54 and 62, the type in 61:60, W's in 53 and 55.
            self.tracked.add(address)
            leaf = leaf & ~ALL | 1 << 11 | 1 << 60 | (rights & (R | X | XU)) << 52 | (5 << 53 if writable else 0)
        self.memory[table | address >> 9 * level & 0xFF8] = leaf

    def _setting(self) -> Setting:
        rng = self.rng
        eptp01 = L0_TABLES | (0x26 if self.five01 else 0x1E) | (0x40 if self.ad else 0)
        return Setting(
            version=self.version,
            host=Host(processor=self.cpu, parameters=self.parameters, undefined_bits=rng.getrandbits(17)),
            user_space=UserSpace(),
            slots=() if self.with_ept01 else tuple(self.slots),
            ept01=eptp01 if self.with_ept01 else None,
        )

    def page_of(self, address: int) -> tuple[int, bool] | None:
        """Where L1's address is in the host, and whether L1 may write there; None if it is no memory."""
        for level in (1, 2, 3):
            base = address & -SIZES[level]
            if base in self.pages and self.pages[base][2] == level:
                return self.pages[base][0] + address - base, self.pages[base][1]
        return None

    def is_tracked(self, address: int) -> bool:
        """Whether EPT01 denies the page until it is used."""
        return any(address & -SIZES[level] in self.tracked for level in (1, 2, 3))

    def l1_machine(self) -> Machine:
        """L1 on the processor, under EPT01."""
        setting = self.nested.setting
        assert setting.ept01 is not None
        mbec = MBEC if self.nested.kvm.enable_mbec and self.version.vmcs01_mbec else 0
        vmcs = Vmcs(eptp=setting.ept01, primary_controls=1 << 31, secondary_controls=EPT | UNRESTRICTED | mbec)
        return Machine(processor=self.cpu, vmcs=vmcs, guest=self.guest, memory=self.memory)

    def host(self, address: int) -> int:
        """The same, for what must be memory."""
        found = self.page_of(address)
        assert found is not None, hex(address)
        return found[0]

    # ---- EPT12

    def new_table(self) -> int:
        """A page of L1 for a table."""
        self.next_table += PAGE
        return self.next_table - PAGE

    def entry(self, address: int, level: int, clean: bool = False) -> int:
        """Where the entry of EPT12 of a level is in L1's memory; the tables above it are made, with all rights and no
        odd bits if `clean`. 0 if an entry above maps a page."""
        table = self.root12
        for upper in range(self.levels12, level, -1):
            at = table | address >> 9 * upper & 0xFF8
            if at not in self.words:
                self.words[at] = self.new_table() | (ALL if clean else self.rights() | self.flags(False))
                self.entries.append(at)
            if self.words[at] & 1 << 7:
                return 0
            self.upper.add(table)
            table = self.words[at] & 0xF_FFFF_F000
        self.upper |= {table} if level > 1 else set()
        return table | address >> 9 * level & 0xFF8

    def rights(self) -> int:
        """Rights of an entry, mostly all of them."""
        return self.rng.choice(RIGHTS) if self.rng.random() < 0.35 else ALL

    def flags(self, page: bool) -> int:
        """Accessed and dirty flags, ignored bits, now and then a reserved one."""
        rng = self.rng
        word = rng.choice((0, 1 << 8, 3 << 8, 3 << 8))
        if rng.random() < 0.2:
            word |= 1 << rng.choice((11, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63))
        if rng.random() < 0.02:
            word |= 1 << rng.choice((3, 4, 5, 6, 7, 46, 51))
        if page and rng.random() < 0.05:
            word |= rng.choice((0, 1, 4, 5)) << 3
        elif page:
            word |= 6 << 3
        return word

    def leaf(self, level: int) -> int:
        """An entry that maps a page of a level."""
        rng = self.rng
        if level == 3:
            target = rng.choice((HUGE, HUGE, SMALL))
        elif level == 2:
            target = rng.choice((LARGE, LARGE + PAGE_2M, HUGE + 5 * PAGE_2M, SMALL))
        elif rng.random() < 0.06:  # L1 lets L2 have a table of EPT12, or of L2's own
            target = TABLES + PAGE * rng.randrange(40)
        else:
            target = rng.choice((SMALL, SMALL, LARGE, HUGE)) + PAGE * rng.randrange(8)
        return target | self.rights() | self.flags(True) | (1 << 7 if level > 1 else 0)

    def _build_ept12(self) -> None:
        rng = self.rng
        for top in (0, 1):
            for pdpt in (0, 1, 2):
                base = top << 39 | pdpt << 30
                if rng.random() < 0.2:
                    self._leaf_at(base, 3)
                    continue
                for pd in (0, 1):
                    if rng.random() < 0.25:
                        self._leaf_at(base | pd << 21, 2)
                        continue
                    for pt in (0, 1, 2, 3, 9):
                        if rng.random() < 0.85:
                            self._leaf_at(base | pd << 21 | pt << 12, 1)
        self.targets.append(rng.getrandbits(39) & -PAGE)

    def _leaf_at(self, address: int, level: int) -> None:
        at = self.entry(address, level)
        if at:
            self.words[at] = self.leaf(level)
            self.entries.append(at)
        self.targets.append(address | (self.rng.getrandbits(3) << 12 if level > 1 else 0))

    # ---- L2

    def _build_guest_tables(self) -> None:
        """Four tables of L2, mapped by EPT12."""
        self.guest_tables = [self.new_table() for _ in range(4)]
        for number, place in enumerate(self.guest_tables):
            self._guest_table(GUEST_TABLES + PAGE * number, place)

    def _fill_guest_tables(self) -> None:
        """A page for some of the targets."""
        rng = self.rng
        for number in range(3):
            flags = rng.choice((0x67, 0x67, 0x67, 0x47, 0x63))
            self.words[self.guest_tables[number]] = GUEST_TABLES + PAGE * (number + 1) | flags
        for number, target in enumerate(rng.sample(self.targets, min(12, len(self.targets)))):
            flags = rng.choice((0x67, 0x67, 0x07, 0x27, 0x63, 0x65, 0x61, 0)) | rng.choice((0, 0, 1 << 63))
            self.words[self.guest_tables[3] + 8 * number] = target | flags
            self.linear.append(number << 12)

    def _guest_table(self, address: int, place: int) -> None:
        """Maps one of L2's tables by EPT12, with all rights almost always."""
        rights = ALL if self.rng.random() < 0.9 else self.rng.choice((R, R | W, R | X, X, 0))
        at = self.entry(address, 1, clean=True)
        self.words[at] = place | rights | self.flags(True) & 3 << 8 | 6 << 3
        self.entries.append(at)

    def enter(self) -> None:
        """L1 runs L2 with new controls and registers."""
        rng = self.rng
        paging = rng.random() < 0.85
        mbec = MBEC if self.mbec_offered and rng.random() < 0.7 else 0
        eptp = self.root12 | (0x26 if self.levels12 == 5 else 0x1E) | (0x40 if self.ad and rng.random() < 0.5 else 0)
        self.vmcs12 = Vmcs(
            eptp=eptp,
            primary_controls=1 << 31,
            secondary_controls=EPT | mbec | (0 if paging else UNRESTRICTED),
            pin_controls=rng.choice((0, 8, 0x28)),
        )
        self.guest = Guest(
            cr0=(0x8000_0033 if paging else 0x33) | (1 << 16 if rng.random() < 0.7 else 0),
            cr3=GUEST_TABLES,
            cr4=0x2020 | rng.choice((0, 1 << 20)) | rng.choice((0, 1 << 21)),
            efer=0xD00 if paging else 0,
            cpl=rng.choice((0, 0, 3)),
            rflags=rng.choice((2, 2 | 1 << 18)),
        )
        self.paging = paging
        self.nested.prefetch_count = rng.choice((0, 8))
        failure = self.nested.enter(self.vmcs12, self.guest)
        assert failure is None, failure

    def virtual_cpu(self) -> Processor:
        """The processor that L1 believes to have."""
        offered = ALWAYS | 1 << 16 | 1 << 17 | (1 << 21 if self.ad else 0)
        kept = ("exec_only", "five", "advanced") if self.version.advanced_information else ("exec_only", "five")
        offered |= sum(1 << CAPS[name] for name in kept if self.has(name))
        return Processor(maxphyaddr=WIDTH, raw_maxphyaddr=WIDTH, ept_vpid_cap=offered)

    def request(self) -> Request:
        """An access of L2."""
        rng = self.rng
        kind = rng.choice(("read", "write", "rmw", "fetch", "fetch"))
        offset = rng.randrange(PAGE)
        if rng.random() < 0.3 and self.paging:
            return LinearAccess(kind=kind, linear_address=rng.choice(self.linear) | offset)
        address = rng.choice(self.targets) | offset
        target = self.target_of(address)
        memory = target is not None and self.page_of(target) is not None
        if not self.paging and address < 1 << 32 and rng.random() < 0.5:
            return LinearAccess(kind=kind, linear_address=address)
        return PhysicalAccess(
            kind=kind,
            guest_physical_address=address,
            user_linear_address=rng.random() < 0.5,
            paging_structure=memory and kind in ("read", "rmw") and rng.random() < 0.15,
            page_writable=rng.random() < 0.7,
            execute_disable=kind != "fetch" and rng.random() < 0.3,
        )

    def target_of(self, address: int) -> int | None:
        """The address of L1 that EPT12 gives an address of L2, whatever the rights; None if an entry is missing."""
        table = self.root12
        for level in range(self.levels12, 0, -1):
            entry = self.words.get(table | address >> 9 * level & 0xFF8, 0)
            if not entry & ALL:
                return None
            size = PAGE << 9 * (level - 1)
            if level == 1 or entry & 1 << 7:
                return entry & 0xF_FFFF_FFFF_F000 & -size | address % size
            table = entry & 0xF_FFFF_FFFF_F000
        return None

    # ---- what happens meanwhile

    def enter_without_ept12(self) -> None:
        """L1 runs L2 without EPT, on its own guest-physical addresses."""
        vmcs12 = Vmcs(eptp=self.rng.choice((0, 0x40)), primary_controls=1 << 31, secondary_controls=0)
        failure = self.nested.enter(vmcs12, replace(self.guest, cr0=0x8000_0033, efer=0xD00))
        assert failure is None, failure

    def event(self) -> None:
        """Something that L0 or L1 does between two accesses of L2."""
        rng = self.rng
        match rng.randrange(6):
            case 0:
                self.enter()
            case 1 | 2:
                at = rng.choice(self.entries)
                self.words[at] ^= rng.choice((R, W, X, XU, X | XU, 1 << 8, 1 << 9))
                self.nested.l1_writes(at, self.words[at])
                failure = self.nested.enter(self.vmcs12, self.guest)  # L1 was running, and runs L2 again
                assert failure is None, failure
            case _:
                self.event_of_l0()

    def event_of_l0(self) -> None:
        """Aging, dirty logging, splitting of huge pages, or all mappings dropped."""
        match self.rng.randrange(4):
            case 0:
                self.nested.age()
            case 1:
                self.nested.write_protect()
            case 2:
                self.nested.split_huge_pages(2)
            case _:
                self.nested.zap_all()
