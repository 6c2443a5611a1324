"""The version of genescribe, told once."""

from __future__ import annotations

__version__ = "0.1.0"
