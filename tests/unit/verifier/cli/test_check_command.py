"""`slat check`: everything that is wrong, in one run."""

from __future__ import annotations

import json

import pytest
from golden.cases import make_project, slat

FAULTY = """module proofs.faulty
use sdm.nowhere_used

fn width(x: bits(64)) -> bits(32) = x
fn name(x: bits(64)) -> bits(64) = x | nothing
rule clauses(e: bits(64))
  = any of {
      one:    let low = e[1:2]; low == 0
      two:    let low = e[70]; low
      three:  let low = e[0]; low
    }
invariant claim per SDM "No Such Section"
  for a: bool, b: bool
  assume a == 1
  show b == 2
"""


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def write(project, name, text):
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)


def test_one_run_reports_all_independent_errors_and_no_consequences(project):
    write(project, "proofs/faulty.slat", FAULTY)
    write(project, "specs/sdm/nowhere_used.slat", "module sdm.nowhere_used\n")
    write(project, "proofs/other.slat", "module proofs.other\n\nfn f(b: bool) -> bits(1) = b\n")
    said = slat(project, "check")
    assert said.exit_code == 2
    in_other = ["E201"]
    assert sorted(said.codes) == ["E201", "E201", "E201", *in_other, "E203", "E204", "E306", "E309", "W302"]
    assert "8 errors" in said.err


def test_a_faulty_type_is_reported_once_and_not_where_it_is_used(project):
    uses = "\n".join(f"fn f{i}(r: R) -> bool = r.a" for i in range(5))
    write(project, "proofs/types.slat", f"module proofs.types\n\nrecord R {{ a: bits(0) }}\n{uses}\n")
    assert slat(project, "check").codes == ["E206"]


def test_a_faulty_function_is_reported_once_and_not_by_its_callers(project):
    callers = "fn g(b: bool) -> bits(4) = f(b)\nfn h(b: bool) -> bool = f(b)\n"
    text = f"module proofs.calls\n\nfn f(b: bool) -> bits(4) = b\n{callers}"
    write(project, "proofs/calls.slat", text)
    said = slat(project, "check")
    assert said.codes == ["E201", "E201"]
    assert ":3:" in said.err
    assert ":5:" in said.err


def test_syntax_errors_of_several_files_come_in_one_run(project):
    for name in ("one", "two"):
        write(project, f"proofs/{name}.slat", f"module proofs.{name}\n\nfn f(b bool) -> bool = b\nrecord R {{}}\n")
    assert slat(project, "check").codes == ["E101"] * 4


def test_a_sound_project_is_summed_up(project):
    write(project, "proofs/one.slat", "module proofs.one\n\ninvariant i for b: bool show b == b\n")
    said = slat(project, "check")
    assert (said.exit_code, said.out, said.err) == (0, "well-typed: 1 module, 1 claim\n", "")


def test_diagnostics_as_json_have_places_for_editors(project):
    write(project, "proofs/one.slat", "module proofs.one\n\nfn f(b: bool) -> bits(4)\n  = b &&\n    b\n")
    said = slat(project, "check", "--json")
    document = json.loads(said.out)
    assert said.exit_code == 2
    assert document["schema"] == "slat-check-1"
    (found,) = document["diagnostics"]
    place = {key: found[key] for key in ("file", "line", "column", "end_line", "end_column")}
    assert place == {"file": "proofs/one.slat", "line": 4, "column": 5, "end_line": 5, "end_column": 6}
    assert (found["code"], found["severity"]) == ("E201", "error")


def test_with_a_path_only_what_concerns_it_is_reported(project):
    write(project, "proofs/one.slat", "module proofs.one\n\nfn f(b: bool, c: bool) -> bool = b\n")
    write(project, "proofs/two.slat", "module proofs.two\n\nfn f(b: bool, c: bool) -> bool = b\n")
    assert slat(project, "check", "proofs/one.slat").codes == ["W201"]
    assert slat(project, "check", "proofs").codes == ["W201", "W201"]


def test_a_file_outside_of_the_project_sees_the_project(project):
    write(project, "specs/sdm/entry.slat", 'module sdm.entry\n\nconst PAGE: bits(64) per SDM "EPT Violations" = [12]\n')
    write(project, "draft.slat", 'module draft\nuse sdm.entry\n\nfn f() -> bits(32) per SDM "EPT Violations" = PAGE\n')
    assert slat(project, "check", "draft.slat").codes == ["E201"]


def test_a_directory_outside_of_the_project_is_checked_with_its_files(project, tmp_path_factory):
    write(project, "specs/sdm/entry.slat", 'module sdm.entry\n\nconst PAGE: bits(64) per SDM "EPT Violations" = [12]\n')
    drafts = tmp_path_factory.mktemp("drafts")
    write(
        drafts, "deep/draft.slat", 'module draft\nuse sdm.entry\n\nfn f() -> bits(32) per SDM "EPT Violations" = PAGE\n'
    )
    said = slat(project, "check", str(drafts))
    assert said.codes == ["E201"]
    assert f"{drafts}/deep/draft.slat:4" in said.err


def test_with_a_path_only_what_concerns_it_is_reported_also_from_another_directory(project):
    write(project, "proofs/one.slat", "module proofs.one\n\nfn f(b: bool, c: bool) -> bool = b\n")
    write(project, "proofs/two/three.slat", "module proofs.two.three\n\nfn f(b: bool, c: bool) -> bool = b\n")
    assert slat(project / "proofs" / "two", "check", "three.slat").codes == ["W201"]
    assert slat(project / "proofs" / "two", "check", "../one.slat").codes == ["W201"]


def test_two_files_with_one_module_are_reported(project):
    write(project, "proofs/one.slat", "module proofs.one\n")
    write(project, "draft.slat", "module proofs.one\n")
    assert slat(project, "check", "draft.slat").codes == ["E304"]
