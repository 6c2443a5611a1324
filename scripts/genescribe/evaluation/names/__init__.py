"""Whether two product names say the same: ``judge`` gives a verdict, ``is_correct`` a yes or no."""

from __future__ import annotations

from genescribe.evaluation.names.judge import Verdict, is_correct, judge

__all__ = ["Verdict", "is_correct", "judge"]
