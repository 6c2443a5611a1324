"""The gene-memory encoder: the texts of a gene's relatives, as vectors for the language model.

The k-mers of a gene look up its relatives among stored genes (``genescribe.models.gene_memory``);
each token of their texts becomes one vector, which tells also what token stands before it, of
which relative it is and how much that resembles the gene. The language model reads, weighs and
rewrites them: retrieval-augmented generation (Lewis et al. 2020, arXiv 2005.11401) from a memory
that is part of the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from genescribe.models.configuration import GeneMemoryConfig
from genescribe.models.gene_memory import NONE, NUM_FEATURES, GeneMemory, array_shapes

INITIAL_SPREAD = 0.02
"""Standard deviation of new vectors, as of Llama's token embeddings, which they are added to."""


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
        self.likeness = _mlp(NUM_FEATURES, config.feature_size, size)
        self.evidence = _mlp(2 * NUM_FEATURES + 1, config.feature_size, size)
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
        self.config.num_postings = [len(index.postings) for index in memory.indices]
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

    def _scaled(self, similarities: Tensor) -> Tensor:
        """Spread out small similarities: chance is at 0.01, a far relative at 0.05, itself at 1."""
        scaled = similarities.sign() * (100 * similarities.abs()).log1p() / 4
        return scaled.to(self.nothing.dtype)


def _mlp(in_size: int, hidden_size: int, out_size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(in_size, hidden_size), nn.GELU(), nn.Linear(hidden_size, out_size)
    )


AutoModel.register(GeneMemoryConfig, GeneMemoryEncoder)
