"""How probable a model finds given texts: what it would take to tell it what people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from genescribe.inference.describer import Describer
from genescribe.inference.params import DescribeParams
from genescribe.records import SequenceRecord


class TextLikelihood(NamedTuple):
    """The log p of a text in nats, summed over its ``n_tokens`` tokens, the end token included."""

    log_prob: float
    n_tokens: int


@torch.inference_mode()
def text_likelihoods(
    describer: Describer,
    records: Sequence[SequenceRecord],
    texts: Sequence[str],
    params: DescribeParams | None = None,
) -> list[TextLikelihood]:
    """Return how probable each text is as the answer about its gene, in the order of ``records``.

    Of a text longer than the model may write (``max_new_tokens`` of its spec), so many tokens
    are read. Without ``params.use_sequence`` the genes are replaced by "no sequence".
    """
    params, writer = params or DescribeParams(), describer.writer
    # copies, told apart by identity: the same gene may come with several texts
    shown = [replace(writer.context.fitting(record, params)) for record in records]
    places = {id(record): place for place, record in enumerate(shown)}
    results: dict[int, TextLikelihood] = {}
    for batch in describer.batching.budget(shown, params):
        chosen = [places[id(record)] for record in batch]
        inputs = writer.read(writer.prompts(batch, params), batch, params)
        ids = writer.text_ids([texts[place] for place in chosen])  # (batch, text tokens)
        mask = writer.model.text_mask(ids)  # (batch, text tokens)
        log_probs = writer.model.text_log_probs(inputs, ids, mask)  # (batch, text tokens)
        sums, counts = log_probs.double().sum(1).tolist(), mask.sum(1).tolist()
        for place, log_prob, count in zip(chosen, sums, counts, strict=True):
            results[place] = TextLikelihood(log_prob, count)
    return [results[place] for place in range(len(records))]
