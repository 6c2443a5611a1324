"""What an encoder gets of the genes of a batch: k-mers, texts of relatives, or tokens of chunks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genescribe.errors import InputError
from genescribe.kmers import KmerBag, kmer_bag
from genescribe.models.chunks import chunks
from genescribe.models.configuration import GeneMemoryConfig, KmerBagConfig, SequenceChatConfig
from genescribe.models.gene_memory import GeneMemory, Relatives
from genescribe.models.sequence_tokenizers import SequenceTokenizer, check_nucleotides
from genescribe.records import SequenceRecord, View


@contextlib.contextmanager
def naming(record: SequenceRecord) -> Iterator[None]:
    """Let an InputError about a sequence begin with the gene that it is of."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{record.gene_id}: {error}") from error


def kmer_bag_of(record: SequenceRecord, config: KmerBagConfig) -> KmerBag:
    """Hash one gene: residues where its view is the CDS, nucleotides otherwise."""
    return kmer_bag(
        record.sequence,
        is_protein=record.view == View.CDS,
        windows=config.windows,
        table_bits=config.table_bits,
    )


def collate_kmer_bags(bags: Sequence[KmerBag], windows: int) -> dict[str, Tensor]:
    """Concatenate the bags of a batch, window by window, into ``KmerBagEncoder``'s inputs."""
    rows, counts = [], []
    for bag in bags:
        rows.append(bag.rows[np.argsort(bag.windows, kind="stable")])
        counts.append(np.bincount(bag.windows, minlength=windows))  # (windows,)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))])  # (B * windows + 1,)
    return {
        "sequence_rows": torch.from_numpy(np.concatenate(rows)).long(),
        "sequence_offsets": torch.from_numpy(offsets).long(),
        "sequence_is_protein": torch.tensor([int(bag.is_protein) for bag in bags]),
        "sequence_lengths": torch.tensor([bag.length for bag in bags]),
    }


def relatives_of(
    records: Sequence[SequenceRecord],
    memory: GeneMemory,
    config: GeneMemoryConfig,
    left_out: Sequence[NDArray[np.integer]] | None = None,
) -> Relatives:
    """Look genes up: residues where the view is the CDS, nucleotides otherwise.

    ``left_out``: for each gene the numbers of the stored ones that must not be found.
    """
    return memory.relatives(
        [record.sequence for record in records],
        [record.view == View.CDS for record in records],
        config.num_relatives,
        left_out,
    )


def collate_relatives(
    relatives: Relatives, memory: GeneMemory, config: GeneMemoryConfig
) -> dict[str, Tensor]:
    """Return ``GeneMemoryEncoder``'s inputs for the genes of a batch."""
    token_ids = memory.text_tokens(relatives.genes, config.text_tokens)  # (B, K, T)
    return {
        "sequence_token_ids": torch.from_numpy(token_ids).long(),
        "sequence_similarities": torch.from_numpy(relatives.features),
        "sequence_length": torch.from_numpy(relatives.lengths).long(),
        "sequence_is_protein": torch.from_numpy(relatives.is_protein).long(),
    }


def token_inputs(
    records: Sequence[SequenceRecord], config: SequenceChatConfig, tokenizer: SequenceTokenizer
) -> tuple[dict[str, Tensor], list[int]]:
    """Return the tokens of all chunks of all genes, one after the other, without any padding.

    ``sequence_tokens`` (total tokens,); ``sequence_kept`` (total tokens,) True where pooling may
    use the token; ``sequence_chunk_lengths`` (chunks,) tokens of each chunk, and
    ``sequence_num_chunks`` (genes,). The second value is the number of vectors that pooling will
    make of each gene. Raises InputError for letters that are no nucleotides, and for a chunk
    that is too long for the encoder.
    """
    tokens: list[int] = []
    lengths: list[int] = []
    num_chunks, num_vectors = [], []
    special = frozenset[int]() if config.pool_special_tokens else tokenizer.special_ids
    for record in records:
        with naming(record):
            check_nucleotides(record.sequence)
            pieces = chunks(record.sequence, config.chunk_length, config.chunk_overlap)
            encoded = [tokenizer.encode(piece) for piece in pieces]
        tokens.extend(token for ids in encoded for token in ids)
        lengths.extend(len(ids) for ids in encoded)
        num_chunks.append(len(encoded))
        kept = sum(token not in special for ids in encoded for token in ids)
        num_vectors.append(kept if config.pooling == "none" else len(encoded))
    flat = torch.tensor(tokens)
    inputs = {
        "sequence_tokens": flat,
        "sequence_kept": torch.isin(flat, torch.tensor(sorted(special)), invert=True),
        "sequence_chunk_lengths": torch.tensor(lengths),
        "sequence_num_chunks": torch.tensor(num_chunks),
    }
    return inputs, num_vectors
