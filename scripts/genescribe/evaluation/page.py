"""The pages of results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_evaluation_page(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the page of an evaluation."""


def write_calibration_page(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the page of a calibration."""
