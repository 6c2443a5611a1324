"""Training: texts and views, families, batches, and a resume that changes nothing."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from genescribe.errors import FormatError, GenescribeError, InputError
from genescribe.models.checkpoint import load_folder
from genescribe.models.modeling import SequenceChatModel
from genescribe.records import SequenceRecord, View
from genescribe.training.assess import (
    VALIDATION,
    Assessor,
    Prediction,
    assess_set,
    bleu_1,
    calibrate,
    coverage_table,
    fit_calibration,
    rouge_l,
    swap_sequences,
    tables,
)
from genescribe.training.config import Source, load_train_config
from genescribe.training.corpus import (
    choose_view,
    clean_text,
    is_open_frame,
    longest_orf,
    read_pairs,
    shorten,
)
from genescribe.training.data import build_examples, collate, epoch_batches
from genescribe.training.loop import BEST, CHECKPOINT, LOG, Trainer, learning_rate_factor
from genescribe.training.splits import choose_validation, families
from genescribe.training.tiny import build_model, main, split_pairs
from toy_model import CONFIG, PROMPT, random_record, toy, toy_pairs

# ---- texts and views


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ATP  synthase\n subunit a.", "ATP synthase subunit a"),
        ("NA", ""),
        ("solanesyl synthase; NA", "solanesyl synthase"),
        ("NADH dehydrogenase", "NADH dehydrogenase"),
        ("DNA, NA; binding", "DNA; binding"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


def test_long_texts_end_with_a_clause() -> None:
    text = "Putative permease; member of a family; confers resistance to ethionine sulfoxide"
    assert shorten(text, 40) == text
    assert shorten(text, 7) == "Putative permease; member of a family"
    assert shorten(text, 3) == "Putative permease"
    assert shorten("one two three four", 2) == "one two"


def test_frames() -> None:
    assert is_open_frame("ATGTGAAAATAA")  # TGA may be W
    assert not is_open_frame("ATGTAAAAATAA")
    assert not is_open_frame("ATGAA")
    assert longest_orf("CCATGAAATAGATGAAAAAATAA") == "ATGAAAAAATAA"
    assert longest_orf("CCCC") == ""


def test_views() -> None:
    cds = "ATG" + "CTAACT" * 60 + "TAA"
    assert choose_view(cds, "CDS") == (View.CDS, cds, "protein_coding")
    assert choose_view("CC" + cds + "G", "gene") == (View.CDS, cds, "protein_coding")
    assert choose_view(cds, "tRNA_gene") == (View.TRANSCRIPT, cds, "tRNA")
    assert choose_view("ATGTAA" * 50, "gene")[0] == View.TRANSCRIPT


def write_pairs(path: Path, rows: list[dict[str, str]]) -> None:
    with gzip.open(path, "wt") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)


def row(sequence: str, text: str, kind: str = "informative") -> dict[str, str]:
    return {"id": text, "seq": sequence, "desc": text, "class": kind, "biotype": "tRNA"}


def test_no_gene_twice_and_held_out_first(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a.jsonl.gz", [row("ACGT", "one"), row("acgt", "same"), row("CC", "c")])
    write_pairs(tmp_path / "b.jsonl.gz", [row("CC", "held"), row("GG", "hypothetical", "dubious")])
    sources = [Source("a", None), Source("b", "B", held_out=True)]
    pairs = read_pairs(tmp_path, sources, max_length=100, max_words=10)
    assert {(pair.text, pair.held_out) for pair in pairs} == {("one", False), ("held", True)}


def test_bad_pairs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: no such file"):
        read_pairs(tmp_path, [Source("a", None)], max_length=9, max_words=9)
    write_pairs(tmp_path / "a.jsonl.gz", [row("A", "x", "empty"), {"seq": "A"}])
    with pytest.raises(FormatError, match=r"a\.jsonl\.gz:2: not a pair"):
        read_pairs(tmp_path, [Source("a", None)], max_length=9, max_words=9)
    write_pairs(tmp_path / "a.jsonl.gz", [row("A", "x", "empty")])
    with pytest.raises(InputError, match="no pair with an informative"):
        read_pairs(tmp_path, [Source("a", None)], max_length=9, max_words=9)


# ---- families and batches


def mutated(sequence: str, rate: float, rng: np.random.Generator) -> str:
    letters = np.array(list(sequence))
    hit = rng.random(len(letters)) < rate
    letters[hit] = rng.choice(list("ACGT"), int(hit.sum()))
    return "".join(letters)


def test_families_join_relatives_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    founders = ["".join(rng.choice(list("ACGT"), 900)) for _ in range(30)]
    copies = [mutated(sequence, 0.05, rng) for sequence in founders]
    records = [SequenceRecord("g", View.CDS, "CDS", s, "") for s in [*founders, *copies]]
    family = families(records)
    assert len(set(family)) == 30
    assert (family[:30] == family[30:]).all()


def test_validation_takes_whole_families() -> None:
    family = np.repeat(np.arange(50), 3)
    chosen = choose_validation(family.astype(np.int32), 30, np.random.default_rng(0))
    assert chosen.sum() == 30
    assert all(chosen[family == number].all() for number in set(family[chosen]))


def test_real_validation_genes_share_little_with_training(test_data: Path, root: Path) -> None:
    config = load_train_config(root / "config" / "train" / "tiny.yaml")
    names = {"mgenitalium_wholecellkb", "jcvi_syn3A", "mycoplasma_alvi", "spyogenes_m1"}
    sources = [source for source in config.sources if source.name in names]
    pairs = read_pairs(test_data / "pairs", sources, max_length=12000, max_words=40)
    split = split_pairs(pairs, replace(config, validation_families=100))
    assert {pair.source for pair in split.held_out} == {"spyogenes_m1"}
    assert len(split.validation) >= 100
    side = [0] * len(split.training) + [1] * len(split.validation)
    records = [pair.record for pair in [*split.training, *split.validation]]
    by_family: dict[int, set[int]] = {}
    for number, where in zip(families(records).tolist(), side, strict=True):
        by_family.setdefault(number, set()).add(where)
    assert all(len(sides) == 1 for sides in by_family.values())


def test_every_gene_once_per_epoch_in_batches_of_similar_length() -> None:
    rng = np.random.default_rng(3)
    lengths = rng.integers(2, 60, 1000)
    batches = epoch_batches(lengths, 64, rng)
    assert Counter(np.concatenate(batches).tolist()) == Counter(range(1000))
    assert np.mean([np.ptp(lengths[batch]) for batch in batches]) < 12


def test_labels_are_the_text_and_nothing_else() -> None:
    _, processor = toy()
    examples = build_examples(toy_pairs(12), processor, CONFIG.max_text_tokens)
    batch = collate(examples, CONFIG, 6, np.random.default_rng(0))
    for example, labels, ids in zip(examples, batch["labels"], batch["input_ids"], strict=True):
        wanted = labels[labels != -100]
        assert tuple(wanted.tolist()) == example.text_ids
        assert torch.equal(ids[labels != -100], wanted)
        assert example.text_ids[-1] == processor.tokenizer.eos_token_id
    assert batch["sequence_rows"].numel() < sum(len(example.bag.rows) for example in examples)


# ---- the loop


def trainer(folder: Path, **changes: object) -> Trainer:
    config = replace(CONFIG, **changes)
    _, processor = toy()
    examples = build_examples(toy_pairs(48), processor, config.max_text_tokens)
    model = build_model(config, processor.tokenizer)
    return Trainer(model, examples[:40], examples[40:], config, folder)


def weights(model: SequenceChatModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_resumed_training_gives_the_same_weights(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    trainer(tmp_path / "parts").run(until=12)
    torch.manual_seed(12345)  # a new process starts with other random states
    parts = trainer(tmp_path / "parts")
    assert parts.step == 12
    parts.run()
    assert parts.best_loss == whole.best_loss
    for name, tensor in weights(whole.model).items():
        assert torch.equal(tensor, weights(parts.model)[name]), name
    log = (tmp_path / "parts" / LOG).read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "6", "12", "18", "24"]


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    run = trainer(tmp_path, steps=60, evaluate_every=20)
    run.run()
    rows = [line.split(",") for line in (tmp_path / LOG).read_text().splitlines()[1:]]
    assert float(rows[-1][3]) < 0.9 * float(rows[0][3])
    saved = torch.load(tmp_path / BEST, weights_only=True)
    assert saved.keys() == run.model.state_dict().keys()


def test_training_stops_without_progress(tmp_path: Path) -> None:
    run = trainer(tmp_path, steps=200, learning_rate=0.0, table_learning_rate=0.0, patience=2)
    run.run()
    assert run.step < 40


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.run(until=6)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with torch.no_grad():
        run.model.encoder.table.weight.fill_(torch.nan)
    with pytest.raises(GenescribeError, match=r"loss is nan at step 6, genes \["):
        run.run()
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    factors = [learning_rate_factor(step, 10, 100) for step in range(101)]
    assert factors[0] == 0.1
    assert factors[9:61] == [1.0] * 52
    assert factors[80] == pytest.approx(0.5)
    assert factors[100] == 0


def test_command_trains_and_exports(tmp_path: Path) -> None:
    rng = random.Random(0)
    rows = [
        {**row(random_record(rng, View.CDS).sequence, f"text {i % 5}"), "id": str(i)}
        for i in range(80)
    ]
    write_pairs(tmp_path / "toy.jsonl.gz", rows)
    content = {name: getattr(CONFIG, name) for name in CONFIG.__slots__}
    content["sources"] = [{"name": "toy", "organism": None}]
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(content))
    out = tmp_path / "model"
    options = ["--config", tmp_path / "toy.yaml", "--pairs", tmp_path, "--work", tmp_path / "work"]
    assert main([*map(str, options), "--out", str(out)]) == 0
    model, processor = load_folder(out, PROMPT, "cpu", torch.float32)
    inputs = processor([random_record(rng)], None)
    assert isinstance(processor.decode(model.generate(**inputs, max_new_tokens=4))[0], str)


def test_wrong_configuration_names_the_key(tmp_path: Path, root: Path, capsys) -> None:
    content = yaml.safe_load((root / "config" / "train" / "tiny.yaml").read_text())
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**content, "lerning_rate": 1}))
    with pytest.raises(InputError, match="key 'lerning_rate' is unknown"):
        load_train_config(path)
    content.pop("seed")
    path.write_text(yaml.safe_dump(content))
    arguments = ["--config", str(path), "--pairs", ".", "--work", ".", "--out", "."]
    assert main(arguments) == 2
    assert "key 'seed' is missing" in capsys.readouterr().err


def test_training_and_spec_agree_on_the_prompt(root: Path) -> None:
    spec = yaml.safe_load((root / "config" / "models" / "tiny.yaml").read_text())
    config = load_train_config(root / "config" / "train" / "tiny.yaml")
    assert spec["prompt"]["template"] == config.prompt_template
    assert spec["max_length"] == config.max_length
    assert spec["generation"]["max_new_tokens"] >= config.max_text_tokens


# ---- assessment


def test_metrics() -> None:
    assert bleu_1("Protein kinase A", "protein kinase a") == 1
    assert bleu_1("protein kinase", "") == 0
    assert bleu_1("a b c d", "a b x y") == pytest.approx(0.5)
    assert rouge_l("a b c d", "a b x y") == pytest.approx(0.5)


def test_swapping_keeps_texts_and_moves_every_sequence() -> None:
    pairs = toy_pairs(30)
    swapped = swap_sequences(pairs, np.random.default_rng(0))
    assert [pair.text for pair in swapped] == [pair.text for pair in pairs]
    assert all(a.record.sequence != b.record.sequence for a, b in zip(pairs, swapped, strict=True))
    assert {p.record.sequence for p in pairs} == {p.record.sequence for p in swapped}


def test_coverage_table() -> None:
    values, right = np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, False, True, True])
    (row,) = coverage_table(values, right, [0.5])
    assert row == {"threshold": 0.5, "coverage": 0.5, "right_above": 1.0, "right_below": 0.0}


def test_assessment_of_a_set_and_its_tables() -> None:
    pairs = toy_pairs(12)
    results, predictions = assess_set(Assessor(*toy(), 6), pairs, "histone H4", seed=0)
    share = np.mean([pair.text == "histone H4" for pair in pairs])
    assert results["most_frequent"]["exact"] == pytest.approx(share)
    assert len(predictions) == results["genes"] == 12
    assert results["lift"] == pytest.approx(np.mean([found.lift for found in predictions]))
    model, processor = toy()
    inputs = processor([pairs[3].record], None)
    ids = model.generate(**inputs, max_new_tokens=6)
    expected = model.text_log_probs(inputs, ids, True).sum() / (ids != 0).sum()
    assert predictions[3].log_prob == pytest.approx(float(expected), abs=1e-5)
    report = {"model": "toy@0", "most_frequent": "histone H4", "sets": {"toy": results},
              "calibration": {}, "coverage": {}}  # fmt: skip
    assert f"| toy | most frequent | {results['most_frequent']['bleu_1']:.3f} " in tables(report)


def test_calibration_finds_the_curve_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    found = [Prediction("", *rng.normal(size=2)) for _ in range(20000)]
    logits = np.array([1 + 2 * one.log_prob - 0.5 * one.lift for one in found])
    right = rng.random(20000) < 1 / (1 + np.exp(-logits))
    fitted = fit_calibration(found, right)
    assert fitted.intercept == pytest.approx(1, abs=0.1)
    assert fitted.log_prob == pytest.approx(2, abs=0.1)
    assert fitted.lift == pytest.approx(-0.5, abs=0.1)
    with pytest.raises(InputError, match="0 of 3 texts are right"):
        fit_calibration(found[:3], np.zeros(3, dtype=bool))


def test_calibration_is_checked_on_other_genes() -> None:
    pairs = toy_pairs(8)
    texts = [pair.text if i % 2 else "nothing" for i, pair in enumerate(pairs)]
    found = [Prediction(text, -1.0 if i % 2 else -2.0, 0.1 * i) for i, text in enumerate(texts)]
    report = calibrate({VALIDATION: (pairs[:6], found[:6]), "other": (pairs[6:], found[6:])})
    rows = report["coverage"]["score, held-out species"]
    assert [row["right_above"] for row in rows if row["threshold"] == 0.5] == [1.0]
    assert all(row["coverage"] <= 1 for rows in report["coverage"].values() for row in rows)
