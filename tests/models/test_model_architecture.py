"""SequenceChatModel and its processor, at toy size: shapes, splice, null condition, batches."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from genescribe.models import generation
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.generation import position_ids
from genescribe.models.modeling import SequenceChatModel, SequenceFeatures
from genescribe.models.processing import SEQUENCE_TOKEN, SequenceChatProcessor
from genescribe.models.projector import build_projector
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.parts import ChatConfig
from support.folders import load_folder
from support.toy_model import PROMPT, random_record, toy


def record(sequence: str, view: View = View.CDS, biotype: str = "protein_coding") -> SequenceRecord:
    return SequenceRecord("g", view, biotype, sequence, sequence_sha256(sequence))


def random_records(count: int, seed: int = 0) -> list[SequenceRecord]:
    rng = random.Random(seed)
    return [random_record(rng) for _ in range(count)]


@pytest.fixture(name="toy", scope="module")
def toy_fixture() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    return toy()


def test_processor_pads_prompts_on_the_left(toy) -> None:
    _, processor = toy
    inputs = processor(random_records(20), "Homo sapiens")
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    assert ids.shape == mask.shape
    assert (mask[:, -1] == 1).all()
    assert (mask[:, 0] == 0).any()
    assert (ids == processor.tokenizer.convert_tokens_to_ids(SEQUENCE_TOKEN)).sum(1).tolist() == [
        processor.config.encoder_config.num_slots
    ] * 20
    assert ((ids == processor.tokenizer.bos_token_id).sum(1) == 1).all()


def test_prompt_names_organism_and_biotype(toy) -> None:
    _, processor = toy
    segments = processor.segments("long_non_coding_RNA", "Homo sapiens")
    assert segments == ("Homo sapiens; long non coding RNA: ", "")
    assert processor.segments("tRNA", None)[0].startswith("unknown organism; tRNA")


def test_placeholder_in_the_users_text_is_no_placeholder(toy) -> None:
    model, processor = toy
    inputs = processor([record("ATG" * 50)], "E. coli <sequence>")
    assert model.generate(**inputs, max_new_tokens=2).shape[0] == 1


def test_shapes(toy) -> None:
    model, processor = toy
    inputs = processor(random_records(5), None)
    slots, width = processor.config.encoder_config.num_slots, model.config.text_config.hidden_size
    features = model.get_sequence_features(inputs)
    null = model.get_null_features(features.counts)
    assert features.values.shape == null.values.shape == (5 * slots, width)
    assert features.counts.tolist() == null.counts.tolist() == [slots] * 5
    output = model(**inputs)
    assert output.logits.shape == (*inputs["input_ids"].shape, model.config.text_config.vocab_size)
    text = torch.tensor([[5, 6, 2], [7, 2, 0], [2, 0, 0], [5, 5, 5], [9, 2, 0]])
    for use_sequence in (True, False):
        log_probs = model.text_log_probs(model.with_features(inputs, use_sequence), text)
        assert log_probs.shape == text.shape
        assert (log_probs[text == 0] == 0).all()
        assert (log_probs[text != 0] < 0).all()


def test_vectors_take_the_place_of_placeholders(toy) -> None:
    model, processor = toy
    inputs = processor(random_records(3), None)
    slots = processor.config.encoder_config.num_slots
    features = SequenceFeatures(torch.randn(3 * slots, 32), torch.tensor([slots] * 3))
    embedded = model.embed(inputs["input_ids"], features)
    placeholders = inputs["input_ids"] == model.config.sequence_token_id
    assert torch.equal(embedded[placeholders], features.values)
    plain = model.get_input_embeddings()(inputs["input_ids"])
    assert torch.equal(embedded[~placeholders], plain[~placeholders])


def test_wrong_number_of_placeholders_names_both_counts(toy) -> None:
    model, processor = toy
    inputs = processor(random_records(2), None)
    inputs["input_ids"][1, -11] = model.config.sequence_token_id
    with pytest.raises(ValueError, match=r"tokens: \[10, 11\], vectors: \[10, 10\]"):
        model.generate(**inputs, max_new_tokens=2)


def test_log_probs_are_those_of_a_plain_forward(toy) -> None:
    model, processor = toy
    gene = random_records(1)[0]
    inputs = processor([gene], None)
    text = torch.tensor([[11, 12, 13, 2]])
    together = torch.cat([inputs["input_ids"], text], dim=1)
    with torch.inference_mode():
        sequence = {k: v for k, v in inputs.items() if k.startswith("sequence_")}
        logits = model(together, torch.ones_like(together), **sequence).logits
    prompt = inputs["input_ids"].shape[1]
    expected = logits[0, prompt - 1 : -1].log_softmax(-1).gather(1, text[0].unsqueeze(1))
    found = model.text_log_probs(inputs, text)
    torch.testing.assert_close(found, expected.T, atol=1e-5, rtol=1e-5)


def test_null_condition_hides_the_gene_and_keeps_the_prompt(toy) -> None:
    model, processor = toy
    text = torch.tensor([[11, 12, 2]])

    def log_probs(gene: SequenceRecord, organism: str | None, use_sequence: bool) -> torch.Tensor:
        return model.text_log_probs(
            model.with_features(processor([gene], organism), use_sequence), text
        )

    one, other = record("ATGGCTAAACGT" * 9), record("ATGTGGGATGAA" * 9)
    assert torch.equal(log_probs(one, None, False), log_probs(other, None, False))
    assert not torch.equal(log_probs(one, None, True), log_probs(other, None, True))
    assert not torch.equal(log_probs(one, None, False), log_probs(one, "E. coli", False))
    inputs = processor([one], None)
    dropped = model(**inputs, drop_sequence=torch.tensor([True])).logits
    other_inputs = processor([other], None)
    torch.testing.assert_close(
        dropped, model(**other_inputs, drop_sequence=torch.tensor([True])).logits
    )


def test_padding_does_not_change_positions() -> None:
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 0]])
    assert position_ids(mask).tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 3]]


def test_a_batch_gives_the_numbers_and_texts_of_single_calls(toy) -> None:
    model, processor = toy
    genes = random_records(24, seed=1)
    together = model.generate(**processor(genes, None), max_new_tokens=12)
    log_probs = model.text_log_probs(processor(genes, None), together)
    for i, gene in enumerate(genes):
        alone = model.generate(**processor([gene], None), max_new_tokens=12)
        assert processor.decode(alone) == processor.decode(together[i : i + 1])
        single = model.text_log_probs(processor([gene], None), together[i : i + 1])
        torch.testing.assert_close(single[0], log_probs[i], atol=1e-5, rtol=1e-5)


def test_texts_are_read_again_in_parts_where_logits_are_many(toy, monkeypatch) -> None:
    model, processor = toy
    inputs = processor(random_records(5), None)
    text = torch.tensor([[5, 6, 2], [7, 2, 0], [2, 0, 0], [5, 5, 5], [9, 2, 0]])
    whole = model.text_log_probs(inputs, text)
    monkeypatch.setattr(generation, "MAX_LOGITS", 1)
    torch.testing.assert_close(model.text_log_probs(inputs, text), whole)


@pytest.mark.parametrize(
    ("eos", "pad", "row", "expected"),
    [
        (2, 0, [5, 6, 2, 0, 0], [1, 1, 1, 0, 0]),
        (2, 0, [5, 6, 7, 8, 9], [1, 1, 1, 1, 1]),
        (2, None, [5, 2, 2, 2, 2], [1, 1, 0, 0, 0]),  # Llama-3 has no token for padding
        ([7, 2], 0, [5, 7, 0, 0, 0], [1, 1, 0, 0, 0]),
        (None, 0, [5, 2, 6, 0, 0], [1, 1, 1, 0, 0]),
    ],
)
def test_a_text_ends_with_its_first_end_token(eos, pad, row, expected) -> None:
    config = SimpleNamespace(eos_token_id=eos, pad_token_id=pad)
    model = generation.SequenceTextModel(SimpleNamespace(generation_config=config))
    assert model.text_mask(torch.tensor([row])).int().tolist() == [expected]


def test_generation_is_deterministic(toy) -> None:
    model, processor = toy
    genes = random_records(4, seed=2)
    first = model.generate(**processor(genes, None), max_new_tokens=8)
    torch.manual_seed(99)
    assert torch.equal(first, model.generate(**processor(genes, None), max_new_tokens=8))


def test_genes_without_any_kmer_are_described_too(toy) -> None:
    model, processor = toy
    genes = [record(""), record("A"), record("N" * 90), record("ACGTACGTACGTA", View.GENE)]
    inputs = processor(genes, None)
    assert model.generate(**inputs, max_new_tokens=3).shape[0] == 4
    assert torch.isfinite(model.get_sequence_features(inputs).values).all()


def test_save_and_load(toy, tmp_path: Path) -> None:
    model, processor = toy
    model.save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    loaded, again = load_folder(tmp_path, PROMPT, "cpu", torch.float32)
    assert isinstance(loaded.config, SequenceChatConfig)
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
    genes = random_records(3)
    assert torch.equal(
        model.generate(**processor(genes, None), max_new_tokens=5),
        loaded.generate(**again(genes, None), max_new_tokens=5),
    )


def test_unknown_projector() -> None:
    with pytest.raises(ValueError, match="'conv' is unknown"):
        build_projector("conv", 8, 8)


def test_specs_know_the_keys_of_a_configuration_and_their_defaults() -> None:
    config = SequenceChatConfig(text_config={"model_type": "llama"})
    for name, field in ChatConfig.model_fields.items():
        if name != "text_config":
            default = field.get_default(call_default_factory=True)
            assert (getattr(config, name) or None) == (default or None), name
