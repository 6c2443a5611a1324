"""Corpora of (sequence, question, answer) and their splits (floor 2); never imports torch.

``build`` collects a corpus from annotated genomes and other sources, ``split`` divides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genescribe.lazy import loader

if TYPE_CHECKING:
    from genescribe.corpus.collection import build
    from genescribe.corpus.partition import split

__all__ = ["build", "split"]

if not TYPE_CHECKING:
    __getattr__ = loader(
        __name__,
        {"build": "genescribe.corpus.collection", "split": "genescribe.corpus.partition"},
    )
