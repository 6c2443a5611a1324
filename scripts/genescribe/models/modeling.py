"""SequenceChatModel: sequence encoder + projector + causal language model.

The shape that GeneChat, RNA-GPT, ChatNT and BioReason share: vectors read from the sequence take
the place of placeholder tokens in the prompt, and the language model goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, AutoModelForCausalLM, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from genescribe.models import encoders as _encoders  # noqa: F401  (registers the encoders)
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.projector import build_projector

SEQUENCE_PREFIX = "sequence_"
"""Begins the names of the inputs that go to the encoder."""

IGNORE_INDEX = -100
"""Label without loss, as everywhere in transformers."""


class SequenceChatModel(PreTrainedModel):
    """Describes genes: prompt with sequence vectors in, text tokens out."""

    config_class = SequenceChatConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def __init__(self, config: SequenceChatConfig) -> None:
        super().__init__(config)
        self.encoder = AutoModel.from_config(config.encoder_config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        text_size = config.text_config.hidden_size
        self.projector = build_projector(
            config.projector_type, config.encoder_config.hidden_size, text_size
        )
        self.null_sequence = nn.Parameter(torch.empty(config.null_slots, text_size))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if module is self:
            nn.init.normal_(self.null_sequence, std=0.02)

    def get_input_embeddings(self) -> nn.Module:
        """Return the language model's token embedding."""
        embedding: nn.Module = self.language_model.get_input_embeddings()
        return embedding

    def get_sequence_features(self, inputs: Mapping[str, Any]) -> Tensor:
        """Encode and project the genes of a batch: (batch, slots, text hidden_size).

        The encoder gets those of ``inputs`` whose names begin with ``sequence_``.
        """
        sequence_inputs = {
            name.removeprefix(SEQUENCE_PREFIX): value
            for name, value in inputs.items()
            if name.startswith(SEQUENCE_PREFIX)
        }
        features: Tensor = self.projector(self.encoder(**sequence_inputs))
        return features

    def get_null_features(self, batch: int) -> Tensor:
        """Return the learned "no sequence" vectors, (batch, null_slots, text hidden_size)."""
        return self.null_sequence.expand(batch, -1, -1)

    def embed(self, input_ids: Tensor, features: Tensor) -> Tensor:
        """Embed tokens (batch, tokens), placeholders replaced in order by ``features``.

        ``features`` is (batch, slots, hidden); returns (batch, tokens, hidden). Raises ValueError
        if a row of the batch has another number of placeholders than of vectors.
        """
        embeddings: Tensor = self.get_input_embeddings()(input_ids)  # (B, T, H)
        placeholders = input_ids == self.config.sequence_token_id  # (B, T)
        counts = placeholders.sum(1)  # (B,)
        if features.shape[0] != len(counts) or bool((counts != features.shape[1]).any()):
            raise ValueError(
                "Sequence vectors and placeholder tokens do not match: "
                f"tokens: {counts.tolist()}, vectors: {[features.shape[1]] * features.shape[0]}"
            )
        return embeddings.masked_scatter(
            placeholders.unsqueeze(-1), features.to(embeddings.dtype)
        )  # (B, T, H)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        drop_sequence: Tensor | None = None,
        labels: Tensor | None = None,
        features: Tensor | None = None,
        **sequence_inputs: Tensor,
    ) -> CausalLMOutputWithPast:
        """Return the language model's output over prompt and text.

        ``input_ids``, ``attention_mask``, ``labels``: (batch, tokens); ``labels`` is -100 where
        no loss is wanted. ``drop_sequence`` (batch,) bool puts the learned "no sequence"
        vectors in place of the gene. ``features`` are those of ``get_sequence_features`` where
        the caller has them already. ``loss`` is in nats per token, ``logits`` are (batch,
        tokens, vocabulary), with ``labels`` only from the token before the first label on.
        """
        if features is None:
            features = self.get_sequence_features(sequence_inputs)  # (B, slots, H)
        if drop_sequence is not None:
            null = self.get_null_features(len(features)).to(features.dtype)
            features = torch.where(drop_sequence.view(-1, 1, 1), null, features)
        kept = 0  # all logits
        if labels is not None:
            first = int((labels != IGNORE_INDEX).any(0).int().argmax())
            kept = labels.shape[1] - max(0, first - 1)
            labels = labels[:, -kept:]  # (B, kept)
        output: CausalLMOutputWithPast = self.language_model(
            inputs_embeds=self.embed(input_ids, features),
            attention_mask=attention_mask,
            position_ids=position_ids(attention_mask),
            labels=labels,
            logits_to_keep=kept,
            use_cache=False,
        )
        return output

    @torch.inference_mode()
    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        **settings: Any,
    ) -> Tensor:
        """Write a text for each gene: token ids (batch, new tokens), padded on the right.

        The inputs are the processor's; all further ``settings`` go to transformers' ``generate``
        of the language model. Greedy by default.
        """
        features = self.get_sequence_features(settings)
        settings = {k: v for k, v in settings.items() if not k.startswith(SEQUENCE_PREFIX)}
        token_ids: Tensor = self.language_model.generate(
            inputs_embeds=self.embed(input_ids, features),
            attention_mask=attention_mask,
            **{"do_sample": False, **settings},
        )
        return token_ids

    @torch.inference_mode()
    def text_log_probs(
        self, inputs: Mapping[str, Any], text_ids: Tensor, use_sequence: bool
    ) -> Tensor:
        """Return log p of each token of a text, in nats, (batch, text tokens); 0 at padding.

        ``text_ids`` (batch, text tokens) is padded on the right, as ``generate`` returns it.
        Without ``use_sequence`` the gene is replaced by the learned "no sequence" vectors and
        everything else stays. The texts are teacher-forced in one forward pass.
        """
        prompt_ids, prompt_mask = inputs["input_ids"], inputs["attention_mask"]
        real = text_ids != self.config.text_config.pad_token_id  # (B, N)
        features = (
            self.get_sequence_features(inputs)
            if use_sequence
            else self.get_null_features(len(prompt_ids))
        )
        embeddings = torch.cat(
            [self.embed(prompt_ids, features), self.get_input_embeddings()(text_ids)], dim=1
        )  # (B, P + N, H)
        mask = torch.cat([prompt_mask, real.to(prompt_mask.dtype)], dim=1)  # (B, P + N)
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
        return torch.where(real, losses.neg(), 0.0)


def position_ids(attention_mask: Tensor) -> Tensor:
    """Number the real tokens of each row 0, 1, ..., whatever padding precedes; (batch, tokens)."""
    return (attention_mask.long().cumsum(1) - 1).clamp(min=0)


AutoModel.register(SequenceChatConfig, SequenceChatModel)
