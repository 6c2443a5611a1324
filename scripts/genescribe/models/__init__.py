"""Sequence-chat models: architecture, processors, specs and checkpoints (floor 1).

Knows nothing of genomes and annotation files. ``genescribe.specs.spec`` can be imported, and
specs listed and checked, without loading torch.
"""

from __future__ import annotations
