"""Two processes train as one does that takes twice as many batches a step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from genescribe.training.train import TrainInputs, train
from support.toy_training import TOKENS_SPEC, stage, toy_inputs


def inputs_without_dropout(folder: Path, accumulation: int) -> TrainInputs:
    """Write the toy's inputs; what dropout hides would be drawn in each process anew."""
    stages = [stage(steps=6, gradient_accumulation=accumulation)]
    inputs = toy_inputs(folder, spec=TOKENS_SPEC, stages=stages, evaluate_every=3)
    config = inputs.config.read_text(encoding="utf-8")
    inputs.config.write_text(config.replace("dropout: 0.1", "dropout: 0.0"), encoding="utf-8")
    return inputs


def test_two_processes(tmp_path: Path, root: Path) -> None:
    inputs = inputs_without_dropout(tmp_path / "two", 1)
    options = ["--config", inputs.config, "--corpus", inputs.corpus, "--splits", inputs.splits,
               "--work", tmp_path / "two" / "work", "--out", tmp_path / "two" / "model",
               "--device", "cpu", "--threads", "1"]  # fmt: skip
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*launch, "-m", "genescribe", "train", *map(str, options)],
        env={**os.environ, "PYTHONPATH": str(root / "scripts"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written") == 1
    torch.set_num_threads(1)
    inputs = inputs_without_dropout(tmp_path / "one", 2)
    train(inputs, tmp_path / "one" / "work", tmp_path / "one" / "model", device="cpu")
    one, two = (load_file(tmp_path / n / "model" / "model.safetensors") for n in ("one", "two"))
    for name, tensor in one.items():
        # 0.003: the learning rate, of which AdamW makes a step of any rounding error around zero
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=6 * 0.003, msg=name)
    logs = [(tmp_path / n / "work" / "log.csv").read_text().splitlines() for n in ("one", "two")]
    for ours, theirs in zip(*(log[1:] for log in logs), strict=True):
        assert ours.split(",")[5:7] == theirs.split(",")[5:7]  # losses, to four digits
