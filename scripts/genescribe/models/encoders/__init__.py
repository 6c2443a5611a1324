"""Sequence encoders: from the inputs of a batch of genes to vectors.

Importing this package registers all of them with transformers' ``AutoConfig`` and ``AutoModel``.
A *token encoder* (DNABERT-2, ESM, Nucleotide Transformer) is called as those of transformers,
``encoder(input_ids, attention_mask).last_hidden_state``, each (chunks, tokens[, dim]); the k-mer
bag gives the vectors of a gene itself, (batch, slots, dim).
"""

from __future__ import annotations

from genescribe.models.encoders.kmer_bag import KmerBagEncoder

__all__ = ["KmerBagEncoder"]
