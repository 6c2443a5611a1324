"""The HTML report and the MultiQC table of one described assembly (floor 3)."""

from __future__ import annotations

from genescribe.report.build import build_report
from genescribe.report.multiqc import write_multiqc

__all__ = ["build_report", "write_multiqc"]
