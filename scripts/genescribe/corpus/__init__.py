"""Corpora of (sequence, question, answer) and their splits (floor 2); never imports torch."""

from __future__ import annotations
