"""The reference MMU stands alone."""

import ast
from pathlib import Path

MODELS = Path(__file__).parents[3] / "models"
STANDARD = {
    "collections", "dataclasses", "functools", "itertools", "json", "math", "re", "typing",
}  # fmt: skip


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return found


def modules(folder: str) -> list[Path]:
    found = sorted((MODELS / folder).rglob("*.py"))
    assert found
    return found


def test_models_sdm_imports_the_standard_library_and_itself_and_numpy_in_one_place():
    for path in modules("sdm"):
        allowed = {"numpy"} if path.name == "vectorised.py" else set()
        for name in imports(path):
            top = name.split(".")[0]
            assert top in STANDARD | allowed or name.startswith("models.sdm"), f"{path}: {name}"


def test_models_scenario_imports_the_standard_library_models_sdm_and_itself():
    for path in modules("scenario"):
        for name in imports(path):
            ours = name.startswith(("models.sdm", "models.scenario"))
            assert ours or name.split(".")[0] in STANDARD, f"{path}: {name}"


def test_numpy_is_imported_by_the_vectorised_form_alone():
    importers = [path.name for path in modules("sdm") if "numpy" in imports(path)]
    assert importers == ["vectorised.py"]
