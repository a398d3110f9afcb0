"""The exit qualification of EPT violations, and which of its bits are defined."""

from ept_cases import RIGHTS, WRITE_BACK, table
from ept_sides import by_model, by_specs
from sides import Row, hold

CASES = table("exit_qualification")["case"]
SETTINGS = ("mbe", "flags", "sss", "advanced", "pin")


def entry(rights: str) -> int:
    return 0 if rights == "-" else sum(RIGHTS[letter] for letter in rights)


def told(by, case):
    """The bits that are 1 and those of 16:0 that are not defined; of the others none is."""

    def judge():
        words = [entry(rights) for rights in case["entries"].split()]
        words[3] |= WRITE_BACK if words[3] else 0
        given = dict(case["access"])
        options = {key: case[key] for key in SETTINGS if key in case}
        verdict = by(tuple(words), given.pop("kind"), **given, **options)
        ones = [bit for bit in range(64) if verdict.qualification >> bit & 1]
        undefined = [bit for bit in range(17) if not verdict.defined >> bit & 1]
        stray = bool(verdict.qualification & ~verdict.defined or verdict.defined >> 17)
        return verdict.outcome, ones, undefined, stray

    return judge


def test_the_qualification_and_its_undefined_bits_are_those_of_the_table_on_both_sides(capsys):
    hold(
        capsys,
        "exit_qualification",
        [
            Row(
                case["name"],
                ("EPT_VIOLATION", case["set"], case["undefined"], False),
                told(by_model, case),
                told(by_specs, case),
            )
            for case in CASES
        ],
    )
