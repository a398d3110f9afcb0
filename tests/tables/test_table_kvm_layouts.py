"""Roles, SPTEs and shadow masks of every version, bit for bit."""

import pytest
from ept_cases import table

from models.kvm import VERSIONS
from models.kvm.masks import MaskInputs, kvm_mmu_reset_all_pte_masks, kvm_mmu_set_ept_masks
from models.kvm.mmio_spte import mmio_spte_gen_bits
from models.kvm.role import (
    ExtendedRole,
    PageRole,
    pack_extended_role,
    pack_role,
    sync_role_ignore,
    unpack_extended_role,
    unpack_role,
)

TABLE = table("kvm_layouts")
SVE = 1 << 63


def row(kind: str, name: str):
    """The row of a version; those from v3 on share "new", v1 shares rfc's SPTEs."""
    rows = TABLE[kind]
    if name in rows:
        return rows[name]
    if kind == "spte" and name == "v1":
        return rows["rfc"]
    return rows["new" if VERSIONS[name].read_right else "old"]


def fields(text: str) -> dict[str, tuple[int, int]]:
    """ "0:3 level, 4 direct" as the lowest bit and the width of each field."""
    found = {}
    for part in text.split(", "):
        positions, name = part.split()
        low, _, high = positions.partition(":")
        found[name] = int(low), int(high or low) - int(low) + 1
    return found


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize(
    ("kind", "record", "pack", "unpack"),
    [
        ("role", PageRole, pack_role, unpack_role),
        ("extended_role", ExtendedRole, pack_extended_role, unpack_extended_role),
    ],
    ids=["base", "extended"],
)
def test_every_field_of_a_role_stands_where_the_kernel_has_it(name, kind, record, pack, unpack):
    version, layout = VERSIONS[name], fields(row(kind, name))
    for field, (low, width) in layout.items():
        every = (1 << width) - 1
        assert pack(version, record(**{field: every})) == every << low, field
        assert unpack(version, every << low) == record(**{field: every})
        with pytest.raises(ValueError, match=field):
            pack(version, record(**{field: every + 1}))
    for field in set(record.__dataclass_fields__) - layout.keys():
        with pytest.raises(ValueError, match=field):
            pack(version, record(**{field: 1}))
    unused = ~sum(((1 << width) - 1) << low for low, width in layout.values())
    assert unpack(version, unused & (1 << 32) - 1) == record()


@pytest.mark.parametrize("name", VERSIONS)
def test_the_software_bits_of_an_spte_stand_where_the_kernel_has_them(name):
    version, expected = VERSIONS[name], row("spte", name)
    layout = version.spte
    assert layout.ad_mask == 3 << expected["ad"]
    assert layout.ad_disabled == 1 << expected["ad"]
    assert layout.ad_wrprot_only == 2 << expected["ad"]
    assert layout.saved == sum(1 << bit for bit in expected["saved"])
    assert layout.host_writable == 1 << expected["host_writable"]
    assert layout.mmu_writable == 1 << expected["mmu_writable"]
    assert mmio_spte_gen_bits(version) == expected["generation_bits"]
    assert layout.mmio_gen_low_end == expected["generation_low"]
    assert layout.frozen == SVE | expected["frozen"]


@pytest.mark.parametrize("name", VERSIONS)
def test_the_shadow_masks_of_ept_are_those_of_the_kernel(name):
    version, expected = VERSIONS[name], TABLE["masks"][name]
    masks = kvm_mmu_set_ept_masks(version, MaskInputs(mbec=True))
    observed = {
        "user": masks.user,
        "x": masks.xs,
        "xu": masks.xu,
        "present": masks.present & ~SVE,
        "acc_track": masks.acc_track,
        "value": masks.mmio_value,
        "mask": masks.mmio_mask & ~SVE,
    }
    assert observed == expected
    assert masks.nx == 0
    assert (masks.accessed, masks.dirty) == (1 << 8, 1 << 9)


def test_without_execute_only_support_r_comes_from_the_present_mask_before_v3_and_from_acc_read_after():
    for version in VERSIONS.values():
        masks = kvm_mmu_set_ept_masks(version, MaskInputs(has_exec_only=False))
        assert masks.present == SVE | (0 if version.read_right else 1)


def test_without_mbec_xu_is_bit_2_in_v3_bit_10_in_v5_and_nothing_before():
    for name, xu, acc_track in (("rfc", 0, 0x407), ("v1", 0, 7), ("v3", 4, 7), ("v5", 0x400, 0x407)):
        masks = kvm_mmu_set_ept_masks(VERSIONS[name], MaskInputs(mbec=False))
        assert (masks.xu, masks.acc_track) == (xu, acc_track), name


def test_legacy_masks_have_nx_and_no_x_and_the_highest_address_bit_for_mmio():
    for width, mmio in ((46, 1 << 51 | 1), (52, 0)):
        masks = kvm_mmu_reset_all_pte_masks(VERSIONS["v5"], MaskInputs(maxphyaddr=width))
        assert (masks.user, masks.nx, masks.xs, masks.xu, masks.present) == (4, SVE, 0, 0, 1)
        assert (masks.acc_track, masks.host_writable, masks.mmu_writable) == (0, 1 << 9, 1 << 10)
        assert masks.mmio_value == masks.mmio_mask == mmio
        assert masks.mmio_access == 6


def test_the_rights_that_a_sync_check_ignores_grew_with_acc_all():
    assert sync_role_ignore(VERSIONS["old"]) == 0xF | 0x7 << 8 | 3 << 5 | 1 << 18
    assert sync_role_ignore(VERSIONS["rfc"]) == 0xF | 0xF << 8 | 3 << 5 | 1 << 19
    assert sync_role_ignore(VERSIONS["v5"]) == 0xF | 0xF << 8 | 3 << 5 | 1 << 18
