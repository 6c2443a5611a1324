"""A made-up assembly of textbook genes; ``make_examples.py`` writes it to ``examples/``."""

from __future__ import annotations
