"""The slurm profile on a real, one-node Slurm that lives for this test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow.project import ROOT, call_snakemake, write_config

RECIPES = Path(os.environ.get("GENESCRIBE_RECIPES", ROOT.parent / "shared" / "recipes"))
SHARDS = 12


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start Slurm, give its folder, and take it down: a dead one costs every start 10 s."""
    recipe = RECIPES / "slurm.sh"
    if not recipe.is_file():
        pytest.skip(f"no recipe for a one-node Slurm at {recipe}; set GENESCRIBE_RECIPES")
    if os.geteuid() != 0:
        pytest.skip("a one-node Slurm can only be started by root")
    if not shutil.which("slurmctld"):
        pytest.skip(f"Slurm is not installed; bash {recipe} install")
    folder = tmp_path_factory.mktemp("slurm")
    environment = {**os.environ, "SLURM_LAB_DIR": str(folder)}
    try:
        subprocess.run(["bash", recipe, "up"], env=environment, check=True, timeout=60)
        yield folder
    finally:
        subprocess.run(["bash", recipe, "down"], env=environment, check=True, timeout=60)


def test_slurm_runs_all_shards(slurm: Path, finished: tuple[Path, Path], project: Path) -> None:
    write_config(project, describe={"shards": SHARDS, "mem_mb": 1000})
    done = call_snakemake(
        project,
        "--workflow-profile", str(ROOT / "workflow" / "profiles" / "slurm"),
        "--slurm-no-account",
        "--slurm-init-seconds-before-status-checks", "1",
        "--seconds-between-status-checks", "1",
        "--latency-wait", "5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    log = (slurm / "log" / "jobcomp.log").read_text(encoding="utf-8").splitlines()
    ours = [line for line in log if "Name=true" not in line]  # starting Slurm runs `true` once
    assert sum("JobState=COMPLETED" in line for line in ours) == len(ours)
    assert len(ours) == SHARDS + 3, "extract, decorate and report; the rest runs here"
    for name in ("toy.gff3", "descriptions.jsonl"):
        same = finished[0] / "results" / "toy" / name
        assert (project / "results" / "toy" / name).read_bytes() == same.read_bytes()
