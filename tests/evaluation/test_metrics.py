"""Metrics against the libraries that define them, on texts of every length, empty ones included."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from nltk.translate.bleu_score import corpus_bleu
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

from genescribe.errors import InputError
from genescribe.evaluation import wordnet
from genescribe.evaluation.figures import Figure
from genescribe.evaluation.intervals import interval, resampled, summary
from genescribe.evaluation.metrics import Measure, bleu_counts, mean_of, score, subset
from genescribe.evaluation.semantic import (
    CharacterEncoder,
    TransformersEncoder,
    greedy_match,
    similarity,
)
from genescribe.evaluation.wordnet import NoSynonyms, find_synonyms

TEXT = "putative Protein kinase of the ABC transporter ATP-binding subunit (EC 2.7.1.1); yeast"
WORDS = TEXT.split()
NONE = NoSynonyms()


def texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randrange(0, 12))) for _ in range(count)]


REFERENCES = [[text or "a gene"] for text in texts(60, 1)]
FOUND = texts(40, 2) + [f"{given[0]} family" for given in REFERENCES[40:]]


def per_gene(measure: Measure) -> list[float]:
    return [measure.over(slice(i, i + 1)) for i in range(len(measure.values))]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_sentence_bleu_is_sacrebleus(order: int) -> None:
    judge = BLEU(
        effective_order=True, smooth_method="none", tokenize="none", lowercase=True,
        max_ngram_order=order,
    )  # fmt: skip
    ours = per_gene(score(REFERENCES, FOUND, NONE)[f"bleu_{order}"])
    expected = [
        judge.sentence_score(text, given).score / 100
        for given, text in zip(REFERENCES, FOUND, strict=True)
    ]
    assert ours == pytest.approx(expected, abs=1e-9)
    assert max(ours) > 0.1


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_corpus_bleu_is_that_of_both_libraries(order: int) -> None:
    ours = score(REFERENCES, FOUND, NONE)[f"corpus_bleu_{order}"].over()
    judge = BLEU(smooth_method="none", tokenize="none", lowercase=True, max_ngram_order=order)
    assert ours == pytest.approx(
        judge.corpus_score(FOUND, [[given[0] for given in REFERENCES]]).score / 100
    )
    # NLTK counts an n-gram in a text that is too short for one
    long = [i for i, text in enumerate(FOUND) if len(text.split()) >= order]
    ours = score([REFERENCES[i] for i in long], [FOUND[i] for i in long], NONE)
    theirs = corpus_bleu(
        [[REFERENCES[i][0].lower().split()] for i in long],
        [FOUND[i].lower().split() for i in long],
        (1 / order,) * order,
    )
    assert ours[f"corpus_bleu_{order}"].over() == pytest.approx(theirs)


def test_bleu_takes_the_closest_of_several_references() -> None:
    judge = BLEU(effective_order=True, smooth_method="none", tokenize="none", lowercase=True)
    given, text = ["protein kinase of yeast and more", "a kinase"], "protein kinase"
    ours = score([given], [text], NONE)["bleu_4"].over()
    assert ours == pytest.approx(judge.sentence_score(text, given).score / 100)
    assert bleu_counts([["a", "b", "c"], ["a"]], ["a", "b"])[-1] == 1  # nearest, then shortest


def test_short_texts_that_are_right_score_1() -> None:
    found = score([["Protein kinase"]], ["protein  kinase"], NONE)
    for name in ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_1", "rouge_2", "rouge_l", "exact"):
        assert found[name].over() == pytest.approx(1), name
    assert found["corpus_bleu_4"].over() == 0  # there is no 4-gram


def test_rouge_is_that_of_rouge_score() -> None:
    judge = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    ours = score(REFERENCES, FOUND, NONE)
    for name, theirs in {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}.items():
        expected = [
            judge.score(given[0], text)[theirs].fmeasure
            for given, text in zip(REFERENCES, FOUND, strict=True)
        ]
        assert per_gene(ours[name]) == pytest.approx(expected)


def test_meteor_without_wordnet_is_nltks() -> None:
    expected = [
        single_meteor_score(given[0].split(), text.split(), wordnet=NONE)
        for given, text in zip(REFERENCES, FOUND, strict=True)
    ]
    assert per_gene(score(REFERENCES, FOUND, NONE)["meteor"]) == pytest.approx(expected)


def test_an_empty_text_scores_0_and_counts() -> None:
    found = score([["protein kinase"], ["protein kinase"]], ["", "protein kinase"], NONE)
    found |= similarity([["protein kinase"]] * 2, ["", "protein kinase"], CharacterEncoder())
    for name, measure in found.items():
        if not name.startswith(("corpus", "meteor")):
            assert measure.over() == pytest.approx(0.5), name
            assert per_gene(measure)[0] == 0, name


def test_right_is_a_matter_of_rouge_l() -> None:
    # two of four words in order: F is 0.5
    given, text = [["a b c d"]], ["a b x y"]
    assert score(given, text, NONE, correct=0.5)["right"].over() == 1
    assert score(given, text, NONE, correct=0.51)["right"].over() == 0


def test_several_references_count_by_the_best() -> None:
    found = score([["tRNA", "protein kinase"]], ["protein kinase"], NONE)
    assert found["exact"].over() == found["rouge_l"].over() == 1


# ---- METEOR with WordNet


def write_wordnet(folder: Path) -> None:
    """Write a WordNet in the format of wndb(5WN) that knows one synset: {ferment, yeast}.

    Both are their own stems: NLTK looks stems up, so that others are rarely found.
    """
    folder.mkdir()
    line = "00000000 20 n 02 yeast 0 ferment 0 000 | a protein\n"
    (folder / "data.noun").write_text(line)
    entries = [f"{word} n 1 0 1 0 00000000  \n" for word in ("yeast", "ferment")]
    (folder / "index.noun").write_text("".join(entries))
    for name in ("adj", "adv", "verb"):
        (folder / f"data.{name}").write_text("")
        (folder / f"index.{name}").write_text("")
    for name in ("adj", "adv", "noun", "verb"):
        (folder / f"{name}.exc").write_text("")


@pytest.fixture
def no_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK without its corpus, whatever this machine has."""

    def ensure_loaded() -> None:
        raise LookupError

    monkeypatch.setattr(wordnet, "wordnet", SimpleNamespace(ensure_loaded=ensure_loaded))


def test_meteor_knows_synonyms_from_debians_files(
    no_corpus: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wordnet.nltk.data, "path", [])
    write_wordnet(tmp_path / "wordnet")
    synonyms = find_synonyms(tmp_path / "wordnet")
    assert synonyms.source == "Debian wordnet-base"
    given, text = [["a ferment"]], ["one yeast"]
    assert score(given, text, NONE)["meteor"].over() == 0
    assert score(given, text, synonyms)["meteor"].over() > 0.2


def test_without_wordnet_there_are_no_synonyms(no_corpus: None, tmp_path: Path) -> None:
    synonyms = find_synonyms(tmp_path)
    assert synonyms.source == ""
    assert synonyms.synsets("enzyme") == []


# ---- semantic scores


def test_greedy_matching() -> None:
    first = np.eye(3, dtype=np.float32)[:2]  # two tokens
    second = np.eye(3, dtype=np.float32)[1:2]  # the second of them
    precision, recall, f1 = greedy_match(first, second)
    assert (precision, recall) == (0.5, 1.0)
    assert f1 == pytest.approx(2 / 3)
    assert greedy_match(first, second[:0]) == (0, 0, 0)


def test_character_encoder_sees_spelling() -> None:
    methyl, methylase, kinase = CharacterEncoder().encode(["methyltransferase", "methylase", "kin"])
    assert np.linalg.norm(methyl, axis=1) == pytest.approx([1.0])
    assert (methyl @ methylase.T).item() > 0.3 > (methyl @ kinase.T).item()


def test_any_encoder_of_transformers(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "protein": 4, "kinase": 5}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(tmp_path)  # fmt: skip
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=6, intermediate_size=16, **size)).save_pretrained(tmp_path)
    encoder = TransformersEncoder(tmp_path)
    assert encoder.label == f"{tmp_path.name} (last layer)"
    alone, *batch = encoder.encode(["kinase"]) + encoder.encode(
        ["protein kinase kinase", "kinase", ""]
    )
    assert [len(vectors) for vectors in batch] == [3, 1, 0]  # no [CLS], [SEP] or padding
    assert np.allclose(batch[1], alone, atol=1e-6)
    found = similarity([["protein kinase"]], ["protein kinase"], encoder)
    assert found["semantic_f1"].over() == pytest.approx(1, abs=1e-6)


def test_folder_without_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing"):
        TransformersEncoder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded as an encoder"):
        TransformersEncoder(tmp_path)


# ---- intervals


def test_bootstrap_interval_of_a_mean_is_the_one_of_theory() -> None:
    values = np.random.default_rng(3).normal(5, 2, 400)
    low, high = interval(resampled({"m": mean_of(values)}, seed=0)["m"]) or (0, 0)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.06)
    assert high == pytest.approx(values.mean() + half, abs=0.06)


def test_bootstrap_is_seeded_and_paired() -> None:
    measures = {"a": mean_of(np.arange(50.0)), "b": mean_of(np.arange(50.0) + 1)}
    first = resampled(measures, seed=1)
    assert np.array_equal(first["a"], resampled(measures, seed=1)["a"])
    assert not np.array_equal(first["a"], resampled(measures, seed=2)["a"])
    assert first["b"] - first["a"] == pytest.approx(np.ones(1000))


def test_corpus_bleu_is_resampled_as_a_whole() -> None:
    found = score(REFERENCES, [given[0] for given in REFERENCES], NONE)["corpus_bleu_4"]
    assert summary({"bleu": found}, 0)["bleu"] == Figure(1.0, (1.0, 1.0))


def test_values_that_are_missing_do_not_count() -> None:
    assert mean_of([1.0, np.nan, 3.0]).over() == 2
    nothing = summary({"lift": mean_of([np.nan, np.nan])}, 0)["lift"]
    assert nothing == Figure(None, None)


def test_subset() -> None:
    measures = subset({"m": mean_of([1.0, 2.0, 6.0])}, np.array([False, True, True]))
    assert measures["m"].over() == 4
