"""The training loop on a toy: it learns, it resumes to the bit, and it stops as it should."""

from __future__ import annotations

import csv
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from genescribe.errors import GenescribeError, InputError, OutputError, SettingsChangedError
from genescribe.inference.describer import Describer
from genescribe.specs.spec import load_spec
from genescribe.training import loop
from genescribe.training.checkpoints import PREFIX, State
from genescribe.training.loop import Trainer
from genescribe.training.train import TrainInputs, train
from support.toy_training import PRODUCTS, TOKENS_SPEC, stage, toy_inputs, toy_records


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(inputs: TrainInputs, folder: Path, **options: object) -> float:
    return train(inputs, folder / "work", folder / "model", device="cpu", **options)


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "work" / "log.csv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def assert_same_weights(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


def test_a_model_learns_what_the_sequence_decides(tmp_path: Path) -> None:
    inputs = toy_inputs(
        tmp_path,
        stages=[
            stage(steps=210, learning_rate=0.005, batch_genes=16, schedule="constant_with_warmup")
        ],
        evaluate_every=70,
    )
    told: list[tuple[int, int]] = []
    loss = run(inputs, tmp_path, progress=lambda done, total: told.append((done, total)))
    rows = log(tmp_path)
    assert [row["step"] for row in rows] == ["70", "140", "210"]
    assert loss == pytest.approx(float(rows[-1]["validation"]), abs=1e-3)
    assert loss < 0.4
    assert float(rows[-1]["lift"]) > 0.2 > float(rows[0]["lift"])
    assert told[:: len(told) - 1] == [(0, 210), (210, 210)]
    new = [r.sequence_record() for r in toy_records(4, seed=5)[::2]]
    described = list(Describer(load_spec(str(tmp_path / "model")), device="cpu").describe(new))
    assert [one.text for one in described] == list(PRODUCTS)
    assert sum(one.lift or 0 for one in described) > 0.2 * len(PRODUCTS)


class Stopped(Exception):
    pass


def stop_at(step: int):
    def told(done: int, total: int) -> None:
        if done == step:
            raise Stopped

    return told


TWO_STAGES = [
    stage(name="projector", train=["encoder", "projector"], steps=6),
    stage(name="all", epochs=0.7, steps=None, gradient_accumulation=2),
]


@pytest.mark.parametrize("step", [5, 7, 11])
def test_resumed_training_gives_the_same_weights(tmp_path: Path, step: int) -> None:
    inputs = toy_inputs(tmp_path, stages=TWO_STAGES, checkpoint_every=2, evaluate_every=3)
    run(inputs, tmp_path / "whole")
    with pytest.raises(Stopped):
        run(inputs, tmp_path / "parts", progress=stop_at(step))
    torch.manual_seed(12345)  # a new process starts with other random states
    run(inputs, tmp_path / "parts")
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    without_time = [{**row, "seconds": ""} for row in log(tmp_path / "parts")]
    assert without_time == [{**row, "seconds": ""} for row in log(tmp_path / "whole")]


def test_a_killed_process_leaves_what_the_same_command_goes_on_from(
    tmp_path: Path, root: Path
) -> None:
    inputs = toy_inputs(
        tmp_path, spec=TOKENS_SPEC, stages=[stage(steps=60)], checkpoint_every=2, evaluate_every=20
    )
    options = ["--config", inputs.config, "--corpus", inputs.corpus, "--splits", inputs.splits,
               "--work", tmp_path / "killed" / "work", "--out", tmp_path / "killed" / "model",
               "--device", "cpu", "--threads", "1"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "genescribe", "train", *map(str, options)],
        env={**os.environ, "PYTHONPATH": str(root / "scripts")},
        stderr=subprocess.DEVNULL,
    )
    while not list((tmp_path / "killed").glob(f"work/{PREFIX}?*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run(inputs, tmp_path / "killed")
    run(inputs, tmp_path / "whole")
    assert_same_weights(tmp_path / "whole", tmp_path / "killed")


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    inputs = toy_inputs(tmp_path)
    run(inputs, tmp_path / "whole")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_at_six(done: int, total: int) -> None:
        if done == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, unlimited[1]))

    try:
        with pytest.raises(OutputError, match=r"(best-all|checkpoint-8).* cannot be written"):
            run(inputs, tmp_path / "full", progress=fill_at_six)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [path.name for path in (tmp_path / "full" / "work").glob("*-[0-9]*")] == ["checkpoint-4"]
    run(inputs, tmp_path / "full")
    assert_same_weights(tmp_path / "whole", tmp_path / "full")


def test_a_loss_that_is_not_finite_names_stage_step_and_genes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poison(trainer: Trainer, step, batches) -> None:
        if trainer.position.step == 5:
            with torch.no_grad():
                trainer.model.encoder.table.weight.fill_(torch.nan)
        learn(trainer, step, batches)

    learn = Trainer._step
    monkeypatch.setattr(Trainer, "_step", poison)
    message = (
        r"^stage all, step 6: the loss is nan over 8 genes \(gene\d+, gene\d+, gene\d+\.\.\.\)"
    )
    with pytest.raises(GenescribeError, match=message):
        run(toy_inputs(tmp_path), tmp_path)
    assert (tmp_path / "work" / "checkpoint-4").is_dir()


@pytest.mark.parametrize(
    ("changes", "what"), [({"drop_sequence": 0.3}, "config"), ({"genes": 84}, "corpus and split")]
)
def test_a_checkpoint_of_another_training_is_refused(
    tmp_path: Path, changes: dict[str, object], what: str
) -> None:
    with pytest.raises(Stopped):
        run(toy_inputs(tmp_path), tmp_path, progress=stop_at(6))
    message = rf"checkpoint-4: of a training with another {what}; restore"
    with pytest.raises(SettingsChangedError, match=message):
        run(toy_inputs(tmp_path, **changes), tmp_path)


def test_training_stops_without_progress_and_keeps_the_best(tmp_path: Path) -> None:
    inputs = toy_inputs(
        tmp_path,
        stages=[stage(steps=400, learning_rate=0.5, schedule="constant")],
        patience=2,
        evaluate_every=2,
    )
    loss = run(inputs, tmp_path)
    validation = [float(row["validation"]) for row in log(tmp_path)]
    assert len(validation) < 100
    assert loss == pytest.approx(min(validation), abs=1e-4)
    assert validation[-3] == min(validation)


def losses_of_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """Train one step on the same 16 draws, cut into batches of these sizes."""
    plan = Trainer._plan

    def one_step(trainer: Trainer, number: int, epoch: int):
        draws = [draw for step in plan(trainer, number, epoch) for batch in step for draw in batch]
        draws, batches = sorted(draws)[:16], []
        for size in sizes:
            batches.append(draws[:size])
            draws = draws[size:]
        return [batches]

    monkeypatch.setattr(Trainer, "_plan", one_step)
    # AdamW would make steps of the learning rate of what is rounding error in a gradient of zero
    monkeypatch.setattr(
        loop, "optimizer", lambda model, _: torch.optim.SGD(model.parameters(), 1.0)
    )
    inputs = toy_inputs(tmp_path, stages=[stage(steps=1, warmup=0)])
    config = inputs.config.read_text().replace("dropout: 0.1", "dropout: 0.0")
    inputs.config.write_text(config)
    run(inputs, tmp_path)
    monkeypatch.undo()
    return weights(tmp_path)


def test_accumulated_gradients_are_those_of_the_big_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = losses_of_one_step(tmp_path / "whole", monkeypatch, (16,))
    parts = losses_of_one_step(tmp_path / "parts", monkeypatch, (3, 9, 4))
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=0, atol=2e-5, msg=name)


def test_an_epoch_of_fewer_batches_than_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop.Accelerator, "num_processes", 40)
    with pytest.raises(InputError, match="an epoch has 16 batches, but there are 40 processes"):
        run(toy_inputs(tmp_path), tmp_path)


def test_checkpoint_of_an_earlier_version_goes_on() -> None:
    class Schedule:
        def load_state_dict(self, state: dict) -> None: ...

    state = State()
    state.schedule = Schedule()
    state.load_state_dict({"progress": {"total": 7, "nats": 3.5}, "schedule": {}})
    assert (state.position.total, state.position.nll) == (7, 3.5)
