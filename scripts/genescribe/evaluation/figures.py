"""The figures of an evaluation and of a calibration, and how JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from genescribe.specs.parts import Calibration

EXAMPLES = 20
"""Genes whose texts evaluation.json holds; texts.tsv has all."""
AMONG = {"among": True}
"""Marks a field whose own names stand among those of its owner in JSON."""
JSON_NAMES = {"correct": "right", "share_correct": "share_right", "nll": "nats"}
"""Names in JSON that differ from those here; files that exist have them."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % bootstrap interval; None where there is none."""

    value: float | None
    interval: Interval | None


Figures = Mapping[str, Figure]
"""The figures of one set of texts, by metric."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many genes are chosen, which share of all that is, and how many of them are correct.

    ``interval`` is that of ``correct`` (Wilson, 95 %); both are None where no gene is chosen.
    """

    genes: int
    coverage: float
    correct: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Genes of about one score: mean score, and the share of correct texts (Wilson, 95 %)."""

    score: float
    correct: float
    interval: Interval
    genes: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a score threshold leaves: share of genes, share of correct texts (Wilson, 95 %)."""

    threshold: float
    coverage: float
    precision: float
    interval: Interval
    genes: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How good scores are as probabilities; ``auc`` is None where all texts are correct or none.

    ``expected_calibration_error`` is the mean distance of score and share of correct texts over
    the bins of ``reliability``.
    """

    expected_calibration_error: float
    brier: float
    log_loss: float
    auc: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """How well the scores of a model tell correct texts from wrong ones."""

    calibrated: bool
    quality: Quality
    reliability: Sequence[ReliabilityBin]
    curve: Sequence[CurvePoint]


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the genes, and the figures of each system on them."""

    genes: int
    systems: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class ProtocolFigures:
    """How a published model was scored, and the figures of each system scored so."""

    definition: str
    systems: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What the figures mean, in words."""

    meteor: str
    semantic: str
    correct: str
    judge: str
    interval: str
    seed: int


@dataclass(frozen=True, slots=True)
class CorpusData:
    """Which genes of which corpus were taken; ``left_out`` counts records by reason."""

    corpus: str
    splits: str
    sides: Sequence[str]
    questions: Sequence[str]
    organism_told: str | None
    left_out: Mapping[str, int]
    training_genes: int


@dataclass(frozen=True, slots=True)
class TextsData:
    """Which descriptions were compared with which references."""

    descriptions: str
    references: str
    left_out: Mapping[str, int]
    without_reference: int


@dataclass(frozen=True, slots=True)
class TextRow:
    """One gene: references, the text of each system, and the figures of the model's own."""

    gene_id: str
    organism: str
    biotype: str
    length: int | None
    question: str
    reference: str
    texts: Mapping[str, str] = field(metadata=AMONG)
    status: str
    score: float | None
    lift: float | None
    metrics: Mapping[str, float | None] = field(metadata=AMONG)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of an evaluation, by system (``comparison.SYSTEMS``) and metric.

    ``differences`` are how far the model is above each baseline; ``nll`` the negative log
    likelihood of the references in nats per token, by what the model read; ``strata`` the groups
    of each division. ``scores`` is None where the model gave none. ``rows`` has every gene.
    """

    genescribe_version: str
    model: str
    data: CorpusData | TextsData = field(metadata=AMONG)
    genes: int
    definitions: Definitions
    empty: Mapping[str, int]
    systems: Mapping[str, Figures]
    differences: Mapping[str, Figures]
    nll: Figures
    statuses: Mapping[str, Share]
    scores: Scores | None
    strata: Mapping[str, Mapping[str, Group]]
    protocols: Mapping[str, ProtocolFigures]
    rows: Sequence[TextRow]

    def as_json(self) -> dict[str, Any]:
        """Return what evaluation.json holds: of the rows only the first ones, as examples."""
        values: dict[str, Any] = plain(self)
        examples = values.pop("rows")[:EXAMPLES]
        return values | {"scores": values["scores"] or {}, "examples": examples}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which lift and score on a text is ``described``, and what that leaves.

    ``coverage`` is the share of genes left, ``precision`` the share of correct texts among them,
    ``lower_bound`` its one-sided 90 % Wilson bound. ``reached`` is False where no score promises
    the target: ``min_score`` is then 1, and nothing is described.
    """

    min_lift: float
    min_score: float
    coverage: float
    precision: float | None
    lower_bound: float | None
    reached: bool


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """A fitted calibration, its thresholds, and how good both are; ``correct`` says what is."""

    data: CorpusData = field(metadata=AMONG)
    model: str
    genes: int
    correct: str
    share_correct: float
    calibration: Calibration
    target_precision: float
    thresholds: Thresholds
    quality: Quality
    reliability: Sequence[ReliabilityBin]
    curve: Sequence[CurvePoint]

    def as_json(self) -> dict[str, Any]:
        """Return what calibration.json holds."""
        return dict(plain(self))

    def spec_lines(self) -> str:
        """Return the lines to put into a model spec."""
        numbers = plain(self.calibration)
        inside = ", ".join(f"{name}: {value}" for name, value in numbers.items())
        return (
            f"calibration: {{{inside}}}\n"
            f"min_lift: {self.thresholds.min_lift}\n"
            f"min_score: {self.thresholds.min_score}\n"
        )


def plain(value: Any) -> Any:
    """Return figures as JSON's own types, fields by their ``JSON_NAMES``."""
    if isinstance(value, Calibration):
        return value.model_dump()
    if is_dataclass(value):
        values: dict[str, Any] = {}
        for one in fields(value):
            inner = plain(getattr(value, one.name))
            values |= inner if one.metadata else {JSON_NAMES.get(one.name, one.name): inner}
        return values
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
