"""The gene-memory encoder: the texts of a gene's relatives, as vectors for the language model.

The k-mers of a gene look up its relatives among stored genes (``genescribe.models.gene_memory``);
each token of their texts becomes one vector, which tells also what token stands before it, of
which relative it is and how much that resembles the gene. The language model reads, weighs and
rewrites them: retrieval-augmented generation (Lewis et al. 2020, arXiv 2005.11401) from a memory
that is part of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from genescribe.models.encoders.reader import Reading, SequenceReader, Stored
from genescribe.models.gene_memory import (
    NONE,
    NUM_FEATURES,
    SEEDS,
    GeneMemory,
    Relatives,
    array_shapes,
)
from genescribe.models.projector import mlp
from genescribe.records import SequenceRecord, View

INITIAL_SPREAD = 0.02
"""Standard deviation of new vectors, as of Llama's token embeddings, which they are added to."""

COPYING_GAIN = 3.0
"""Of a copying head's queries and of its keys: a token that stands after the one just written gets
about nine times the logit of chance agreement (3 squared, over unit vectors)."""


class GeneMemoryConfig(PreTrainedConfig):
    """Sizes of the encoder, and of what it stores.

    Its output has one vector for the gene and one for each of ``text_tokens`` places in the texts
    of ``num_relatives`` relatives, made from the language model's token embeddings, so that
    ``hidden_size`` is its own and ``projector_type`` ``identity``. ``num_genes``,
    ``num_postings`` (for each seed) and ``num_text_tokens`` are the sizes of what is stored.
    """

    model_type = "gene_memory"

    num_relatives: int = 6
    text_tokens: int = 8
    hidden_size: int = 256
    feature_size: int = 64
    num_genes: int = 0
    num_postings: list[int] | tuple[int, ...] = (0,) * len(SEEDS)
    num_text_tokens: int = 0

    @property
    def num_slots(self) -> int:
        """How many vectors the encoder gives for one gene."""
        return 1 + self.num_relatives * self.text_tokens


class GeneMemoryEncoder(PreTrainedModel):
    """Embed the texts of relatives: one vector for the gene, then one for each token's place.

    The stored genes are buffers of integers, saved with the weights and of no interest to an
    optimiser; ``memory`` gives them to who looks genes up.
    """

    config_class = GeneMemoryConfig
    main_input_name = "token_ids"

    def __init__(self, config: GeneMemoryConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.rank_embedding = nn.Embedding(config.num_relatives, size)
        self.place_embedding = nn.Embedding(config.text_tokens, size)
        self.view_embedding = nn.Embedding(2, size)
        self.previous = nn.Linear(size, size, bias=False)
        self.opening = nn.Parameter(torch.empty(size))
        self.nothing = nn.Parameter(torch.empty(size))
        self.likeness = mlp([NUM_FEATURES, config.feature_size, size])
        self.evidence = mlp([2 * NUM_FEATURES + 1, config.feature_size, size])
        shapes = array_shapes(config.num_genes, config.num_postings, config.num_text_tokens)
        for name, (length, dtype) in shapes.items():
            kind = getattr(torch, dtype.__name__.rstrip("_"))  # NumPy's bool_ is torch's bool
            self.register_buffer(name, torch.zeros(length, dtype=kind))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=INITIAL_SPREAD)
        elif module is self:
            nn.init.normal_(self.nothing, std=INITIAL_SPREAD)
            nn.init.normal_(self.opening, std=INITIAL_SPREAD)
            nn.init.orthogonal_(self.previous.weight)
            for last in (self.likeness[-1], self.evidence[-1]):
                nn.init.normal_(last.get_parameter("weight"), std=INITIAL_SPREAD)
                nn.init.zeros_(last.get_parameter("bias"))

    def memory(self) -> GeneMemory:
        """Return the stored genes, ready to be looked up; on the CPU they share the buffers."""
        names = array_shapes(0, self.config.num_postings, 0)
        return GeneMemory.from_arrays({name: self.get_buffer(name).cpu().numpy() for name in names})

    def store(self, memory: GeneMemory) -> None:
        """Make ``memory`` the stored genes, whatever was stored before."""
        device = self.nothing.device
        for name, array in memory.arrays().items():
            setattr(self, name, torch.from_numpy(array).to(device))
        self.config.num_genes = len(memory)
        self.config.num_postings = [len(index.kmers.postings) for index in memory.indices]
        self.config.num_text_tokens = len(memory.texts)

    def forward(
        self,
        token_ids: Tensor,
        similarities: Tensor,
        length: Tensor,
        is_protein: Tensor,
        embed: nn.Module,
    ) -> Tensor:
        """Return (batch, 1 + relatives * text tokens, hidden_size).

        ``token_ids`` (batch, relatives, text tokens), ``NONE`` where there is no token;
        ``similarities`` (batch, relatives, features), those of ``Relatives``; ``length`` (batch,)
        letters of the gene; ``is_protein`` (batch,) 0 or 1. ``embed`` is the language model's token
        embedding: what is copied from a text must look as what was just written.

        A token's vector holds the one before it as well (``opening`` before the first), turned
        into directions of its own by ``previous``: attention then finds in one layer how a text
        went on after the token that was just written, for which it otherwise needs two (Olsson
        et al. 2022, arXiv 2209.11895).
        """
        alike = self._scaled(similarities)  # (B, K, F)
        written = embed(token_ids.clamp(min=0))  # (B, K, T, D)
        opening = self.opening.expand(*written.shape[:2], 1, -1)  # (B, K, 1, D)
        before = torch.cat([opening, written[:, :, :-1]], dim=2)  # (B, K, T, D)
        tokens = written + self.previous(before)  # (B, K, T, D)
        tokens = tokens + self.rank_embedding.weight.unsqueeze(1) + self.place_embedding.weight
        tokens = tokens + self.likeness(alike).unsqueeze(2)  # (B, K, T, D)
        known = (token_ids != NONE).unsqueeze(-1)  # (B, K, T, 1)
        texts = torch.where(known, tokens, self.nothing)  # (B, K, T, D)
        # Centred and scaled so that typical genes (100 to 1,000 letters) lie within -1..1.
        size = (length.clamp(min=1).log() / 2 - 3).to(alike.dtype).unsqueeze(1)  # (B, 1)
        evidence = torch.cat([size, alike[:, 0], alike.mean(1)], dim=1)  # (B, 2 F + 1)
        gene = self.view_embedding(is_protein) + self.evidence(evidence)  # (B, D)
        return torch.cat([gene.unsqueeze(1), texts.flatten(1, 2)], dim=1)  # (B, 1 + K T, D)

    @torch.no_grad()
    def start_copying(self, language_model: Any, opening_id: int) -> None:
        """Let a new Llama-style language model copy from the texts, before any training.

        Found by gradient descent alone, copying needs thousands of steps on small batches (on two
        cores, an hour without any), because two matrices must first agree about thousands of
        tokens. Beginning with one attention head that already does it is a mimetic initialisation
        (Trockman and Kolter 2023, arXiv 2305.09828); training remains free to undo it.

        Token embeddings become nearly orthogonal unit vectors, and the output layer their copy. The
        first head of the first layer looks for the vector whose previous token is the one just
        written and passes on the token that it holds. ``opening_id`` is the last token of the
        prompt, after which an answer begins.
        """
        config, embedding = language_model.config, language_model.get_input_embeddings()
        size, head = config.hidden_size, config.hidden_size // config.num_attention_heads
        nn.init.normal_(embedding.weight, std=size**-0.5)
        language_model.get_output_embeddings().weight.copy_(embedding.weight)
        self.opening.copy_(embedding.weight[opening_id])
        seen = torch.linalg.qr(torch.randn(size, head))[0].T  # (head, D)
        passed = torch.linalg.qr(torch.randn(size, head))[0].T  # (head, D)
        attention = language_model.model.layers[0].self_attn
        attention.q_proj.weight[:head] = COPYING_GAIN * seen
        attention.k_proj.weight[:head] = COPYING_GAIN * seen @ self.previous.weight.T
        attention.v_proj.weight[:head] = passed
        attention.o_proj.weight[:, :head] = passed.T

    def _scaled(self, similarities: Tensor) -> Tensor:
        """Spread out small similarities: chance is at 0.01, a far relative at 0.05, itself at 1."""
        scaled = similarities.sign() * (100 * similarities.abs()).log1p() / 4
        return scaled.to(self.nothing.dtype)


class RelativesReader(SequenceReader):
    """Looks genes up: residues where the view is the CDS, nucleotides otherwise.

    Of a gene, ``token_ids`` (1, relatives, text tokens) are the texts of its relatives,
    ``similarities`` (1, relatives, features) how they are alike, ``length`` (1,) its letters and
    ``is_protein`` (1,) what they are.
    """

    def load(self, _folder: Path, encoder: Any) -> None:
        """Take the genes that the encoder stores; where only shapes are loaded, there are none."""
        self.memory = None if encoder.device.type == "meta" else encoder.memory()

    def read(self, record: SequenceRecord, left_out: NDArray[np.integer] | None = None) -> Reading:
        """Look a gene up. Letters that are no nucleotides are in no k-mer: none are refused."""
        memory, relatives = self._relatives(record, left_out)
        token_ids = memory.text_tokens(relatives.genes, self.config.encoder_config.text_tokens)
        inputs = {
            "token_ids": torch.from_numpy(token_ids).long(),
            "similarities": torch.from_numpy(relatives.features),
            "length": torch.from_numpy(relatives.lengths).long(),
            "is_protein": torch.from_numpy(relatives.is_protein).long(),
        }
        return Reading(inputs, self.config.encoder_config.num_slots)

    def encode(self, model: Any, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the vectors of a batch of genes; their texts are the language model's words."""
        return super().encode(model, {**inputs, "embed": model.get_input_embeddings()})

    def evidence(self, record: SequenceRecord) -> list[tuple[list[int], float]]:
        """Return the whole texts of a gene's relatives, the most similar first."""
        memory, relatives = self._relatives(record)
        pairs = zip(relatives.genes[0].tolist(), relatives.similarity[0].tolist(), strict=True)
        return [(memory.text(gene), similarity) for gene, similarity in pairs if gene != NONE]

    @property
    def stored(self) -> Stored:
        """The stored genes, and the bytes that they take, in memory and in the weights' file."""
        config = self.config.encoder_config
        shapes = array_shapes(config.num_genes, config.num_postings, config.num_text_tokens)
        sizes = (length * np.dtype(dtype).itemsize for length, dtype in shapes.values())
        return Stored(config.num_genes, sum(sizes))

    def remember(
        self, encoder: Any, tokenizer: Any, records: Sequence[SequenceRecord], texts: Sequence[str]
    ) -> range:
        """Store genes with their texts beside those that there are; return their numbers.

        Encoder and reader share the new memory, which is saved with the weights. Texts are stored
        with the end token of ``tokenizer``, the language model's, so that where to end can be
        copied too.
        """
        before = encoder.memory() if self.memory is None else self.memory
        ids = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        self.memory = before.extend(
            [record.sequence for record in records],
            [record.view == View.CDS for record in records],
            [[*text, tokenizer.eos_token_id] for text in ids],
        )
        encoder.store(self.memory)
        return range(len(before), len(self.memory))

    def _relatives(
        self, record: SequenceRecord, left_out: NDArray[np.integer] | None = None
    ) -> tuple[GeneMemory, Relatives]:
        assert self.memory is not None, "load comes before read"
        relatives = self.memory.relatives(
            [record.sequence],
            [record.view == View.CDS],
            self.config.encoder_config.num_relatives,
            None if left_out is None else [left_out],
        )
        return self.memory, relatives
