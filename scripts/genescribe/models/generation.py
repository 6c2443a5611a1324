"""What every model that describes genes can do, however the gene gets into its prompt.

Writing a text, and reading a text again to tell how probable it is, work on the embeddings of a
prompt; ``SequenceChatModel`` puts vectors of the gene into them, ``SequenceTextModel`` letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import (
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

MAX_LOGITS = 1 << 28
"""Logits held at once when texts are read again (1 GiB in float32); more go in several parts."""


class DescribesGenes:
    """Mixin of models whose ``language_model`` goes on from the embeddings of a prompt.

    What stands here serves prompts in which the gene is text, letters and all.
    """

    language_model: Any

    def with_features(self, inputs: Mapping[str, Any], use_sequence: bool = True) -> dict[str, Any]:
        """Return the processor's inputs with what is costly about them computed already.

        Without ``use_sequence`` a gene that is vectors is replaced by the learned "no sequence".
        """
        if not use_sequence:
            raise ValueError("a gene that is text in the prompt cannot be left out of it")
        return dict(inputs)

    def prompt_embeddings(self, inputs: Mapping[str, Any]) -> Tensor:
        """Return the embeddings of the prompts (batch, tokens, hidden).

        ``inputs`` are the processor's, or what ``with_features`` made of them.
        """
        embeddings: Tensor = self.language_model.get_input_embeddings()(inputs["input_ids"])
        return embeddings

    @property
    def eos_token_ids(self) -> list[int]:
        """The tokens that end a text; some language models have several."""
        eos = self.language_model.generation_config.eos_token_id
        if eos is None:
            return []
        return eos if isinstance(eos, list) else [eos]

    @property
    def pad_token_id(self) -> int:
        """The token that fills up finished texts: an end token where there is no other."""
        pad = self.language_model.generation_config.pad_token_id
        return int(pad if pad is not None else (self.eos_token_ids or [0])[0])

    def text_mask(self, text_ids: Tensor) -> Tensor:
        """Tell a text's tokens, its end token included, from padding, (batch, text tokens)."""
        is_eos = torch.isin(text_ids, text_ids.new_tensor(self.eos_token_ids))  # (B, N)
        ended_before = (is_eos.cumsum(1) - is_eos.long()) > 0  # (B, N)
        if self.pad_token_id in self.eos_token_ids:
            return ~ended_before
        return ~ended_before & (text_ids != self.pad_token_id)

    @torch.inference_mode()
    def generate(self, input_ids: Tensor, attention_mask: Tensor, **settings: Any) -> Tensor:
        """Write a text for each gene: token ids (batch, new tokens), padded on the right.

        The inputs are the processor's (or what ``with_features`` made of them); all further
        ``settings`` go to transformers' ``generate`` of the language model. Greedy by default.
        """
        # transformers 5.23 takes the padding of a prompt off the *new* tokens where prompts are
        # embeddings, so those of short prompts in a batch would escape its penalty.
        processors = LogitsProcessorList()
        if (penalty := settings.pop("repetition_penalty", 1.0)) != 1.0:
            processors.append(RepetitionPenaltyLogitsProcessor(penalty))
        if (size := settings.pop("no_repeat_ngram_size", 0)) > 0:
            processors.append(NoRepeatNGramLogitsProcessor(size))
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        for name in [name for name in settings if name.startswith(SEQUENCE_PREFIX)]:
            inputs[name] = settings.pop(name)
        token_ids: Tensor = self.language_model.generate(
            inputs_embeds=self.prompt_embeddings(inputs),
            attention_mask=attention_mask,
            logits_processor=processors,
            **{"do_sample": False, "pad_token_id": self.pad_token_id, **settings},
        )
        return token_ids

    @torch.inference_mode()
    def text_log_probs(
        self, inputs: Mapping[str, Any], text_ids: Tensor, text_mask: Tensor | None = None
    ) -> Tensor:
        """Return log p (natural) of each token of a text, (batch, text tokens); 0 at padding.

        ``text_ids`` (batch, text tokens) is padded on the right, as ``generate`` returns it;
        ``text_mask``, of the same shape, tells which of them count where that is not all up to
        the end token. ``inputs`` are as in ``prompt_embeddings``. The texts are teacher-forced in
        one forward pass.
        """
        real = self.text_mask(text_ids) if text_mask is None else text_mask  # (B, N)
        text = self.language_model.get_input_embeddings()(text_ids)  # (B, N, H)
        prompts = self.prompt_embeddings(inputs)  # (B, P, H)
        embeddings = torch.cat([prompts, text], dim=1)  # (B, P + N, H)
        prompt_mask = inputs["attention_mask"]
        mask = torch.cat([prompt_mask, real.to(prompt_mask.dtype)], dim=1)  # (B, P + N)
        vocabulary = self.language_model.config.get_text_config().vocab_size
        rows = max(1, MAX_LOGITS // (text_ids.shape[1] * vocabulary))
        parts = [
            self._log_probs(*part)
            for part in zip(
                embeddings.split(rows), mask.split(rows), text_ids.split(rows), strict=True
            )
        ]
        return torch.where(real, torch.cat(parts), 0.0)

    def _log_probs(self, embeddings: Tensor, mask: Tensor, text_ids: Tensor) -> Tensor:
        logits: Tensor = self.language_model(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=position_ids(mask),
            use_cache=False,
            logits_to_keep=text_ids.shape[1] + 1,
        ).logits[:, :-1]  # (B, N, V): position i predicts text token i
        losses = F.cross_entropy(
            logits.float().flatten(0, 1), text_ids.flatten(), reduction="none"
        ).view_as(text_ids)  # (B, N)
        return losses.neg()


SEQUENCE_PREFIX = "sequence_"
"""Begins the names of the inputs that carry the gene."""


def position_ids(attention_mask: Tensor) -> Tensor:
    """Number the real tokens of each row 0, 1, ..., whatever padding precedes; (batch, tokens)."""
    return (attention_mask.long().cumsum(1) - 1).clamp(min=0)


class SequenceTextModel(torch.nn.Module, DescribesGenes):
    """A causal language model that reads the gene as letters in its prompt (GenomicLLM)."""

    def __init__(self, language_model: Any) -> None:
        super().__init__()
        self.language_model = language_model

    @property
    def config(self) -> Any:
        """The language model's configuration."""
        return self.language_model.config

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        dtype: torch.dtype = self.language_model.dtype
        return dtype
