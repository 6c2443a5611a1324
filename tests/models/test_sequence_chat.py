"""Models of the published shapes: ragged genes, batches, prompts, stops, what cannot be read."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from genescribe.errors import InputError
from genescribe.inference.describer import Describer
from genescribe.inference.params import DescribeParams
from genescribe.inference.writer import shuffled
from genescribe.models.encoders.tokens import PADDING, chunks, length_buckets
from genescribe.records import Reason, SequenceRecord, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant, Turn
from support.published_shapes import MAX_LENGTH, genes, write_model, write_spec

SHAPES = list(MAX_LENGTH)


def record(sequence: str) -> SequenceRecord:
    return SequenceRecord("g1", View.GENE, "lncRNA", sequence, sequence_sha256(sequence))


@pytest.fixture(scope="module", name="folder")
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for shape in SHAPES:
        write_model(folder / shape, shape)
    return folder


@pytest.fixture(scope="module", name="describers")
def describers_fixture(folder: Path) -> dict[str, Describer]:
    return {
        shape: Describer(write_spec(folder / f"{shape}.yaml", shape), device="cpu")
        for shape in SHAPES
    }


def vary(folder: Path, shape: str, **changes: Any) -> Describer:
    path = folder / f"{shape}-{len(list(folder.iterdir()))}.yaml"
    return Describer(write_spec(path, shape, **changes), device="cpu")


# ---- chunks and buckets


def test_chunks_are_genechats() -> None:
    sequence = "".join(random.Random(0).choices("ACGT", k=1500))
    assert chunks(sequence, 512, 10) == [sequence[:512], sequence[502:1024], sequence[1014:]]
    assert chunks("ACGT", 512, 10) == ["ACGT"]
    assert len(chunks("A" * 159_999, 512, 10)) == 313
    assert chunks(sequence, None) == [sequence]


@pytest.mark.parametrize("budget", [1, 300, 10_000])
def test_buckets_hold_all_and_pad_little(budget: int) -> None:
    rng = random.Random(budget)
    lengths = [rng.randrange(3, 2000) for _ in range(500)]
    buckets = list(length_buckets(lengths, budget))
    assert sorted(i for bucket in buckets for i in bucket) == list(range(500))
    for bucket in buckets:
        sizes = [lengths[i] for i in bucket]
        assert max(sizes) * len(sizes) <= budget or len(sizes) == 1
        assert max(sizes) <= PADDING * min(sizes)


def test_short_chunks_cost_little(describers, monkeypatch: pytest.MonkeyPatch) -> None:
    model, processor = describers["rnagpt"].model, describers["rnagpt"].processor
    read: list[int] = []
    forward = model.encoder.forward

    def counted(input_ids: torch.Tensor, **others: Any) -> Any:
        read.append(input_ids.numel())
        return forward(input_ids=input_ids, **others)

    monkeypatch.setattr(model.encoder, "forward", counted)
    lengths = [1000, *[50] * 30]
    model.get_sequence_features(processor(genes(lengths)))
    assert sum(read) == sum(length + 2 for length in lengths)
    assert len(read) == 2


# ---- batches


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_of_mixed_genes_gives_the_texts_of_single_calls(describers, shape: str) -> None:
    describer, rng = describers[shape], random.Random(7)
    longest = {"rnagpt": 300, "genomicllm": 300}.get(shape, 4000)
    lengths = [int(50 * (longest / 50) ** rng.random()) for _ in range(30)]
    records = genes([*lengths, 50, MAX_LENGTH[shape]])
    together = list(describer.describe(records))
    for gene, row in zip(records, together, strict=True):
        (alone,) = describer.describe([gene])
        assert alone.text == row.text
        assert alone.n_tokens == row.n_tokens
        assert alone.score == pytest.approx(row.score, abs=2e-4)
        assert alone.lift == pytest.approx(row.lift, abs=2e-4)
    assert len({row.text for row in together}) > 3, "the texts must tell genes apart"
    assert len({(row.score, row.lift) for row in together}) > 20


def test_one_vector_per_chunk_is_the_mean_over_its_tokens(describers) -> None:
    model, processor = describers["genechat"].model, describers["genechat"].processor
    records = genes([3000, 60, 513])
    features = model.get_sequence_features(processor(records))
    expected = []
    with torch.inference_mode():
        for gene in records:
            for chunk in chunks(gene.sequence, 512, 10):
                ids = torch.tensor([processor.reader.tokenizer.encode(chunk)])
                assert ids[0, 0] == 1, "[CLS] counts too"
                assert ids[0, -1] == 2, "[SEP] counts too"
                hidden = model.encoder(ids).last_hidden_state[0]
                expected.append(model.projector(hidden.mean(0)))
    assert features.counts.tolist() == [6, 1, 2]
    torch.testing.assert_close(features.values, torch.stack(expected), atol=1e-4, rtol=1e-4)


def test_one_vector_per_nucleotide_leaves_out_special_tokens(describers) -> None:
    model, processor = describers["rnagpt"].model, describers["rnagpt"].processor
    records = genes([70, 200])
    features = model.get_sequence_features(processor(records))
    assert features.counts.tolist() == [70, 200]
    ids = torch.tensor([processor.reader.tokenizer.encode(records[0].sequence)])
    with torch.inference_mode():
        expected = model.projector(model.encoder(ids).last_hidden_state[0, 1:-1])
    torch.testing.assert_close(features.values[:70], expected, atol=1e-4, rtol=1e-4)


def test_a_resampler_gives_every_gene_as_many_vectors(describers) -> None:
    inputs = describers["resampler"].processor(genes([70, 9000]))
    assert (inputs["input_ids"] == -200).sum(1).tolist() == [5, 5]


# ---- prompts


def prompt_ids(describer: Describer, variant: PromptVariant, **told: Any) -> list[int]:
    processor = describer.processor
    kept, processor.prompt = processor.prompt, variant
    try:
        inputs = processor(genes([1000]), **told)
    finally:
        processor.prompt = kept
    return inputs["input_ids"][0].tolist()


@pytest.mark.parametrize(("bos", "places"), [("one", [0]), ("segments", [0, 9]), ("none", [])])
def test_text_around_the_gene_is_tokenised_apart(describers, bos: Any, places: list[int]) -> None:
    describer = describers["genechat"]
    variant = PromptVariant(
        id="p", template="###Human: <gene>{sequence}</gene> {question}", bos=bos
    )
    found = prompt_ids(describer, variant, question="Which?")
    encode = describer.processor.tokenizer.encode
    before = encode("###Human: <gene>", add_special_tokens=False)
    after = encode("</gene> Which?", add_special_tokens=False)
    starts = {"one": ([1], []), "segments": ([1], [1]), "none": ([], [])}[bos]
    assert found == [*starts[0], *before, -200, -200, *starts[1], *after]


def test_history_goes_on_after_the_gene(describers) -> None:
    describer = describers["genechat"]
    before, after = describer.processor.segments("tRNA", None, "Why?", [Turn("What?", "This.")])
    assert before == "###Human: <gene>"
    assert after == "</gene> What? ###Assistant: This. ###Human: Why? ###Assistant:"


def test_the_tokenizers_own_chat_template(describers) -> None:
    describer = describers["rnagpt"]
    inputs = describer.processor(genes([60]), question="Why?", history=[Turn("What?", "This.")])
    ids = inputs["input_ids"][0].tolist()
    tokenizer = describer.processor.tokenizer
    assert ids.count(tokenizer.bos_token_id) == 1
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(-200) == 60
    text = tokenizer.decode([token for token in ids if token != -200])
    headers = ["system", "user", "assistant", "user", "assistant"]
    places = [text.find(f"<|start_header_id|>{headers[0]}<|end_header_id|>")]
    for header in headers[1:]:
        places.append(text.find(f"<|start_header_id|>{header}<|end_header_id|>", places[-1] + 1))
    assert places == sorted(places)
    assert -1 not in places
    assert text.endswith("Why?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")


@pytest.mark.parametrize("word", ["</s>", "<</s>/s>", "\ue000"])
def test_special_tokens_in_a_question_are_plain_text(describers, word: str) -> None:
    describer = describers["genechat"]
    asked = describer.processor(genes([100]), question=f"Why{word}?", history=())
    plain = describer.processor(genes([100]), question="Why?", history=())
    assert torch.equal(asked["input_ids"], plain["input_ids"])


def test_genomicllm_reads_letters(describers) -> None:
    describer = describers["genomicllm"]
    ids = describer.processor([record("ACGTACGT")])["input_ids"][0].tolist()
    tokenizer = describer.processor.tokenizer
    expected = tokenizer.encode("ACGTACGT, annotation:description=", add_special_tokens=False)
    assert ids == expected


# ---- what the Describer makes of it


def test_lift_compares_with_the_same_letters_in_another_order(describers) -> None:
    describer = describers["genechat"]
    (gene,) = genes([2000], seed=5)
    (row,) = describer.describe([gene])
    question = "Tell me about this gene."
    inputs, others = (describer.processor([g], question=question) for g in (gene, shuffled(gene)))
    ids = describer.model.generate(**inputs, max_new_tokens=12)
    given = describer.model.text_log_probs(inputs, ids).mean()
    without = describer.model.text_log_probs(others, ids).mean()
    assert row.lift == pytest.approx(float(given - without), abs=2e-4)
    assert row.score == pytest.approx(math.exp(float(given)), abs=2e-4)


def test_tokens_from_the_stop_on_do_not_count(describers) -> None:
    processor = describers["genechat"].processor
    texts = ["gene of the kinase###Human: gene", "###", "receptor"]
    rows = [processor.tokenizer.encode(text, add_special_tokens=False) for text in texts]
    width = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]).bool()
    found, kept = processor.read(ids, mask, ["not there", "###"])
    assert found == ["gene of the kinase", "", "receptor"]
    whole = processor.tokenizer.encode("gene of the kinase", add_special_tokens=False)
    assert kept.sum(1).tolist() == [len(whole), 0, len(rows[2])]
    assert processor.read(ids, mask)[0] == texts


@pytest.mark.parametrize("shape", ["genechat", "genomicllm"])
def test_a_text_ends_where_a_stop_string_begins(folder: Path, describers, shape: str) -> None:
    model, processor = describers[shape].model, describers[shape].processor
    (gene,) = genes([300], seed=2)
    (whole,) = describers[shape].describe([gene])
    stop = whole.text[len(whole.text) // 2 :][:3]
    settings = {"max_new_tokens": 12, "stop": ["not there", stop]}
    (row,) = vary(folder, shape, generation=settings).describe([gene])
    assert row.text == whole.text[: whole.text.index(stop)].strip()
    inputs = processor([gene], question=describers[shape].spec.question or "")
    ids = model.generate(**inputs, max_new_tokens=12)
    assert stop not in processor.decode(ids[:, : row.n_tokens])[0]
    kept = model.text_log_probs(inputs, ids)[0, : row.n_tokens]
    assert row.score == pytest.approx(math.exp(float(kept.mean())), abs=2e-4)


def test_beams_and_penalties_reach_the_model(folder: Path, describers) -> None:
    settings = {
        "max_new_tokens": 12,
        "num_beams": 3,
        "repetition_penalty": 1.9,
        "no_repeat_ngram_size": 3,
    }
    records = genes([300, 2000, 700])
    describer = vary(folder, "genechat", generation=settings)
    rows = list(describer.describe(records))
    assert [row.text for row in rows] != [r.text for r in describers["genechat"].describe(records)]
    assert [next(describer.describe([gene])).text for gene in records] == [r.text for r in rows]


def test_a_question_changes_the_text_and_its_key(describers) -> None:
    describer, (gene,) = describers["genechat"], genes([3000])
    asked = DescribeParams(question="Is it a kinase or a receptor?")
    assert describer.writer.key(gene, asked) != describer.writer.key(gene, DescribeParams())
    (one,), (other,) = describer.describe([gene]), describer.describe([gene], asked)
    assert one.score != other.score


def test_many_human_genes_fit_into_a_batch(describers) -> None:
    describer = describers["genechat"]
    assert describer.batching.cost(27_000) < 200, "53 vectors, not 27,000 nt"
    assert describers["rnagpt"].batching.cost(1000) > 1000


def test_letters_beyond_the_context_are_left_out_and_counted(describers) -> None:
    describer, (gene,) = describers["genomicllm"], genes([4000])
    (row,) = describer.describe([gene])
    assert row.truncated > 0
    assert row.text
    kept = record(gene.sequence[: 4000 - row.truncated])
    assert describer.writer.context.prompt_tokens(kept, DescribeParams()) <= 512 - 12
    assert next(describer.describe([kept])).text == row.text


# ---- bad input


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("sequence", "named"),
    [
        ("", "g1: the sequence is empty"),
        ("ACGT*ACG", "g1: '\\*' at position 5 of 8 is no nucleotide code"),
        ("MKVLE", "g1: 'L' at position 4 of 5|g1: 'E' at position 5 of 5"),
        ("ACGT" * 300 + "-", "g1: '-' at position 1,201"),
    ],
)
def test_what_is_no_sequence_is_refused(describers, shape: str, sequence: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        list(describers[shape].describe([record(sequence)]))


@pytest.mark.parametrize("shape", SHAPES)
def test_ambiguity_codes_are_read(describers, shape: str) -> None:
    (row,) = describers[shape].describe([record("ACGURYSWKMBDHVN" * 4)])
    assert row.reason in (Reason.NONE, Reason.LOW_LIFT)


def test_more_than_the_encoder_has_positions_for_is_refused(describers) -> None:
    (row,) = describers["rnagpt"].describe(genes([1022]))
    assert row.text
    with pytest.raises(InputError, match=r"g0: 1,023 nt are 1,025 tokens.* 1,024"):
        list(describers["rnagpt"].describe(genes([1023])))


def test_a_question_that_leaves_no_room_is_refused(describers) -> None:
    params = DescribeParams(question="why " * 5000)
    with pytest.raises(InputError, match=r"g0: .*shorten"):
        list(describers["resampler"].describe(genes([100]), params))


def test_weights_without_a_no_sequence_condition_say_so(describers) -> None:
    model, processor = describers["genechat"].model, describers["genechat"].processor
    with pytest.raises(ValueError, match="'no sequence'"):
        model.with_features(processor(genes([100])), use_sequence=False)


def test_the_spec_decides_the_dtype(folder: Path) -> None:
    describer = vary(folder, "genechat", dtype={"cpu": "bfloat16", "cuda": "bfloat16"})
    assert describer.model.dtype == torch.bfloat16
    (row,) = describer.describe(genes([900]))
    assert row.text
