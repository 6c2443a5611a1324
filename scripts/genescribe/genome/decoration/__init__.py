"""Writing descriptions into an annotation, and taking them out again, byte for byte."""

from __future__ import annotations
