"""Training: configurations, examples, batches, gene memory, and input that cannot be trained on."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from genescribe.cli import main
from genescribe.corpus.records import read_corpus
from genescribe.corpus.splits import Side, read_splits, write_splits
from genescribe.errors import InputError
from genescribe.keys import Keys
from genescribe.specs.spec import load_spec
from genescribe.training.batches import Batches
from genescribe.training.config import (
    MANUAL,
    PARTS,
    Lora,
    Stage,
    TrainConfig,
    load_train_config,
)
from genescribe.training.examples import Draw, Epochs, Example, make_examples, on_side
from genescribe.training.model import Start, build, starting_spec
from genescribe.training.train import TrainInputs, train
from support.toy_training import CONFIG, SPEC, stage, toy_inputs, toy_records

MEMORY_SPEC = {
    **SPEC,
    "config": {
        "encoder_config": {
            "model_type": "gene_memory", "num_relatives": 3, "text_tokens": 4, "hidden_size": 32,
            "feature_size": 8,
        },
        "projector_type": "identity",
        "null_slots": 13,
        "text_config": {**SPEC["config"]["text_config"], "tie_word_embeddings": False},
    },
}  # fmt: skip


def started(inputs: TrainInputs) -> tuple[TrainConfig, Start, list[Example]]:
    config = load_train_config(inputs.config)
    splits = read_splits(inputs.splits)
    records = on_side(read_corpus(inputs.corpus), splits, Side.TRAIN)
    start = build(config, inputs.config, records, splits)
    examples = make_examples(records, splits, start.processor.tokenizer, start.spec, config)
    return config, start, examples


# ---- configurations


@pytest.mark.parametrize("name", ["tiny", "genechat", "rnagpt", "relatives"])
def test_configurations_that_come_with_genescribe(root: Path, name: str) -> None:
    path = root / "config" / "train" / f"{name}.yaml"
    config = load_train_config(path)
    spec, _ = starting_spec(config, path)
    for stage_ in config.stages:
        if stage_.prompt is not None:
            spec.with_prompt(stage_.prompt)
    if name != "relatives":
        assert spec.with_question("summary")
    if name == "rnagpt":
        alignment, instructions = config.stages
        assert (alignment.train, alignment.question, alignment.prompt) == (
            ("projector",), "", "stage-1"
        )  # fmt: skip
        assert config.share(alignment, "product name", True) == 0
        assert config.share(alignment, "summary", True) == 1
        assert config.share(instructions, "product name", True) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lerning_rate": 1}, "unknown key 'lerning_rate'; allowed"),
        ({"stages": []}, "in stages"),
        ({"stages": [stage(train=["encodr"])]}, "in stages.0.train.0: 'encodr' should be"),
        ({"stages": [stage(steps=None)]}, "in stages.0"),
        ({"stages": [stage(epochs=2)]}, "in stages.0"),
        ({"stages": [stage(train=[])]}, "in stages.0.train: nothing trains"),
        ({"stages": [stage(), stage()]}, "two have the same name"),
        ({"vocabulary": 0}, "in vocabulary"),
        ({"new": ["encoder", "projector"]}, "in vocabulary: needed where the language_model"),
        (
            {"stages": [stage(lora={"rank": 2, "alpha": 4, "target_modules": ["q_proj"]})]},
            "cannot train beside or after its lora",
        ),
        ({"spec": {**SPEC, "licence": "MIT"}}, "unknown key 'licence'; allowed"),
        ({"stages": [stage(schedule="cosinus")]}, "stage all: schedule 'cosinus'"),
        ({"stages": [stage(schedule_settings={"x": 1})]}, "stage all: schedule 'cosine'"),
    ],
)
def test_wrong_configurations_name_the_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    inputs = toy_inputs(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        train(inputs, tmp_path / "work", tmp_path / "model", device="cpu")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_tensorboard_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genescribe.training.train.is_tensorboard_available", lambda: False)
    inputs = toy_inputs(tmp_path, tensorboard=True)
    with pytest.raises(InputError, match="tensorboard is not installed"):
        train(inputs, tmp_path / "work", tmp_path / "model", device="cpu")


# ---- input that cannot be trained on


def test_a_split_that_leaves_nothing(tmp_path: Path) -> None:
    inputs = toy_inputs(tmp_path, genes=8)
    rows = read_splits(inputs.splits).values()
    write_splits(inputs.splits, [replace(row, side=Side.TRAIN) for row in rows])
    message = r"splits\.tsv: leaves no answer to train with on the validation side"
    with pytest.raises(InputError, match=message):
        train(inputs, tmp_path / "work", tmp_path / "model", device="cpu")


def test_a_split_of_another_corpus_tells_how_many_and_shows_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = toy_inputs(tmp_path, genes=20)
    write_splits(inputs.splits, list(read_splits(inputs.splits).values())[5:])
    options = ["--config", inputs.config, "--corpus", inputs.corpus, "--splits", inputs.splits,
               "--work", tmp_path / "work", "--out", tmp_path / "model"]  # fmt: skip
    assert main(["train", *map(str, options)]) == 2
    error = capsys.readouterr().err
    assert "the split lacks 5 genes of the corpus (gene0, gene1, gene2...)" in error
    assert error.count("\n") == 1


def test_questions_that_nothing_answers(tmp_path: Path) -> None:
    inputs = toy_inputs(tmp_path, stages=[stage(questions={"*": 0})])
    with pytest.raises(InputError, match="leaves no answer to train with on the train side"):
        train(inputs, tmp_path / "work", tmp_path / "model", device="cpu")


def test_an_existing_model_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(InputError, match="already exists; overwrite"):
        train(toy_inputs(tmp_path), tmp_path / "work", tmp_path / "model")


# ---- examples and batches


def test_labels_are_the_answer_and_nothing_else(tmp_path: Path) -> None:
    _, start, examples = started(toy_inputs(tmp_path))
    batches = Batches(examples, start.processor, start.spec.prompt, None)
    batch = batches.__getitems__([Draw(0), Draw(3, drop_sequence=True), Draw(10)])
    assert batch["drop_sequence"].tolist() == [False, True, False]
    for number, labels, ids in zip((0, 3, 10), batch["labels"], batch["input_ids"], strict=True):
        example = examples[number]
        assert tuple(labels[labels >= 0].tolist()) == example.answer_ids
        assert torch.equal(ids[labels >= 0], labels[labels >= 0])
        assert example.answer_ids[-1] == start.processor.tokenizer.eos_token_id
    asked = start.processor([examples[10].record], "Toy organism", question=examples[10].question)
    prompt = batch["input_ids"][2][(batch["attention_mask"][2] > 0) & (batch["labels"][2] < 0)]
    assert torch.equal(prompt, asked["input_ids"][0])  # as in use
    assert batches.lengths()[10] == len(prompt) + len(examples[10].answer_ids)


def test_an_answer_ends_with_the_stop_text_of_the_spec(tmp_path: Path) -> None:
    spec = {**SPEC, "generation": {"max_new_tokens": 16, "stop": ["###"]}}
    _, start, examples = started(toy_inputs(tmp_path, spec=spec))
    assert start.processor.tokenizer.decode(examples[0].answer_ids).endswith("histone###")


def epochs(count: int, config: TrainConfig, **changes: Any) -> Epochs:
    """Draw from ``count`` genes, two of each near-copy cluster, with lengths 1 to ``count``."""
    record = toy_records(1)[0].sequence_record()
    examples = [
        Example(record, None, "product name", (1,), True, i // 2, i // 2) for i in range(count)
    ]
    values = {"batch_genes": 16, **changes}
    stage_ = Stage(name="all", train=("encoder",), learning_rate=0.1, steps=1, **values)
    config = config.model_copy(update={"stages": (stage_,)})
    return Epochs(examples, np.arange(1, count + 1), config, 0)


def test_an_epoch_shows_one_of_each_cluster_in_batches_of_similar_length() -> None:
    config = TrainConfig.model_construct(drop_sequence=0.25, leave_out_family=0.5)
    draw = epochs(2000, config)
    batches = draw(0)
    shown = [one.example for batch in batches for one in batch]
    assert Counter(number // 2 for number in shown) == Counter(range(1000))
    assert np.mean([np.ptp([one.example for one in batch]) for batch in batches]) < 60
    assert draw(0) == batches != draw(1)
    both = [one for epoch in (1, 2, 3) for batch in draw(epoch) for one in batch]
    assert np.mean([one.drop_sequence for one in both]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([one.without_family for one in both]) == pytest.approx(0.5, abs=0.03)
    assert all(one.with_organism for one in both)
    assert len({one.example for one in both}) > 1600  # the other copy has its turn


def test_a_budget_of_tokens_counts_padding() -> None:
    batches = epochs(400, TrainConfig.model_construct(), batch_genes=None, batch_tokens=1000)(0)
    sizes = [len(batch) * max(one.example + 1 for one in batch) for batch in batches]
    assert max(sizes) <= 1000
    assert np.mean(sizes) > 600


def test_shares_of_questions() -> None:
    stage_ = Stage(name="all", train=("encoder",), learning_rate=0.1, steps=1, batch_genes=1)
    config = TrainConfig.model_construct(
        questions={"product name (*)": 0.5, "gene*": 0}, uninformative=0.1
    )
    assert config.share(stage_, "product name", True) == 1
    assert config.share(stage_, "product name (RefSeq)", True) == 0.5
    assert config.share(stage_, "product name (RefSeq)", False) == 0.05
    assert config.share(stage_, "gene symbol", True) == 0


# ---- the gene memory


def test_training_genes_do_not_find_themselves(tmp_path: Path) -> None:
    inputs = toy_inputs(tmp_path, spec=MEMORY_SPEC, new=list(PARTS))
    rows = list(read_splits(inputs.splits).values())
    write_splits(inputs.splits, [replace(row, family=row.near_copy % 4) for row in rows])
    _, start, examples = started(inputs)
    assert len(start.processor.reader.memory) == 64  # the training side, by its product names
    batches = Batches(examples, start.processor, start.spec.prompt, None, start.stored)
    plain = Batches(examples, start.processor, start.spec.prompt, None)
    name = "sequence_similarities"
    own = plain.__getitems__([Draw(0)])[name][0, 0]  # of the best relative: itself
    alone = batches.__getitems__([Draw(0)])[name][0, 0]
    orphan = batches.__getitems__([Draw(0, without_family=True)])[name][0, 0]
    assert own[0] == pytest.approx(1, abs=1e-3)
    assert alone[0] < 0.9
    assert orphan[0] < alone[0]
    assert torch.equal(batches.__getitems__([Draw(5), Draw(0)])[name][1, 0], alone)  # remembered


def test_a_memory_is_extended_by_relatives(tmp_path: Path) -> None:
    first = toy_inputs(tmp_path / "1", spec=MEMORY_SPEC, stages=[stage(steps=4)])
    train(first, tmp_path / "1" / "work", tmp_path / "1" / "model", device="cpu")
    tuning = {
        key: value for key, value in CONFIG.items() if key not in ("spec", "new", "vocabulary")
    }
    again = toy_inputs(tmp_path / "2", tuning, genes=20, **{"from": str(tmp_path / "1" / "model")})
    train(again, tmp_path / "2" / "work", tmp_path / "2" / "model", device="cpu")
    spec = load_spec(str(tmp_path / "2" / "model"))
    assert spec.name == "toy-tuned"
    assert spec.trained_on == "random genes Then 16 genes of Toy organism."
    config = yaml.safe_load((tmp_path / "2" / "model" / "config.json").read_text())
    assert config["encoder_config"]["num_genes"] == 64 + 16


def test_genes_stored_before_are_hidden_from_their_near_copies(tmp_path: Path) -> None:
    first = toy_inputs(tmp_path / "1", spec=MEMORY_SPEC, stages=[stage(steps=1)])
    train(first, tmp_path / "1" / "work", tmp_path / "1" / "model", device="cpu")
    tuning = {
        key: value for key, value in CONFIG.items() if key not in ("spec", "new", "vocabulary")
    }
    again = toy_inputs(tmp_path / "2", tuning, **{"from": str(tmp_path / "1" / "model")})
    _, start, examples = started(again)
    assert len(start.processor.reader.memory) == 2 * 64
    batches = Batches(examples, start.processor, start.spec.prompt, None, start.stored)
    best = batches.__getitems__([Draw(i) for i in range(20)])["sequence_similarities"][:, 0, 0]
    assert best.max() < 0.9


@pytest.mark.parametrize("table", [TrainConfig, Stage, Lora])
def test_the_manual_explains_every_key(root: Path, table: type[Keys]) -> None:
    manual = (root / MANUAL).read_text(encoding="utf-8")
    for key, meaning in table.keys().items():
        assert re.search(rf"(?<![\w-]){key}(?![\w-])", manual), f"{key} of {table.__name__}"
        assert meaning, f"{key} of {table.__name__} says nothing"
    load_train_config(root / MANUAL)  # and none that there is not


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "3"}, "in seed: '3' should be a valid integer"),
        ({"patience": True}, "in patience: True should be a valid integer"),
        ({"drop_sequence": float("nan")}, "in drop_sequence: nan should be a finite number"),
        ({"new": ["projector", "projector"]}, "in new: .* names a part twice"),
        ({"stages": [stage(learning_rate=float("inf"))]}, "in stages.0.learning_rate: inf should"),
        ({"stages": [stage(learning_rates={"encodr": 1})]}, "in stages.0.learning_rates.encodr: "),
        ({"stages": [stage(name="A b")]}, "in stages.0.name: 'A b' should match pattern"),
        ({"tensorboard": "yes"}, "in tensorboard: 'yes' should be a valid boolean"),
    ],
)
def test_types_are_strict(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_train_config(toy_inputs(tmp_path, **changes).config)
    assert str(caught.value).endswith(f"; {MANUAL} explains it")
