"""What the tests of several rooms share: toy models, made-up genes, reference implementations."""

from __future__ import annotations
