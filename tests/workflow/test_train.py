"""The workflow trains a model on the corpus that it built."""

from __future__ import annotations

from pathlib import Path

import yaml

from genescribe.specs.spec import load_spec, verify
from support.toy_training import CONFIG, TOKENS_SPEC, stage
from workflow.project import call_snakemake, write_config


def test_train(described: Path) -> None:
    toy = {
        **CONFIG, "spec": TOKENS_SPEC, "stages": [stage(steps=2)],
        "checkpoint_every": 1, "evaluate_every": 1,
    }  # fmt: skip
    (described / "config" / "toy.yaml").write_text(yaml.safe_dump(toy), encoding="utf-8")
    write_config(
        described,
        corpus={"mmseqs": False, "validation": 2, "test": 3},
        train={"config": "config/toy.yaml", "threads": 1},
    )
    done = call_snakemake(described, "--cores", "1", "train")
    assert done.returncode == 0, done.stderr
    spec = load_spec(str(described / "results" / "training" / "model"))
    verify(spec)
    assert spec.name == "toy"
    assert (described / "results" / "training" / "work" / "checkpoint-2").is_dir()
