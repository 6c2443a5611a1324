"""The published models' ways to score, against the libraries that their code calls."""

from __future__ import annotations

import warnings

import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from genescribe.errors import InputError
from genescribe.evaluation.protocols import protocol, set_rouge
from genescribe.evaluation.semantic import CharacterEncoder
from genescribe.evaluation.settings import PROTOCOLS
from genescribe.evaluation.wordnet import NoSynonyms

REFERENCES = [
    ["Enables kinase activity and is located in the membrane of the cell"],
    ["Predicted to be active in nucleus"],
    ["tRNA"],
    ["ATP synthase subunit a of the membrane"],
]
TEXTS = [
    "enables kinase activity and is located in the nucleus of the cell",
    "",
    "tRNA",
    "ATP synthase subunit a of the cell",
]


def found(name: str) -> dict[str, list[float]]:
    chosen = protocol(name, NoSynonyms(), CharacterEncoder(), lambda text: text.split())
    measures = chosen.score(REFERENCES, TEXTS)
    return {
        metric: [measure.over(slice(i, i + 1)) for i in range(len(TEXTS))]
        for metric, measure in measures.items()
    }


def test_genechat_is_nltks_bleu_on_words_as_they_are() -> None:
    ours = found("genechat")
    for order in (1, 2, 3, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [
                sentence_bleu([given[0].split()], text.split(), (1 / order,) * order) if text else 0
                for given, text in zip(REFERENCES, TEXTS, strict=True)
            ]
        assert ours[f"bleu_{order}"] == pytest.approx(expected)
    # case counts, and a right text of one word has no 4-gram
    assert ours["bleu_1"][0] == pytest.approx(10 / 12)
    assert ours["bleu_4"][2] == pytest.approx(0)
    assert len(ours["meteor"]) == 4


def test_genomicllm_takes_one_size_of_n_grams_and_skips_short_texts() -> None:
    ours = found("genomicllm")
    smooth = SmoothingFunction().method1
    for order in (1, 2, 3, 4):
        weights = tuple(float(n == order) for n in (1, 2, 3, 4))
        for i in (0, 3):
            expected = sentence_bleu(
                [REFERENCES[i][0].split()], TEXTS[i].split(), weights, smoothing_function=smooth
            )
            assert ours[f"bleu_{order}"][i] == pytest.approx(expected)
    chosen = protocol("genomicllm", NoSynonyms(), CharacterEncoder(), lambda text: text.split())
    two = chosen.score(REFERENCES, TEXTS)["bleu_2"]
    assert two.values[:, 1].tolist() == [1, 0, 0, 1]  # "" and "tRNA" do not count
    assert ours["exact"] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("reference", "text", "expected"),
    [  # from rouge 1.0.1, Rouge().get_scores(text, reference)
        ("a b c d", "a b x y", (0.49999999500000003, 0.3333333283333334, 0.49999999500000003)),
        ("a a b b c", "a b a b", (0.7999999952, 0.333333328888889, 0.7999999952)),
        ("x y z", "a b", (0.0, 0.0, 0.0)),
        (
            "the cell of the cell",
            "cell of cell the",
            (0.999999995, 0.3333333283333334, 0.6666666616666668),
        ),
    ],
)
def test_rouge_of_genomicllm_is_that_of_rouge_1_0_1(
    reference: str, text: str, expected: tuple[float, float, float]
) -> None:
    ours = set_rouge(reference.split(), text.split())
    assert list(ours.values()) == pytest.approx(expected, abs=1e-7)


def test_rnagpt_is_token_matching_and_rouge() -> None:
    ours = found("rnagpt")
    assert list(ours) == [
        "semantic_precision", "semantic_recall", "semantic_f1", "rouge_1", "rouge_2", "rouge_l",
    ]  # fmt: skip
    assert ours["semantic_f1"][1:3] == pytest.approx([0, 1], abs=1e-6)
    assert ours["rouge_l"][3] == pytest.approx(6 / 7)


def test_every_protocol_says_what_it_does() -> None:
    for name in PROTOCOLS:
        chosen = protocol(name, NoSynonyms(), CharacterEncoder(), str.split)
        assert chosen.name == name
        assert "ROUGE" in chosen.definition or "BLEU" in chosen.definition


def test_pieces_are_needed_where_they_are_counted() -> None:
    protocol("genechat", NoSynonyms(), CharacterEncoder(), None)
    with pytest.raises(InputError, match="give the tokenizer"):
        protocol("genomicllm", NoSynonyms(), CharacterEncoder(), None)
