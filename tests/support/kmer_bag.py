"""An encoder of a kind that genescribe has not: a gene as bags of hashed k-mers.

All that is known of it stands here, and one line registers it: ``tests/models/test_new_encoder.py``
and the toys of training are made of it. A coding sequence is translated in frame and read as
residues, everything else as nucleotides; each k-mer is one row of an embedding table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from genescribe.kmers import REDUCED_GROUPS, RESIDUE_SEEDS, Seed, packed_kmers
from genescribe.models.encoders import register
from genescribe.models.encoders.reader import Reading, SequenceReader
from genescribe.nucleotides import nucleotide_codes, residue_codes
from genescribe.records import SequenceRecord, View

PROTEIN_SEEDS = (
    RESIDUE_SEEDS[0],
    Seed((0, 1, 2, 3, 4, 5), len(REDUCED_GROUPS), reduced=True),
    RESIDUE_SEEDS[1],
)
NUCLEOTIDE_SEEDS = tuple(Seed(tuple(range(k)), 4) for k in (5, 8, 11))


class KmerBagConfig(PreTrainedConfig):
    """Sizes of the encoder.

    Its output has ``windows`` vectors for stretches along the gene and ``global_slots`` for the
    whole of it, each ``hidden_size`` wide.
    """

    model_type = "kmer_bag"

    table_bits: int = 17
    bag_size: int = 64
    windows: int = 6
    global_slots: int = 4
    hidden_size: int = 256
    num_attention_heads: int = 4
    num_hidden_layers: int = 2
    dropout: float = 0.0

    @property
    def num_slots(self) -> int:
        """How many vectors the encoder gives for one gene."""
        return self.windows + self.global_slots


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

    def forward(self, rows: Tensor, counts: Tensor, is_protein: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, slots, hidden_size).

        ``rows`` (total k-mers,) lists the rows of all bags of the batch, one after the
        other; ``counts`` (batch * windows,) how many each has; ``is_protein`` (batch,) 0 or 1;
        ``lengths`` (batch,) letters per gene.
        """
        batch = lengths.shape[0]
        bags = self.table(rows, counts.cumsum(0) - counts)  # (B * windows, bag)
        bags = bags.view(batch, self.config.windows, -1)  # (B, windows, bag)
        counts = counts.view(batch, -1, 1).to(bags.dtype)  # (B, windows, 1)
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


class KmerBagReader(SequenceReader):
    """Hashes the k-mers of a gene: residues where its view is the CDS, nucleotides otherwise.

    ``rows`` (k-mers,) window by window, ``counts`` (windows,) of them, ``is_protein`` and
    ``lengths`` (1,).
    """

    def read(self, record: SequenceRecord, _left_out: NDArray[np.integer] | None = None) -> Reading:
        """Hash the k-mers of a gene; letters that are no nucleotides are in none."""
        config = self.config.encoder_config
        bag = kmer_bag(
            record.sequence,
            is_protein=record.view == View.CDS,
            windows=config.windows,
            table_bits=config.table_bits,
        )
        rows = bag.rows[np.argsort(bag.windows, kind="stable")]
        inputs = {
            "rows": torch.from_numpy(rows).long(),
            "counts": torch.from_numpy(np.bincount(bag.windows, minlength=config.windows)),
            "is_protein": torch.tensor([int(bag.is_protein)]),
            "lengths": torch.tensor([bag.length]),
        }
        return Reading(inputs, config.num_slots)


@dataclass(frozen=True, slots=True)
class KmerBag:
    """The k-mers of one gene: ``rows`` of the table and the ``windows`` they lie in, (n_kmers,).

    ``length`` counts the letters read (residues if ``is_protein``, else nucleotides).
    """

    rows: NDArray[np.int32]
    windows: NDArray[np.int8]
    length: int
    is_protein: bool


def hash_rows(codes: NDArray[np.uint64], seed_index: int, table_bits: int) -> NDArray[np.int32]:
    """Map packed k-mer codes of one seed to rows in [0, 2**table_bits), same shape.

    The finaliser of SplitMix64 (Steele, Lea and Flood 2014) over code + (seed_index + 1) * the
    golden gamma, all in unsigned 64-bit arithmetic modulo 2**64; the top ``table_bits`` are kept.
    """
    gamma = ((seed_index + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = codes + np.uint64(gamma)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(64 - table_bits)).astype(np.int32)


def kmer_bag(sequence: str, *, is_protein: bool, windows: int, table_bits: int) -> KmerBag:
    """Hash all k-mers of a sequence (upper case DNA, in frame if ``is_protein``).

    ``windows`` equal stretches along the gene tell where each k-mer starts. A sequence too short
    or too ambiguous for any k-mer gives an empty bag.
    """
    letters = residue_codes(sequence) if is_protein else nucleotide_codes(sequence)
    seeds = PROTEIN_SEEDS if is_protein else NUCLEOTIDE_SEEDS
    first_index = 0 if is_protein else len(PROTEIN_SEEDS)
    rows, places = [], []
    for index, seed in enumerate(seeds, start=first_index):
        codes, starts = packed_kmers(letters, seed)
        rows.append(hash_rows(codes, index, table_bits))
        places.append((starts * windows // max(1, len(letters))).astype(np.int8))
    return KmerBag(np.concatenate(rows), np.concatenate(places), len(letters), is_protein)


register(KmerBagConfig, KmerBagEncoder, KmerBagReader)
