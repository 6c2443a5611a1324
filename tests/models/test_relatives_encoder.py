"""The gene-memory encoder within a model: inputs, vectors, saving, and what is said of its size."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders.relatives import GeneMemoryConfig
from genescribe.models.footprint import needs_of
from genescribe.models.gene_memory import NONE
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant
from genescribe.specs.spec import load_spec
from support.folders import load_folder, over

TINY = Path(__file__).resolve().parents[2] / "models" / "tiny"
PROMPT = PromptVariant(id="memory-1", template="{question}; {biotype}: {sequence}")


def records(count: int, seed: int = 0) -> list[SequenceRecord]:
    rng = random.Random(seed)
    genes = ["".join(rng.choices("ACGT", k=rng.randrange(60, 600))) for _ in range(count)]
    views = [View.TRANSCRIPT if i % 3 == 2 else View.CDS for i in range(count)]
    return [
        SequenceRecord(f"g{i}", view, "protein_coding", gene, sequence_sha256(gene))
        for i, (gene, view) in enumerate(zip(genes, views, strict=True))
    ]


def untrained(**encoder: int) -> tuple[SequenceChatModel, SequenceChatProcessor]:
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    config = GeneMemoryConfig(
        hidden_size=32,
        **{"num_relatives": 3, "text_tokens": 5} | encoder,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer), pad_token_id=0, bos_token_id=1, eos_token_id=2,
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        tie_word_embeddings=True,
    )  # fmt: skip
    chat = SequenceChatConfig(
        encoder_config=config, text_config=text, projector_type="identity",
        null_slots=config.num_slots,
    )  # fmt: skip
    model = SequenceChatModel(chat).eval()
    return model, SequenceChatProcessor(tokenizer, model.config, PROMPT)


@pytest.fixture(scope="module")
def built() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    model, processor = untrained()
    texts = [f"ribosomal protein L{i}" for i in range(9)]
    processor.reader.remember(model.encoder, processor.tokenizer, records(9), texts)
    return model, processor


def test_inputs(built) -> None:
    model, processor = built
    readings = [processor.reader.read(record) for record in records(9)[:4]]
    assert {reading.num_vectors for reading in readings} == {16}
    assert model.config.encoder_config.num_slots == 16
    inputs = processor.sequence_inputs(readings)
    expected = processor.tokenizer("ribosomal protein L2", add_special_tokens=False)["input_ids"]
    ids = inputs["sequence_token_ids"]
    assert ids.shape == (4, 3, 5)
    end = processor.tokenizer.eos_token_id
    assert ids[2, 0].tolist() == ([*expected, end] + [NONE] * 5)[:5]
    assert inputs["sequence_is_protein"].tolist() == [1, 1, 0, 1]
    assert inputs["sequence_length"][2] == len(records(9)[2].sequence)
    others = processor.sequence_inputs(
        [processor.reader.read(record, np.array([i])) for i, record in enumerate(records(9)[:4])]
    )
    assert (others["sequence_similarities"][:, 0, :6] < 0.5).all()


def test_vectors(built) -> None:
    """One for the gene; then token, rank, place and likeness, or nothing, whatever the batch."""
    model, processor = built
    encoder = model.encoder
    genes = records(9)[:4]
    inputs = processor(genes, question="product name")
    with torch.inference_mode():
        values, counts = model.get_sequence_features(inputs)
        vectors = values.view(4, 16, 32)
        ids = inputs["sequence_token_ids"][1]  # (K, T)
        x = inputs["sequence_similarities"][1]  # (K, F)
        likeness = encoder.likeness(x.sign() * torch.log(1 + 100 * x.abs()) / 4)  # (K, D)
        alone = model.get_sequence_features(processor(genes[1:2])).values
    assert counts.tolist() == [16] * 4
    assert torch.allclose(alone, vectors[1], atol=1e-6)
    embedding = model.get_input_embeddings().weight
    for rank in range(3):
        for place in range(5):
            expected = encoder.nothing
            if (token := ids[rank, place]) != NONE:
                before = embedding[ids[rank, place - 1]] if place else encoder.opening
                expected = embedding[token] + encoder.previous.weight @ before + likeness[rank]
                expected = expected + encoder.rank_embedding.weight[rank]
                expected = expected + encoder.place_embedding.weight[place]
            found = vectors[1, 1 + rank * 5 + place]
            assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(vectors[0, 0], vectors[1, 0])


def test_a_gene_without_relatives_takes_as_many_placeholders(built) -> None:
    model, processor = built
    nothing = dataclasses.replace(records(1)[0], sequence="NNNNNNNNN")
    inputs = processor([nothing])
    assert model.placeholders(inputs["input_ids"]).sum() == 16 == model.config.null_slots
    vectors = model.get_sequence_features(inputs).values
    assert torch.equal(vectors[1:], model.encoder.nothing.expand(15, -1))
    assert model.generate(**inputs, max_new_tokens=2).shape[0] == 1
    assert processor.evidence(nothing) == []


def test_without_any_stored_genes() -> None:
    model, processor = untrained()
    processor.reader.load(Path(), model.encoder)
    inputs = processor(records(2))
    assert (inputs["sequence_token_ids"] == NONE).all()


def test_all_parameters_learn(built) -> None:
    model, processor = built
    inputs = dict(processor(records(9)))
    labels = inputs["input_ids"].masked_fill(model.placeholders(inputs["input_ids"]), -100)
    model(**inputs, labels=labels).loss.backward()
    still = [name for name, p in model.encoder.named_parameters() if p.grad is None]
    model.zero_grad(set_to_none=True)
    assert not still


def test_evidence(built) -> None:
    _, processor = built
    found = processor.evidence(records(9)[4])
    assert found[0] == ("ribosomal protein L4", 1.0)
    assert len(found) <= 3
    assert all(one.similarity >= two.similarity for one, two in pairwise(found))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_saved_and_loaded(built, dtype: torch.dtype, tmp_path: Path) -> None:
    """The stored genes come back bit by bit, whatever became of the parameters."""
    model, processor = built
    copy.deepcopy(model).to(dtype).save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    again, other = load_folder(tmp_path, PROMPT, "cpu", torch.bfloat16)
    expected = model.encoder.memory().arrays()
    for found in (again.encoder.memory().arrays(), other.reader.memory.arrays()):
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
    assert again.dtype == torch.bfloat16
    assert other.evidence(records(9)[3]) == processor.evidence(records(9)[3])
    inputs = other(records(2))
    assert again.generate(**inputs, max_new_tokens=2).shape[0] == 2


def test_remembering_more_is_remembering_all(built, tmp_path: Path) -> None:
    model, processor = built
    model.save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    again, other = load_folder(tmp_path, PROMPT, "cpu", torch.float32)
    new = records(4, seed=5)
    added = other.reader.remember(again.encoder, other.tokenizer, new, ["kinase"] * 4)
    assert added == range(9, 13)
    assert other.evidence(new[1])[0] == ("kinase", 1.0)
    assert other.evidence(records(9)[3])[0] == ("ribosomal protein L3", 1.0)
    again.save_pretrained(tmp_path)
    last, _ = load_folder(tmp_path, PROMPT, "cpu", torch.float32)
    assert last.config.encoder_config.num_genes == 13
    assert np.array_equal(last.encoder.memory().texts, other.reader.memory.texts)


def test_processors_can_be_sent_to_other_processes(built) -> None:
    _, processor = built
    again = pickle.loads(pickle.dumps(processor))
    assert again.evidence(records(9)[0]) == processor.evidence(records(9)[0])


def test_size_is_told_apart_from_parameters(built, tmp_path: Path) -> None:
    model, processor = built
    model.save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    needs = needs_of(over(tmp_path, PROMPT))
    arrays = model.encoder.memory().arrays()
    assert needs.stored == (9, sum(array.nbytes for array in arrays.values()))
    assert needs.published.encoder == sum(p.numel() for p in model.encoder.parameters())
    assert needs.weights("bfloat16") == 2 * needs.loaded.total + needs.stored.bytes
    file = (tmp_path / "model.safetensors").stat().st_size
    assert abs(needs.weights("float32") - file) < 20_000
    assert json.loads((tmp_path / "config.json").read_text())["encoder_config"]["num_genes"] == 9
    assert needs_of(load_spec("rnagpt-8b")).stored == (0, 0)


def test_verified_without_loading(built, tmp_path: Path) -> None:
    model, processor = built
    model.save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    _, found = load_folder(tmp_path, PROMPT, "meta", torch.float32)
    assert found.reader.memory is None


def test_identity_needs_equal_widths() -> None:
    model, _ = untrained()
    config = SequenceChatConfig(
        encoder_config=GeneMemoryConfig(hidden_size=16),
        text_config=model.config.text_config,
        projector_type="identity",
    )
    with pytest.raises(ValueError, match="they are 16 and 32 wide"):
        SequenceChatModel(config)
