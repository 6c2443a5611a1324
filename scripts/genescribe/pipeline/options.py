"""What a person may choose about the stages, and what of it decides a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from genescribe.genome.extract import Reading, ReadingOf
from genescribe.inference.settings import DescribeSettings
from genescribe.records import View
from genescribe.specs.routing import SKIP, Routes, load_routes
from genescribe.specs.spec import ModelSpec


def routes_of(settings: DescribeSettings) -> Routes:
    """Read the specs of the models to describe with; raises what ``load_routes`` raises."""
    return load_routes(
        settings.model,
        prompt=settings.prompt,
        question=settings.question,
        settings=settings.settings,
    )


def reading_of(routes: Routes, view: View | None) -> ReadingOf:
    """Return what the models of ``routes`` read of the genes of a biotype.

    Without ``view`` each spec says which stretch.
    """

    @cache  # an annotation has few biotypes and many genes
    def read(biotype: str) -> Reading | None:
        spec = routes.spec_of(biotype)
        if spec is None:
            return None
        of_spec = View(spec.views.get(biotype) or spec.views["default"])
        return Reading(view or of_spec, spec.max_length)

    return read


def text_settings(routes: Routes, settings: DescribeSettings) -> dict[str, Any]:
    """Return all that decides texts, scores and statuses, as JSON, to compare runs by.

    Values differ by model where there are several. Raises CheckpointError for a model that is
    not installed.
    """

    def each(value: Callable[[ModelSpec], Any]) -> Any:
        values = {spec.name: value(spec) for spec in routes.specs}
        return values if len(values) > 1 else next(iter(values.values()))

    return {
        "model": each(lambda spec: spec.identity),
        "routes": _route_table(routes),
        "prompt": each(lambda spec: spec.prompt_id),
        "generation": each(lambda spec: dict(spec.generation)),
        "no_sequence": each(lambda spec: spec.no_sequence),
        "dtype": each(lambda spec: dict(spec.dtype)),
        "quantisation": each(lambda spec: spec.quantisation),
        "calibration": each(lambda spec: spec.calibration and spec.calibration.model_dump()),
        "min_lift": each(lambda spec: spec.min_lift),
        "min_score": each(lambda spec: spec.min_score),
        "organism": settings.organism,
    }


def model_facts(routes: Routes) -> Mapping[str, Any] | list[Mapping[str, Any]]:
    """Return what a run record says of its model; a list where there are several.

    ``biotypes`` are the patterns of the genes that it described, ``calibrated`` tells whether its
    score is a calibrated probability.
    """
    facts: list[Mapping[str, Any]] = [
        {
            "name": spec.name,
            "identity": spec.identity,
            "sha256": spec.sha256,
            "biotypes": routes.patterns_of(spec),
            "prompt": spec.prompt_id,
            "question": spec.question,
            "generation": dict(spec.generation),
            "min_lift": spec.min_lift,
            "min_score": spec.min_score,
            "calibrated": spec.calibration is not None,
        }
        for spec in routes.specs
    ]
    return facts if len(facts) > 1 else facts[0]


def _route_table(routes: Routes) -> str:
    return ", ".join(f"{pattern}={spec.name if spec else SKIP}" for pattern, spec in routes.routes)
