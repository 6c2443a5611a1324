"""SequenceChatModel: sequence encoder + projector + causal language model.

The shape that GeneChat, RNA-GPT, ChatNT and BioReason share: vectors read from the sequence take
the place of placeholder tokens in the prompt, and the language model goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForCausalLM, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import build_encoder, make_reader
from genescribe.models.encoders.tokens import build_pooling
from genescribe.models.generation import SEQUENCE_PREFIX, DescribesGenes, position_ids
from genescribe.models.projector import build_projector, project

FEATURES = SEQUENCE_PREFIX + "features"
"""Name of the input that holds ``SequenceFeatures`` where they are computed already."""

IGNORE_INDEX = -100
"""Label without loss, as everywhere in transformers."""


class SequenceFeatures(NamedTuple):
    """The vectors that take the place of placeholders: ``values`` (total vectors, hidden), gene
    after gene, and ``counts`` (batch,), how many each gene has."""

    values: Tensor
    counts: Tensor


class SequenceChatModel(DescribesGenes, PreTrainedModel):
    """Describes genes: prompt with sequence vectors in, text tokens out."""

    config: SequenceChatConfig
    config_class = SequenceChatConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def __init__(self, config: SequenceChatConfig) -> None:
        super().__init__(config)
        self.reader = make_reader(config)
        self.encoder: Any = build_encoder(config.encoder_config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.add_projecting_parts()
        self.post_init()

    def add_projecting_parts(self) -> None:
        """Make (or make anew) what stands between encoder and language model: random weights."""
        config = self.config
        encoder_size, text_size = config.encoder_config.hidden_size, config.text_config.hidden_size
        if config.pooling is not None:
            self.pooling = build_pooling(config.pooling, encoder_size)
        self.projector = build_projector(
            config.projector_type, encoder_size, text_size, config.projector_settings
        )
        if config.null_slots:
            self.null_sequence = nn.Parameter(torch.empty(config.null_slots, text_size))
            self._init_weights(self)

    def projecting_tensors(self) -> dict[str, Tensor]:
        """Return the tensors of what stands between encoder and language model, by name."""
        between = ("projector.", "pooling.", "null_sequence")
        return {name: t for name, t in self.state_dict().items() if name.startswith(between)}

    def _init_weights(self, module: nn.Module) -> None:
        if module is self and self.config.null_slots:
            nn.init.normal_(self.null_sequence, std=0.02)

    def get_input_embeddings(self) -> nn.Module:
        """Return the language model's token embedding."""
        embedding: nn.Module = self.language_model.get_input_embeddings()
        return embedding

    def get_sequence_features(self, inputs: Mapping[str, Any]) -> SequenceFeatures:
        """Encode, pool and project the genes of a batch.

        ``inputs`` are the processor's, or ``with_features``' with the result in it already.
        """
        if FEATURES in inputs:
            features: SequenceFeatures = inputs[FEATURES]
            return features
        sequence_inputs = {
            name.removeprefix(SEQUENCE_PREFIX): value
            for name, value in inputs.items()
            if name.startswith(SEQUENCE_PREFIX)
        }
        vectors, counts = self.reader.encode(self, sequence_inputs)
        return SequenceFeatures(*project(self.projector, vectors, counts))

    def with_features(self, inputs: Mapping[str, Any], use_sequence: bool = True) -> dict[str, Any]:
        """Return the processor's inputs with the genes encoded, which is then done only once.

        Without ``use_sequence`` the learned "no sequence" vectors stand in for the genes.
        """
        if use_sequence:
            features = self.get_sequence_features(inputs)
        else:
            features = self.get_null_features(self.placeholders(inputs["input_ids"]).sum(1))
        return {
            "input_ids": inputs["input_ids"],
            "attention_mask": inputs["attention_mask"],
            FEATURES: features,
        }

    def get_null_features(self, counts: Tensor) -> SequenceFeatures:
        """Return the learned "no sequence" vectors for genes with ``counts`` (batch,) vectors.

        A gene with more placeholders than there are such vectors gets them over and over, so
        its number of placeholders, all that is left of it, still shows.
        """
        if not self.config.null_slots:
            raise ValueError("these weights were trained without a 'no sequence' condition")
        places = torch.cat([torch.arange(n) for n in counts.tolist()])  # (total,)
        return SequenceFeatures(self.null_sequence[places % self.config.null_slots], counts)

    def placeholders(self, input_ids: Tensor) -> Tensor:
        """Tell which tokens stand for sequence vectors, (batch, tokens)."""
        return input_ids == self.config.sequence_token_id

    def prompt_embeddings(self, inputs: Mapping[str, Any]) -> Tensor:
        """Embed prompts (batch, tokens, hidden), with the gene or what stands in for it."""
        return self.embed(inputs["input_ids"], self.get_sequence_features(inputs))

    def embed(self, input_ids: Tensor, features: SequenceFeatures) -> Tensor:
        """Embed tokens (batch, tokens), placeholders replaced in order by ``features``.

        Returns (batch, tokens, hidden). Raises ValueError if a row of the batch has another
        number of placeholders than of vectors.
        """
        placeholders = self.placeholders(input_ids)  # (B, T)
        counts = placeholders.sum(1)  # (B,)
        if counts.tolist() != features.counts.tolist():
            raise ValueError(
                "Sequence vectors and placeholder tokens do not match: "
                f"tokens: {counts.tolist()}, vectors: {features.counts.tolist()}"
            )
        # a placeholder outside the vocabulary cannot be looked up
        known = input_ids.masked_fill(placeholders, 0)  # (B, T)
        embeddings: Tensor = self.get_input_embeddings()(known)  # (B, T, H)
        return embeddings.masked_scatter(
            placeholders.unsqueeze(-1), features.values.to(embeddings.dtype)
        )  # (B, T, H)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        drop_sequence: Tensor | None = None,
        labels: Tensor | None = None,
        **sequence_inputs: Any,
    ) -> CausalLMOutputWithPast:
        """Return the language model's output over prompt and text.

        ``input_ids``, ``attention_mask``, ``labels``: (batch, tokens); ``labels`` is -100 where
        no loss is wanted. ``drop_sequence`` (batch,) bool puts the learned "no sequence"
        vectors in place of the gene. ``loss`` is in nats per token, ``logits`` are (batch,
        tokens, vocabulary), with ``labels`` only from the token before the first label on.
        """
        features = self.get_sequence_features(sequence_inputs)
        if drop_sequence is not None:
            dropped = drop_sequence.repeat_interleave(features.counts).unsqueeze(1)  # (total, 1)
            null = self.get_null_features(features.counts).values.to(features.values.dtype)
            features = features._replace(values=torch.where(dropped, null, features.values))
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


AutoModel.register(SequenceChatConfig, SequenceChatModel)
