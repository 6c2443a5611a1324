"""Sequence tokenizers: from the letters of a gene to the token ids of its encoder.

``bpe`` is DNABERT-2's, ``nucleotide`` RNA-FM's and ``six-mer`` Nucleotide Transformer's; the
files that the first and the last need lie in the model folder. Letters may be of either case and
either of T and U. IUPAC's ambiguity codes that a vocabulary lacks become its unknown token, as in
the published tokenizers; anything else is refused.
"""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokenizers import Tokenizer

from genescribe.errors import CheckpointError, InputError
from genescribe.nucleotides import IUPAC_DNA
from genescribe.records import SequenceRecord

IUPAC = frozenset(IUPAC_DNA + "U")

RNA_FM_TOKENS = (
    "<cls>", "<pad>", "<eos>", "<unk>", *"ACGURYKMSWBDHVN-",
    "<null_1>", "<null_2>", "<null_3>", "<null_4>", "<mask>",
)  # fmt: skip
"""RNA-FM's vocabulary in the order of its ids (Chen et al. 2022; repository ml4bio/RNA-FM)."""


def check_nucleotides(sequence: str) -> None:
    """Raise InputError for a sequence without letters, or with one that is no nucleotide code."""
    if not sequence:
        raise InputError("the sequence is empty; leave the gene out")
    letters = sequence.upper()
    if not IUPAC.issuperset(letters):
        at, letter = next((i, x) for i, x in enumerate(letters, 1) if x not in IUPAC)
        raise InputError(
            f"{letter!r} at position {at:,} of {len(letters):,} is no nucleotide code; "
            "give DNA or RNA in IUPAC letters"
        )


@contextlib.contextmanager
def naming(record: SequenceRecord) -> Iterator[None]:
    """Let an InputError about a sequence begin with the gene that it is of."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{record.gene_id}: {error}") from error


def check_gene(record: SequenceRecord) -> None:
    """Raise InputError, naming the gene, for what ``check_nucleotides`` refuses."""
    with naming(record):
        check_nucleotides(record.sequence)


class SequenceTokenizer(ABC):
    """Letters in, token ids out, with the special tokens that frame a chunk."""

    pad_token_id: int
    special_ids: frozenset[int]
    """Ids of the tokens that stand for no letter; the unknown token is none of them."""

    def __init__(self, max_tokens: int | None) -> None:
        self.max_tokens = max_tokens

    def encode(self, sequence: str) -> list[int]:
        """Return the token ids of a sequence, special ones included.

        Raises InputError for what ``check_nucleotides`` refuses, and where the encoder has
        positions for fewer tokens than the sequence gives.
        """
        check_nucleotides(sequence)
        letters = sequence.upper()
        ids = self._encode(letters)
        if self.max_tokens is not None and len(ids) > self.max_tokens:
            raise InputError(
                f"{len(letters):,} nt are {len(ids):,} tokens, but the encoder has positions for "
                f"{self.max_tokens:,}, special tokens included; give a shorter stretch"
            )
        return ids

    @abstractmethod
    def _encode(self, letters: str) -> list[int]:
        """Return the token ids of upper-case IUPAC letters."""


class BytePairTokenizer(SequenceTokenizer):
    """DNABERT-2's byte pairs, as its ``tokenizer.json`` has them; [CLS] and [SEP] around."""

    def __init__(self, path: Path, max_tokens: int | None) -> None:
        super().__init__(max_tokens)
        _check_present(path)
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise CheckpointError(
                f"{path}: not a tokenizer.json ({error}); convert the checkpoint again"
            ) from error
        # A published file may carry the settings of the run that saved it.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        vocabulary = self._tokenizer.get_vocab()
        self.pad_token_id, _ = _ids(path, vocabulary, "[PAD]", "[UNK]")
        self.special_ids = frozenset(_ids(path, vocabulary, "[CLS]", "[SEP]", "[PAD]", "[MASK]"))

    def _encode(self, letters: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(letters.replace("U", "T")).ids
        return ids


class VocabularyTokenizer(SequenceTokenizer):
    """Splits by a pattern and looks each piece up; what is not there is the unknown token.

    That of RNA writes U for T, and the end token behind a sequence.
    """

    def __init__(
        self, vocabulary: Mapping[str, int], pattern: str, max_tokens: int | None, *, is_rna: bool
    ) -> None:
        super().__init__(max_tokens)
        self._vocabulary = vocabulary
        self._pieces = re.compile(pattern)
        self._other, self._own = ("T", "U") if is_rna else ("U", "T")
        self._end = [vocabulary["<eos>"]] if is_rna else []
        self.pad_token_id = vocabulary["<pad>"]
        self.special_ids = frozenset(
            i for token, i in vocabulary.items() if token.startswith("<") and token != "<unk>"
        )

    def _encode(self, letters: str) -> list[int]:
        pieces = self._pieces.findall(letters.replace(self._other, self._own))
        unknown = self._vocabulary["<unk>"]
        ids = [self._vocabulary.get(piece, unknown) for piece in pieces]
        return [self._vocabulary["<cls>"], *ids, *self._end]


def sequence_tokenizer(kind: str, folder: Path, max_tokens: int | None = None) -> SequenceTokenizer:
    """Return the tokenizer that ``kind`` names: bpe, nucleotide or six-mer.

    ``folder`` holds its files (``tokenizer.json`` for bpe, ``vocab.txt`` for six-mer, none for
    nucleotide); ``max_tokens`` is what the encoder has positions for, None if any number.
    Raises CheckpointError for a file that is missing or lacks a token, ValueError for a kind that
    does not exist.
    """
    if kind == "bpe":
        return BytePairTokenizer(folder / "tokenizer.json", max_tokens)
    if kind == "nucleotide":
        vocabulary = {token: i for i, token in enumerate(RNA_FM_TOKENS)}
        return VocabularyTokenizer(vocabulary, ".", max_tokens, is_rna=True)
    if kind == "six-mer":
        # Six letters at a time; one at a time where an N comes sooner and at the end.
        vocabulary = _read_vocabulary(folder / "vocab.txt")
        return VocabularyTokenizer(vocabulary, "[ACGT]{6}|.", max_tokens, is_rna=False)
    raise ValueError(f"sequence_tokenizer {kind!r} is unknown; choose bpe, nucleotide or six-mer")


def _read_vocabulary(path: Path) -> dict[str, int]:
    """Read a vocabulary of one token per line, the first of id 0."""
    _check_present(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    vocabulary = {token.strip(): i for i, token in enumerate(lines)}
    _ids(path, vocabulary, "<unk>", "<pad>", "<cls>", "ACGTAC", *"ACGT")
    return vocabulary


def _ids(path: Path, vocabulary: Mapping[str, int], *tokens: str) -> list[int]:
    """Return the ids of tokens that the file must have."""
    for token in tokens:
        if token not in vocabulary:
            raise CheckpointError(f"{path}: has no token {token!r}; convert the checkpoint again")
    return [vocabulary[token] for token in tokens]


def _check_present(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(
            f"{path}: missing, but the sequence tokenizer needs it; convert the checkpoint again"
        )
