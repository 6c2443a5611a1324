"""How good descriptions are: metrics, baselines, intervals, calibration and the page of results.

``evaluate`` scores a model on genes that it does not know, or descriptions that exist;
``calibrate`` fits what its score means. ``output`` writes the figures of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genescribe.lazy import loader

if TYPE_CHECKING:
    from genescribe.evaluation.main import calibrate, evaluate

__all__ = ["calibrate", "evaluate"]

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, dict.fromkeys(__all__, "genescribe.evaluation.main"))
