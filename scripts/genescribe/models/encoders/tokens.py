"""What token encoders share: a gene in chunks, chunks as tokens, and pooling of their vectors.

RNA-FM and the first Nucleotide Transformer are transformers' ESM and have no file of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedConfig

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders.reader import Reading, SequenceReader
from genescribe.models.sequence_tokenizers import (
    SequenceTokenizer,
    check_gene,
    naming,
    sequence_tokenizer,
)
from genescribe.records import SequenceRecord

NT_PER_TOKEN = {"nucleotide": 1, "six-mer": 6, "bpe": 5}
"""Nucleotides that a token of each kind of sequence tokenizer stands for.

Five for byte pairs is DNABERT-2's average (Zhou et al. 2024, arXiv 2306.15006).
"""

ENCODER_TOKENS = 1 << 14
"""Tokens that the encoder reads at once: enough to keep a GPU busy, and few beside the language
model's share of its memory."""

ENCODER_TOKENS_CPU = 1 << 11
"""The same on a CPU, which wants its caches to hold them: a quarter faster than with 2^14."""

PADDING = 1.125
"""A bucket's longest member over its shortest, at most: bounds what padding can cost."""


class TokenReader(SequenceReader):
    """Cuts genes into chunks and these into tokens; pools the vectors of the tokens.

    Of a gene, ``tokens`` (tokens,) are those of its chunks, one after the other, without padding;
    ``kept`` (tokens,) is True where pooling may use the token; ``chunk_lengths`` (chunks,) are the
    tokens of each chunk, and ``num_chunks`` (1,) how many there are.
    """

    files = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")

    def __init__(self, config: SequenceChatConfig) -> None:
        super().__init__(config)
        if config.pooling is None or config.sequence_tokenizer is None:
            raise ValueError(
                f"encoder_config is a {config.encoder_config.model_type}, which reads tokens; say "
                "sequence_tokenizer and pooling"
            )
        self.tokenizer: SequenceTokenizer | None = None

    def load(self, folder: Path, _encoder: Any) -> None:
        """Read the tokenizer's files; raises as ``sequence_tokenizer`` does."""
        config = self.config
        limit = max_tokens(config.encoder_config)
        self.tokenizer = sequence_tokenizer(str(config.sequence_tokenizer), folder, limit)

    def check(self, record: SequenceRecord) -> None:
        """Raise InputError, naming the gene, for letters that are no nucleotides."""
        check_gene(record)

    def read(self, record: SequenceRecord, _left_out: NDArray[np.integer] | None = None) -> Reading:
        """Tokenise a gene.

        Raises InputError for letters that are no nucleotides, and for a chunk that is too long for
        the encoder.
        """
        config, tokenizer = self.config, self.tokenizer
        assert tokenizer is not None, "load comes before read"
        special = frozenset[int]() if config.pool_special_tokens else tokenizer.special_ids
        check_gene(record)
        pieces = chunks(record.sequence, config.chunk_length, config.chunk_overlap)
        with naming(record):
            encoded = [tokenizer.encode(piece) for piece in pieces]
        tokens = torch.tensor([token for ids in encoded for token in ids])  # (tokens,)
        kept = torch.isin(tokens, torch.tensor(sorted(special)), invert=True)  # (tokens,)
        inputs = {
            "tokens": tokens,
            "kept": kept,
            "chunk_lengths": torch.tensor([len(ids) for ids in encoded]),
            "num_chunks": torch.tensor([len(encoded)]),
        }
        return Reading(inputs, int(kept.sum()) if config.pooling == "none" else len(encoded))

    def encode(self, model: Any, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the pooled vectors of a batch of genes, (total, hidden_size), and their counts.

        Chunks are encoded with others of about their length, whatever genes they are of, so that
        hardly any padding is read.
        """
        tokens, chunk_lengths = inputs["tokens"], inputs["chunk_lengths"]
        lengths = chunk_lengths.tolist()
        of_chunks, kept_of_chunks = tokens.split(lengths), inputs["kept"].split(lengths)
        pad = self.config.encoder_config.pad_token_id or 0
        vectors: list[Tensor] = [tokens] * len(lengths)
        budget = ENCODER_TOKENS if tokens.is_cuda else ENCODER_TOKENS_CPU
        for bucket in length_buckets(lengths, budget):
            ids = pad_sequence([of_chunks[i] for i in bucket], True, pad)  # (C, T)
            sizes = chunk_lengths[bucket]  # (C,)
            real = torch.arange(ids.shape[1], device=ids.device) < sizes.unsqueeze(1)  # (C, T)
            used = pad_sequence([kept_of_chunks[i] for i in bucket], True)  # (C, T)
            hidden = model.encoder(
                input_ids=ids, attention_mask=real.long()
            ).last_hidden_state  # (C, T, D)
            pooled, counts = model.pooling(hidden, used)  # (vectors of the bucket, D), (C,)
            for i, part in zip(bucket, pooled.split(counts.tolist()), strict=True):
                vectors[i] = part
        per_chunk = torch.tensor([len(part) for part in vectors])  # (chunks,)
        per_gene = [int(part.sum()) for part in per_chunk.split(inputs["num_chunks"].tolist())]
        return torch.cat(vectors), torch.tensor(per_gene, device=tokens.device)

    def expected_vectors(self, length: int) -> int:
        """Return how many vectors become of a gene: exact but where each token gives one."""
        config = self.config
        if config.pooling == "none":
            return math.ceil(length / NT_PER_TOKEN[str(config.sequence_tokenizer)])
        return math.ceil(length / (config.chunk_length or length))

    @property
    def working_numbers(self) -> int:
        """4 D + 2 F for each of ``ENCODER_TOKENS`` (F twice, it may be gated), and one per head and
        token of its chunk for the scores."""
        encoder = self.config.encoder_config
        chunk = getattr(encoder, "max_position_embeddings", None) or self.config.chunk_length or 512
        per_token = 4 * encoder.hidden_size + 2 * encoder.intermediate_size
        return int(ENCODER_TOKENS * (per_token + encoder.num_attention_heads * chunk))

    @property
    def head_parameters(self) -> int:
        """Those of the masked language model: a square layer, a layer norm and a bias per token.

        Devlin et al. 2019, the decoder tied: with it DNABERT-2 has 117.07 M parameters (116.48 M
        without) and RNA-FM 99.52 M (99.11 M).
        """
        encoder = self.config.encoder_config
        size = int(encoder.hidden_size)
        return size * size + 3 * size + int(encoder.vocab_size)


def max_tokens(config: PreTrainedConfig) -> int | None:
    """Return how many tokens, special ones included, an encoder has positions for; None: any.

    ESM numbers its learned positions from ``pad_token_id`` + 1: 1,024 remain of RNA-FM's 1,026.
    """
    if getattr(config, "position_embedding_type", None) != "absolute":
        return None
    return int(config.max_position_embeddings) - int(config.pad_token_id) - 1


def chunks(sequence: str, length: int | None, overlap: int = 0) -> list[str]:
    """Cut a sequence as GeneChat does: a chunk begins every ``length`` nt, none is empty.

    All but the first also take in the ``overlap`` nt before them, so they are up to ``length +
    overlap`` nt long. Without ``length`` the sequence stays in one piece.
    """
    if length is None:
        return [sequence]
    starts = range(0, len(sequence), length)
    return [sequence[max(0, start - overlap) : start + length] for start in starts]


def length_buckets(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the positions of ``lengths`` in groups to be padded and computed together.

    From short to long; a bucket has at most ``budget`` tokens with its padding (or one member),
    and no member is much shorter than another.
    """
    bucket: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        length = lengths[position]
        if bucket and (
            length * (len(bucket) + 1) > budget or length > PADDING * lengths[bucket[0]]
        ):
            yield bucket
            bucket = []
        bucket.append(position)
    if bucket:
        yield bucket


class NoPooling(nn.Module):
    """Every kept token is a vector of its own (RNA-GPT)."""

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the kept vectors (total, dim) and how many each chunk has (chunks,)."""
        kept = mask.bool()  # (C, T)
        return hidden[kept], kept.sum(1)


class MeanPooling(nn.Module):
    """One vector per chunk: the mean over its kept tokens (GeneChat)."""

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means (chunks, dim) and a one for each chunk."""
        kept = mask.to(hidden.dtype).unsqueeze(1)  # (C, 1, T)
        pooled = (kept @ hidden / kept.sum(2, keepdim=True)).squeeze(1)  # (C, D)
        return pooled, torch.ones_like(mask[:, 0], dtype=torch.long)


class AttentionPooling(nn.Module):
    """One vector per chunk: its kept tokens weighted by softmax(token . query / sqrt(dim)).

    The query is learned: one head of scaled dot-product attention (Vaswani et al. 2017, eq. 1)
    whose keys and values are the encoder's vectors themselves.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(size))
        nn.init.normal_(self.query, std=0.02)

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted sums (chunks, dim) and a one for each chunk."""
        scores = hidden @ self.query / math.sqrt(hidden.shape[-1])  # (C, T)
        weights = scores.masked_fill(~mask.bool(), -torch.inf).softmax(1).unsqueeze(1)  # (C, 1, T)
        pooled = (weights @ hidden).squeeze(1)  # (C, D)
        return pooled, torch.ones_like(mask[:, 0], dtype=torch.long)


def build_pooling(kind: str, size: int) -> nn.Module:
    """Return a pooling of vectors of ``size``; ``kind`` is none, chunk-mean or attention.

    It is called with ``hidden`` (chunks, tokens, dim) and ``mask`` (chunks, tokens), which is
    nonzero at the tokens to keep, at least one per chunk, and returns the vectors of all chunks one
    after the other, (total, dim), and how many each chunk gave, (chunks,).
    """
    if kind == "none":
        return NoPooling()
    if kind == "chunk-mean":
        return MeanPooling()
    if kind == "attention":
        return AttentionPooling(size)
    raise ValueError(f"pooling {kind!r} is unknown; choose none, chunk-mean or attention")
