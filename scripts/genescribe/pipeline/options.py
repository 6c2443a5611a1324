"""What a person may choose about the stages, and what of it decides a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from genescribe.genome.biotypes import EXCLUDED_BIOTYPES
from genescribe.genome.extract import ExtractSettings, Reading
from genescribe.records import View
from genescribe.specs.routing import SKIP, ModelChoice, Routes, load_routes
from genescribe.specs.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """What a person may choose about extraction; None takes what the model spec says."""

    view: View | None = None
    flank: int = 0
    min_length: int = 30
    exclude_biotypes: tuple[str, ...] = EXCLUDED_BIOTYPES
    allow_missing_contigs: bool = False

    def settings(self, routes: Routes) -> ExtractSettings:
        """Return the settings for sequences that the models of ``routes`` are to read."""

        @cache  # an annotation has few biotypes and many genes
        def reading(biotype: str) -> Reading | None:
            spec = routes.spec_of(biotype)
            if spec is None:
                return None
            view = self.view or View(spec.views.get(biotype) or spec.views["default"])
            return Reading(view, spec.max_length)

        return ExtractSettings(
            reading=reading,
            flank=self.flank,
            min_length=self.min_length,
            max_n_fraction=0.5,
            exclude_biotypes=frozenset(self.exclude_biotypes),
            allow_missing_contigs=self.allow_missing_contigs,
        )


@dataclass(frozen=True, kw_only=True)
class DescribeOptions:
    """What a person may choose about inference.

    ``model`` is one model for all genes, or biotype pattern -> model (``models.routing``);
    ``prompt`` names a prompt variant of its spec, ``question`` replaces the spec's question and
    ``settings`` its thresholds and generation settings (``ModelSpec.with_settings``).
    """

    model: ModelChoice = "tiny"
    prompt: str | None = None
    question: str | None = None
    settings: Mapping[str, float] | None = None
    device: str = "auto"
    organism: str | None = None
    cache: Path | None = None
    threads: int | None = None
    shard: tuple[int, int] = (1, 1)

    def routes(self) -> Routes:
        """Read the specs; raises what ``load_routes`` raises."""
        return load_routes(
            self.model, prompt=self.prompt, question=self.question, settings=self.settings
        )


def text_settings(routes: Routes, options: DescribeOptions) -> dict[str, Any]:
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
        "organism": options.organism,
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
