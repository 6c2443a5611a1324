"""Which files of the library a command runs, told from their text; none of them is imported.

Modules import most others where a function needs them, so that a command loads no more than it
uses. So the graph joins definitions: a function leads to what it names, wherever that is imported
from. Imports for type checkers only are never run and do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2] / "scripts" / "genescribe"
DATA = {".html", ".css", ".js"}
WHOLE = "*"
"""Stands for a module itself, of which one takes names behind a dot."""


class Definition(NamedTuple):
    """A function, class or variable at the top of a module; ``name`` "" is what importing runs."""

    module: str
    name: str


@dataclass
class _Module:
    """The top of a module: its names, defined or imported, and the rest of what it runs."""

    path: Path
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, Definition] = field(default_factory=dict)
    run: list[ast.stmt] = field(default_factory=list)


def source_hash(module: str, name: str) -> str:
    """Return 12 hex digits that change with any file that ``name`` of ``module`` runs."""
    digest = hashlib.sha256()
    for path in sources(module, name):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def sources(module: str, name: str) -> list[Path]:
    """Return the modules that a definition runs, and the pages and styles beside them, sorted.

    Raises KeyError where the module defines no such name.
    """
    if name not in _read(module).defined:
        raise KeyError(f"{module} does not define {name}")
    seen: set[Definition] = set()
    waiting = [Definition(module, name)]
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting.extend(_next(here))
    files = {_read(found.module).path for found in seen}
    return sorted(files | {p for f in files for p in f.parent.iterdir() if p.suffix in DATA})


def _next(here: Definition) -> Iterator[Definition]:
    module = _read(here.module)
    package = here.module.rpartition(".")[0]
    if here.name:
        yield Definition(here.module, "")
    if package:
        yield Definition(package, "")
    if here.name in module.imported:
        yield module.imported[here.name]  # a package hands on what another module defines
    elif here.name:
        yield from _named(here.module, module.defined.get(here.name, []))
    else:
        yield from _named(here.module, module.run)


def _named(name: str, statements: Iterable[ast.stmt]) -> Iterator[Definition]:
    """Yield the definitions of the library that statements of module ``name`` name."""
    module = _read(name)
    for statement in statements:
        nodes = list(ast.walk(statement))
        own = {node.id for node in nodes if isinstance(node, ast.Name) and _is_bound(node)}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        imported = {key: value for key, value in module.imported.items() if key not in own}
        for node in nodes:
            imported |= dict(_imports(node))
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                whole = imported.get(node.value.id)
                if whole is not None and whole.name == WHOLE:
                    yield Definition(whole.module, node.attr)
            elif isinstance(node, ast.Name) and node.id in imported:
                if imported[node.id].name != WHOLE:
                    yield imported[node.id]
            elif isinstance(node, ast.Name) and node.id in module.defined.keys() - own:
                yield Definition(name, node.id)


def _is_bound(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _imports(node: ast.AST) -> Iterator[tuple[str, Definition]]:
    """Yield the names that an import of the library binds, with what they stand for."""
    if isinstance(node, ast.ImportFrom) and node.module and _file(node.module):
        for alias in node.names:
            inside = f"{node.module}.{alias.name}"
            found = (inside, WHOLE) if _file(inside) else (node.module, alias.name)
            yield alias.asname or alias.name, Definition(*found)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if _file(alias.name):
                yield alias.asname or alias.name, Definition(alias.name, WHOLE)


@cache
def _read(name: str) -> _Module:
    path = _file(name)
    assert path is not None, f"{name} is no module of the library"
    module = _Module(path)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            module.imported.update(_imports(node))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            module.defined.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for found in ast.walk(node):
                if isinstance(found, ast.Name) and _is_bound(found):
                    module.defined.setdefault(found.id, []).append(node)
        else:
            module.run.append(node)
    return module


def _file(module: str) -> Path | None:
    """Return the file of a module of the library; None for what is not one."""
    first, *rest = module.split(".")
    if first != ROOT.name:
        return None
    path = ROOT.joinpath(*rest)
    inside = path / "__init__.py"
    if inside.is_file():
        return inside
    return path.with_suffix(".py") if rest and path.with_suffix(".py").is_file() else None
