"""The k-mer bag encoder: from table rows to a few vectors per gene.

Other encoders join through ``AutoModel.register``; the contract with ``SequenceChatModel`` is
``forward(**inputs) -> (batch, slots, hidden_size)``, where the inputs are those of the
processor whose names begin with ``sequence_``, without that prefix.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from genescribe.models.configuration import KmerBagConfig


class KmerBagEncoder(PreTrainedModel):
    """Sum table rows per window of the gene, then let windows and whole gene attend."""

    config_class = KmerBagConfig
    main_input_name = "rows"

    def __init__(self, config: KmerBagConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.table = nn.EmbeddingBag(2**config.table_bits, config.bag_size, mode="sum")
        self.window_projection = nn.Linear(config.bag_size, size)
        self.global_projection = nn.Linear(config.bag_size, size * config.global_slots)
        self.slot_embedding = nn.Embedding(config.num_slots, size)
        self.view_embedding = nn.Embedding(2, size)
        self.length_projection = nn.Linear(1, size)
        layer = nn.TransformerEncoderLayer(
            size,
            config.num_attention_heads,
            dim_feedforward=2 * size,
            dropout=config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.mixer = nn.TransformerEncoder(
            layer, config.num_hidden_layers, norm=nn.LayerNorm(size), enable_nested_tensor=False
        )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        # The table's rows are summed over hundreds of k-mers, so they start small.
        if isinstance(module, nn.EmbeddingBag):
            nn.init.normal_(module.weight, std=0.1)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, rows: Tensor, offsets: Tensor, is_protein: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, slots, hidden_size).

        ``rows`` (total k-mers,) lists the rows of all bags of the batch, one after the
        other; ``offsets`` (batch * windows + 1,) where each begins, ending with the total;
        ``is_protein`` (batch,) 0 or 1; ``lengths`` (batch,) letters per gene.
        """
        batch = lengths.shape[0]
        bags = self.table(rows, offsets[:-1])  # (B * windows, bag)
        bags = bags.view(batch, self.config.windows, -1)  # (B, windows, bag)
        counts = offsets.diff().view(batch, -1, 1).to(bags.dtype)  # (B, windows, 1)
        # Sums of n independent rows grow with sqrt(n): dividing keeps short and long genes alike.
        local = self.window_projection(bags / counts.clamp(min=1).sqrt())  # (B, windows, D)
        whole = bags.sum(1) / counts.sum(1).clamp(min=1).sqrt()  # (B, bag)
        whole = self.global_projection(whole).view(batch, self.config.global_slots, -1)
        slots = torch.cat([whole, local], dim=1)  # (B, slots, D)
        # Centred and scaled so that typical genes (100 to 1,000 letters) lie within -1..1.
        size = (lengths.clamp(min=1).log() / 2 - 3).to(bags.dtype).unsqueeze(1)  # (B, 1)
        gene = self.view_embedding(is_protein) + self.length_projection(size)  # (B, D)
        slots = slots + self.slot_embedding.weight + gene.unsqueeze(1)
        mixed: Tensor = self.mixer(slots)  # (B, slots, D)
        return mixed


AutoModel.register(KmerBagConfig, KmerBagEncoder)
