"""The model of KVM stands on the processor's alone."""

import ast
from pathlib import Path

KVM = Path(__file__).parents[4] / "models" / "kvm"
STANDARD = {"collections", "dataclasses", "functools", "typing"}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_models_kvm_imports_the_standard_library_models_sdm_and_itself():
    for path in sorted(KVM.rglob("*.py")):
        ours = ("models.sdm", "models.kvm", *(["models.scenario"] if path.parent.name == "scenario" else []))
        wrong = {name for name in imported(path) if name.split(".")[0] not in STANDARD and not name.startswith(ours)}
        assert wrong == set(), path
