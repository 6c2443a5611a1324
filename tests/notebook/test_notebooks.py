"""The notebooks run from top to bottom, offline, on the example; no outputs are stored in them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

TRAINS = "train_on_relatives"
NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_nothing_is_stored_that_drifts(notebook) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert "widgets" not in notebook.metadata


@pytest.fixture
def project(root, tmp_path):
    """A copy of what the notebooks read, and room for what they write."""
    for folder in ("examples", "config"):
        shutil.copytree(root / folder, tmp_path / folder)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_runs_from_top_to_bottom(notebook, root, project, monkeypatch, request) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root / "scripts"), prepend=os.pathsep)
    monkeypatch.setenv("IPYTHONDIR", str(project / "ipython"))
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nothing listens there
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(project / "notebooks")}},
    )
    client.execute()  # raises CellExecutionError
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert [output for output in outputs if "application/vnd.jupyter.widget-view+json" in
            output.get("data", {})]  # fmt: skip
    assert len(outputs) >= 6
    if request.node.callspec.id == TRAINS:
        check_trained(project / "results" / "relatives", root)


def check_trained(results: Path, root: Path) -> None:
    """The tuned models have the relatives' genes, and were measured on those of the other."""
    stored = [
        json.loads((folder / "config.json").read_text())["encoder_config"]["num_genes"]
        for folder in (root / "models" / "tiny", results / "test_model", results / "model")
    ]
    assert stored[0] < stored[1] < stored[2]  # of none, one and both relatives
    figures = json.loads((results / "evaluation_tuned" / "evaluation.json").read_text())
    assert figures["sides"] == ["held_out"]
    assert figures["genes"] == 52
    nats = figures["nats"]["other_gene_minus_gene"]
    assert nats["interval"][0] > 0  # it reads the gene
