"""One task asked about many genes, each answer beside the one that can be computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genescribe.errors import InputError, Remedy
from genescribe.pipeline.genes import FoundGene
from genescribe.records import Progress, Reason
from genescribe.specs.prompts import template_fields
from genescribe.specs.spec import ModelSpec
from genescribe.specs.tasks import TASK_TYPES, Asked, check

if TYPE_CHECKING:
    from genescribe.inference.describer import Describer
    from genescribe.inference.params import DescribeParams


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """A model's answer about one gene; field names are the columns of the table.

    ``read`` and ``truncated`` are the nt that the model read, and the nt at the 3' end that it
    did not. ``calibrated`` tells whether ``score`` is a calibrated probability. ``exact`` is the
    answer computed from what was read, ``agrees`` and ``difference`` compare the two; None and ""
    where there is nothing to compare. ``reason`` says why an answer is missing or uncertain.
    """

    gene_id: str
    task: str
    prompt: str
    model: str
    prediction: bool
    read: int
    truncated: int
    answer: str
    lift: float | None
    score: float | None
    calibrated: bool
    exact: str | None
    agrees: bool | None
    difference: str
    reason: Reason


def check_task(spec: ModelSpec, task: str, question: str = "", context: str = "") -> ModelSpec:
    """Return the spec with a task's prompt selected.

    Raises InputError for a task that does not exist, that the model was not trained for, or that
    needs a question or a context and gets none, or gets one and has no place for it.
    """
    if task not in spec.tasks and task not in TASK_TYPES:
        raise InputError(f"no task is named {task!r}; tasks are {', '.join(TASK_TYPES)}")
    chosen = spec.for_task(task)
    needed = set(template_fields(chosen.prompt.template))
    if spec.tasks[task].question is not None:
        needed.discard("question")
    for name, given in (("question", question), ("context", context)):
        if name in needed and not given:
            raise InputError(
                f"task {task} of model {spec.name} needs a {name}", Remedy.GIVE_FACT, value=name
            )
        if given and name not in needed:
            raise InputError(f"task {task} of model {spec.name} takes no {name}; leave it out")
    return chosen


def answers(
    describer: Describer,
    task: str,
    genes: Sequence[FoundGene],
    params: DescribeParams,
    progress: Progress | None = None,
) -> Iterator[TaskAnswer]:
    """Yield one answer per gene, in their order; those without a sequence say why.

    A gene that is too long for the model's context is cut at its 3' end.
    """
    context = describer.writer.context
    records = [context.fitting(gene.record, params) for gene in genes if gene.record is not None]
    written = zip(records, describer.describe(records, params, progress=progress), strict=True)
    spec = describer.spec
    for gene in genes:
        if gene.record is None:
            yield TaskAnswer(
                gene.gene_id, task, spec.prompt_id, spec.identity, True, 0, 0, "", None, None,
                spec.calibration is not None, None, None, "", gene.reason,
            )  # fmt: skip
            continue
        record, row = next(written)
        checked = check(task, Asked(record.sequence, params.context, params.question), row.text)
        yield TaskAnswer(
            gene_id=gene.gene_id,
            task=task,
            prompt=row.prompt,
            model=row.model,
            prediction=True,
            read=len(record.sequence),
            truncated=record.truncated,
            answer=row.text,
            lift=row.lift,
            score=row.score,
            calibrated=spec.calibration is not None,
            exact=checked.exact if checked else None,
            agrees=checked.agrees if checked and row.text else None,
            difference=checked.difference if checked and row.text else "",
            reason=row.reason,
        )
