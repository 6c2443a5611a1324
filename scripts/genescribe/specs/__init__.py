"""What is said of a model without loading it: spec, prompts, routing, pins, tasks."""

from __future__ import annotations
