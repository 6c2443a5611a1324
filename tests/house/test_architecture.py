"""The house stays as it was designed: imports point downwards, files and functions stay short."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "scripts" / "genescribe"
MODULES = sorted(LIBRARY.rglob("*.py"))

FLOORS = [
    {
        "lazy",
        "version",
        "records",
        "errors",
        "files",
        "import_graph",
        "keys",
        "nucleotides",
        "kmers",
        "settings",
    },
    {"genome", "specs", "artifacts", "models", "pages"},
    {"inference", "corpus"},
    {"report", "training", "evaluation"},
    {"pipeline"},
    {"doors"},
    {"cli", "widget", "api"},
    {"__main__", "__init__"},
]
SIDEWAYS = {("models", "specs"), ("widget", "api")}
"""Who may import from a room on its own floor."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = ("torch", "transformers", "pandas")

EXTRAS = {
    "corpus": "training",
    "evaluation": "training",
    "training": "training",
    "widget": "notebook",
}
"""Rooms that need what an extra of the package brings."""

DISTRIBUTIONS = {
    "Bio": "biopython",
    "huggingface_hub": "huggingface-hub",
    "igv_notebook": "igv-notebook",
    "pydantic_core": "pydantic",  # its own, and pinned by it
    "rouge_score": "rouge-score",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Import names that differ from the name of the package on PyPI."""
CONDA_NAMES = {"pytorch": "torch"}
"""Names on conda-forge that differ from those on PyPI."""
NOT_ON_PYPI = {"python", "mmseqs2"}


def room(module: str) -> str:
    """Return the part of a dotted name that stands on a floor: genescribe.genome.gff -> genome."""
    return [*module.split("."), ""][1]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of every import, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_downwards(path: Path) -> None:
    here = room(dotted(path))
    assert here in FLOOR, f"{here} has no floor yet; add it to FLOORS and to the design"
    for line, name in imports(path):
        if name.split(".")[0] != "genescribe":
            continue
        there = room(name) if room(name) in FLOOR else "__init__"  # what the front page offers
        same = there == here or (here, there) in SIDEWAYS
        assert same or FLOOR[there] < FLOOR[here] or FLOOR[here] == FLOOR[there] == 0, (
            f"{path}:{line}: {here} (floor {FLOOR[here]}) imports {name} (floor {FLOOR[there]})"
        )


def test_no_import_circle_between_files() -> None:
    """Imports for type checkers count; a package that imports its own modules is fine."""
    files = {dotted(path).removesuffix(".__init__"): path for path in MODULES}
    waiting = {}
    for module, path in files.items():
        names = [name for _, name in imports(path)]
        found = {name if name in files else name.rpartition(".")[0] for name in names}
        waiting[module] = (found & files.keys()) - {module}
    while free := [module for module, needed in waiting.items() if not needed & waiting.keys()]:
        for module in free:
            del waiting[module]
    assert not waiting, {module: needed & waiting.keys() for module, needed in waiting.items()}


@pytest.mark.parametrize("light", ["genome", "specs", "artifacts", "corpus"])
def test_rooms_without_torch(light: str) -> None:
    names = [dotted(path) for path in MODULES if room(dotted(path)) == light]
    assert names
    code = (
        f"import importlib, sys; [importlib.import_module(name) for name in {names!r}]; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LIBRARY.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imported_packages_are_declared(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    if extra := EXTRAS.get(room(dotted(path))):
        requirements += project["optional-dependencies"][extra]
    declared = {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}
    imported = {name.split(".")[0] for _, name in imports(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"genescribe"}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= declared


def test_every_package_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"])
    found = {dotted(path.parent) for path in MODULES}
    assert found == {name for name in listed if ".resources." not in name}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_conda_environments_pin_the_locked_versions(path: Path) -> None:
    lock = dict(
        line.split("==")
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    environment = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    for dependency in environment["dependencies"]:
        name, version = dependency.split("=")
        if name not in NOT_ON_PYPI:
            assert lock[CONDA_NAMES.get(name, name)] == version, dependency


SOURCES = [
    path
    for folder in ("scripts", "workflow", "tests", "benchmarks")
    for ending in ("*.py", "*.smk", "*.js", "*.css", "*.html", "Snakefile")
    for path in sorted((ROOT / folder).rglob(ending))
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    is_product = path.is_relative_to(LIBRARY) or path.is_relative_to(ROOT / "workflow")
    assert lines <= (50 if path.name == "Snakefile" else 400 if is_product else 450)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{path}:{node.lineno}: {node.name} has {length} lines"
