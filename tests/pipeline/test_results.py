"""The folder of a finished run, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from genescribe.artifacts.run_record import RunRecord
from genescribe.errors import FormatError
from genescribe.pipeline.results import Results


@pytest.mark.parametrize("settings", [None, {"name": "a", "ascii_only": False}])
def test_a_run_of_another_version_is_refused_in_one_line(settings: dict[str, object]) -> None:
    results = Results(Path("out"), [], RunRecord(settings=settings))
    with pytest.raises(FormatError, match=r"out/run\.json: says no \w+: written by another"):
        print(results.decorate)
