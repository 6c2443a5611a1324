"""genescribe: natural-language descriptions for the genes of an annotation you already have."""

from __future__ import annotations

__version__ = "0.1.0"
