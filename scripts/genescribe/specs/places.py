"""Where model specs and their weights lie: in the package, in a checkout, with the user."""

from __future__ import annotations

import os
from pathlib import Path

from genescribe.errors import UnknownModelError

MODELS_VARIABLE = "GENESCRIBE_MODELS"
USER_MODELS = "~/.local/share/genescribe/models"
SPEC_FILE = "spec.yaml"
"""The spec of a model that was trained here, in the folder of its weights."""


def specs_folder() -> Path:
    """Return the folder of the specs that come with genescribe."""
    return _resource("config_models", "config/models")


def weights_folder() -> Path:
    """Return the folder of the checkpoints that come with genescribe."""
    return _resource("models", "models")


def user_weights_folder() -> Path:
    """Return the folder of the checkpoints that this user converted or downloaded."""
    return Path(os.environ.get(MODELS_VARIABLE) or USER_MODELS).expanduser()


def _resource(installed: str, checkout: str) -> Path:
    """Find a folder in an installed package (as package data), else in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "resources" / installed
    return inside if inside.is_dir() else package.parent.parent / checkout


def spec_path(name_or_path: str | Path) -> Path:
    """Return the file of a spec: of one that comes with genescribe, by its name, or a YAML file's.

    A folder stands for the SPEC_FILE in it, which training writes. Raises UnknownModelError,
    naming the known ones.
    """
    name = str(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = specs_folder() / f"{name}.yaml"
    if Path(name).name == name and path.is_file():
        return path
    if (Path(name) / SPEC_FILE).is_file():
        return Path(name) / SPEC_FILE
    known = ", ".join(sorted(known.stem for known in specs_folder().glob("*.yaml")))
    raise UnknownModelError(
        f"no model named {name!r}; known: {known or 'none'}; or give the path of a .yaml spec"
    )


def weights_path(spec: Path, name: str) -> Path:
    """Return where weights lie: a name is looked up, a path is relative to the spec's file."""
    if "/" in name:
        return (spec.parent / name).resolve()
    shipped = weights_folder() / name
    return (shipped if shipped.exists() else user_weights_folder() / name).resolve()
