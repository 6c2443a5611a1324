"""``--use-conda``: the environments build, are kept apart, and hold what the rules import.

conda is a stand-in here: conda's own solver and installer on a local channel made from the locked
packages of PyPI. It proves nothing about what conda-forge and bioconda hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workflow.project import ROOT, call_snakemake, write_assembly, write_config, write_sheet

RECIPES = Path(os.environ.get("GENESCRIBE_RECIPES", ROOT.parent / "shared" / "recipes"))
STAND_IN = RECIPES / "conda_standin"
PYTORCH = "pytorch"
WITHOUT_WHEEL = "rouge-score"
"""PyPI has its source only; the stand-in repacks wheels."""
RUN_AND_LEAVE = (
    "import os, runpy, sys; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__'); sys.stdout.flush(); os._exit(0)"
)
"""Runs a script whose work is done when it ends: now and then py-rattler 0.28 crashes while the
interpreter finalizes. An exception still gives a traceback and another exit status than 0."""


def with_dependencies(names: list[str]) -> dict[str, str]:
    """Return the versions installed here of these packages and of all that they need."""
    found: dict[str, str] = {}
    while names:
        name = canonicalize_name(names.pop())
        if name in found:
            continue
        distribution = metadata.distribution(name)
        found[name] = distribution.version.split("+")[0]
        for requirement in map(Requirement, distribution.requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                names.append(requirement.name)
    return found


def virtual_environment(folder: Path, *packages: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-qq", *packages], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def conda(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables under which Snakemake finds the stand-in and its channels."""
    if not STAND_IN.is_dir():
        pytest.skip(f"no stand-in for conda at {STAND_IN}; set GENESCRIBE_RECIPES")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the environments ask for Python 3.11, and the stand-in repacks this Python")
    place = tmp_path_factory.mktemp("conda")
    wanted = {
        line.split("=")[0]
        for path in (ROOT / "envs").glob("*.yaml")
        for line in yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    }
    names = sorted(wanted - {"python", "mmseqs2", PYTORCH} | {"torch"})
    wheels = [f"{name}=={version}" for name, version in with_dependencies(names).items()]
    # on conda-forge torch is called pytorch
    stub = {"name": PYTORCH, "version": metadata.version("torch").split("+")[0]}
    channels = {"python": True, "wheels": wheels, "stubs": [stub | {"depends": ["torch"]}]}
    specification = place / "channels.yaml"
    specification.write_text(yaml.safe_dump({"conda-forge": channels, "bioconda": {}}))
    tools = virtual_environment(
        place / "tools", "py-rattler==0.28.0", "pyyaml", "zstandard", "packaging"
    )
    built = place / "built"
    source = f"{WITHOUT_WHEEL}=={metadata.version(WITHOUT_WHEEL)}"
    subprocess.run([tools / "pip", "wheel", "-qq", "--no-deps", "-w", built, source], check=True)
    make_channels = [STAND_IN / "mkchannel.py", specification, place / "channels"]
    subprocess.run(
        [tools / "python", "-c", RUN_AND_LEAVE, *make_channels],
        check=True,
        env={**os.environ, "PIP_FIND_LINKS": f"{os.environ.get('PIP_FIND_LINKS', '')} {built}"},
    )
    return {
        "PATH": f"{STAND_IN / 'bin'}:{os.environ['PATH']}",
        "CONDA_SHIM_PYTHON": str(tools / "python"),
        "CONDA_SHIM_CHANNEL_ALIAS": f"file://{place / 'channels'}/",
        "CONDA_PKGS_DIRS": str(place / "packages"),
    }


def test_every_rule_runs_in_its_conda_environment(
    conda: dict[str, str], finished: tuple[Path, Path], tmp_path: Path
) -> None:
    # Snakemake alone: a package that a rule needs and its environment lacks is nowhere else
    version = metadata.version("snakemake")
    program = virtual_environment(tmp_path / "snakemake", f"snakemake=={version}") / "snakemake"
    project = tmp_path / "project"
    write_assembly(project / "data")
    write_config(project, describe={"shards": 1})
    write_sheet(project, {"toy": ("data/genome.fa", "data/genes.gff3")})
    done = call_snakemake(
        project, "--use-conda", "--cores", "2", program=str(program), **conda
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Activating conda environment") >= 6
    built = {path.name for path in (project / ".snakemake" / "conda").glob("*/conda-meta/torch-*")}
    assert len(built) == 1, "only describe needs torch"
    for name in ("toy.gff3", "descriptions.jsonl"):
        same = finished[0] / "results" / "toy" / name
        assert (project / "results" / "toy" / name).read_bytes() == same.read_bytes()
