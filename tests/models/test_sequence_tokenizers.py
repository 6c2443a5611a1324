"""Sequence tokenizers: the published vocabularies and splits, and what they refuse."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genescribe.errors import CheckpointError, InputError
from genescribe.models.sequence_tokenizers import (
    IUPAC,
    RNA_FM_TOKENS,
    SequenceTokenizer,
    sequence_tokenizer,
)
from support.published_layouts import dnabert2_tokenizer

SIX_MERS = ["".join(letters) for letters in itertools.product("ATCG", repeat=6)]
V2_VOCABULARY = ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", "<bos>", *SIX_MERS, *"ATCGN"]
"""Nucleotide Transformer v2's 4,107 tokens (its HF tokenizer: special ones first)."""


@pytest.fixture(scope="module")
def bpe(tmp_path_factory: pytest.TempPathFactory) -> SequenceTokenizer:
    return sequence_tokenizer("bpe", dnabert2_tokenizer(tmp_path_factory.mktemp("bpe")))


@pytest.fixture(scope="module")
def six_mer(tmp_path_factory: pytest.TempPathFactory) -> SequenceTokenizer:
    folder = tmp_path_factory.mktemp("six_mer")
    (folder / "vocab.txt").write_text("\n".join(V2_VOCABULARY) + "\n")
    return sequence_tokenizer("six-mer", folder)


def test_rna_fm_vocabulary() -> None:
    assert len(RNA_FM_TOKENS) == 25
    tokenizer = sequence_tokenizer("nucleotide", Path())
    assert tokenizer.encode("ACGU") == [0, 4, 5, 6, 7, 2]
    assert tokenizer.encode("acgt") == [0, 4, 5, 6, 7, 2]
    assert tokenizer.encode("RYKMSWBDHVN") == [0, *range(8, 19), 2]
    assert tokenizer.pad_token_id == 1
    assert tokenizer.special_ids == {0, 1, 2, 20, 21, 22, 23, 24}


def test_rna_fm_ends_at_its_last_position(tmp_path: Path) -> None:
    tokenizer = sequence_tokenizer("nucleotide", tmp_path, max_tokens=1024)
    assert len(tokenizer.encode("A" * 1022)) == 1024
    with pytest.raises(
        InputError, match="1,023 nt are 1,025 tokens, but the encoder has positions for 1,024"
    ):
        tokenizer.encode("A" * 1023)


@pytest.mark.parametrize(
    ("sequence", "tokens"),
    [
        ("ATTCCGATTCCG", ["ATTCCG", "ATTCCG"]),
        ("ATTCCGAT", ["ATTCCG", "A", "T"]),
        ("ATTCNATTCCGN", [*"ATTCN", "ATTCCG", "N"]),
        ("NN", ["N", "N"]),
        ("auuccg", ["ATTCCG"]),
        ("ATTCCGR", ["ATTCCG", "<unk>"]),
    ],
)
def test_six_mers(six_mer: SequenceTokenizer, sequence: str, tokens: list[str]) -> None:
    ids = six_mer.encode(sequence)
    assert [V2_VOCABULARY[i] for i in ids] == ["<cls>", *tokens]


@given(st.text("ACGTN", min_size=1, max_size=60))
def test_six_mers_are_those_between_ns(six_mer: SequenceTokenizer, sequence: str) -> None:
    """The published rule: split at N, six letters at a time, the rest of a piece one by one."""
    expected: list[str] = []
    for piece in sequence.replace("N", " N ").split():
        whole = len(piece) // 6 * 6
        expected += [piece[i : i + 6] for i in range(0, whole, 6)] + list(piece[whole:])
    assert [V2_VOCABULARY[i] for i in six_mer.encode(sequence)[1:]] == expected
    assert six_mer.special_ids == {1, 2, 3, 4, 5}
    assert six_mer.pad_token_id == 1


def test_byte_pairs(bpe: SequenceTokenizer) -> None:
    ids = bpe.encode("ACGTACGTTTACG" * 50)
    assert (ids[0], ids[-1]) == (1, 2)
    assert set(ids[1:-1]).isdisjoint(bpe.special_ids)
    assert len(ids) < 650 / 2
    assert bpe.encode("acguacgu") == bpe.encode("ACGTACGT")
    assert bpe.special_ids == {1, 2, 3, 4}
    assert bpe.pad_token_id == 3


def test_byte_pairs_know_no_ambiguity_codes(bpe: SequenceTokenizer) -> None:
    """As published, an N is an unknown token; it is part of the gene, not of its frame."""
    assert bpe.encode("NNN") == [1, 0, 0, 0, 2]
    assert 0 not in bpe.special_ids


def test_settings_of_the_run_that_saved_a_tokenizer_do_not_count(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    path = dnabert2_tokenizer(tmp_path) / "tokenizer.json"
    saved = Tokenizer.from_file(str(path))
    saved.enable_truncation(8)
    saved.enable_padding(length=700)
    saved.save(str(path))
    assert 100 < len(sequence_tokenizer("bpe", tmp_path).encode("ACGTTGCA" * 80)) < 642


@pytest.mark.parametrize("kind", ["bpe", "nucleotide", "six-mer"])
@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ("ACGTX", "'X' at position 5 of 5 is no nucleotide code"),
        ("MKVL*", "'L' at position 4 of 5"),
        ("AC GT", "' ' at position 3 of 5"),
        ("[CLS]", r"'\[' at position 1 of 5"),
        ("", "the sequence is empty"),
    ],
)
def test_letters_that_are_no_nucleotides(
    request: pytest.FixtureRequest, kind: str, sequence: str, message: str
) -> None:
    tokenizer = (
        sequence_tokenizer("nucleotide", Path())
        if kind == "nucleotide"
        else request.getfixturevalue(kind.replace("-", "_"))
    )
    with pytest.raises(InputError, match=message):
        tokenizer.encode(sequence)
    assert len(IUPAC) == 16


def test_files_that_are_missing_or_wrong(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer.json: missing"):
        sequence_tokenizer("bpe", tmp_path)
    with pytest.raises(CheckpointError, match=r"vocab.txt: missing"):
        sequence_tokenizer("six-mer", tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer.json: not a tokenizer.json"):
        sequence_tokenizer("bpe", tmp_path)
    (tmp_path / "vocab.txt").write_text("<unk>\n<pad>\n<cls>\nACGT\n")
    with pytest.raises(CheckpointError, match=r"vocab.txt: has no token 'ACGTAC'"):
        sequence_tokenizer("six-mer", tmp_path)
    with pytest.raises(ValueError, match="'codon' is unknown; choose bpe, nucleotide or six-mer"):
        sequence_tokenizer("codon", tmp_path)
