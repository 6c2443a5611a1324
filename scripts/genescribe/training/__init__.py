"""Training and assessing sequence-chat models (floor 3: knows models, not genomes or doors)."""

from __future__ import annotations
