"""The published systems from their own checkpoints to a decorated annotation, at a small size."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from genescribe.artifacts.descriptions import read_descriptions
from genescribe.artifacts.genes import read_genes_tsv
from genescribe.cli import main
from support import published_layouts as layouts

TEXT_TOKENS = 6


@pytest.fixture(scope="module")
def specs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Specs of GeneChat and GenomicLLM as shipped, over small random weights, converted."""
    folder = tmp_path_factory.mktemp("published")
    genechat = layouts.genechat(folder_of(folder, "genechat"))
    genomicllm = layouts.genomicllm(folder_of(folder, "genomicllm"))
    convert = ["models", "convert", "--from"]
    assert main([
        *convert, "genechat", str(genechat.path), str(folder / "genechat-13b"),
        "--tokenizer", str(genechat.tokenizer),
        "--encoder-tokenizer", str(genechat.encoder_tokenizer),
    ]) == 0  # fmt: skip
    assert main([
        *convert, "genomicllm", str(genomicllm.path), str(folder / "genomicllm-92m"),
        "--tokenizer", str(genomicllm.tokenizer),
    ]) == 0  # fmt: skip
    return {
        name: write_small(root / "config" / "models" / f"{name}.yaml", folder)
        for name in ("genechat-13b", "genomicllm-92m")
    }


def folder_of(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def write_small(shipped: Path, folder: Path) -> str:
    """Write a shipped spec with short texts and the sizes of the converted weights."""
    spec = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    spec["weights"]["folder"] = f"./{shipped.stem}"
    del spec["config"]
    spec["generation"]["max_new_tokens"] = TEXT_TOKENS
    path = folder / shipped.name
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return str(path)


@pytest.fixture
def example(root: Path) -> list[str]:
    examples = root / "examples"
    return [
        "--genome", str(examples / "example.fa"), "--annotation", str(examples / "example.gff3")
    ]  # fmt: skip


def test_two_published_systems_describe_one_assembly(
    specs: dict[str, str], example: list[str], root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    routes = ["--route", f"protein_coding={specs['genechat-13b']}"]
    routes += ["--route", f"*RNA={specs['genomicllm-92m']}"]
    assert main(["run", *example, *routes, "--out", str(out)]) == 0
    rows = read_genes_tsv(out / "genes.tsv")
    found = list(read_descriptions(out / "descriptions.jsonl"))
    assert [one.gene_id for one in found] == [row.gene_id for row in rows]
    models = Counter((row.biotype.endswith("RNA"), one.model.split("@")[0])
                     for row, one in zip(rows, found, strict=True))  # fmt: skip
    assert models == {(False, "genechat-13b"): 42, (True, "genomicllm-92m"): 10, (False, ""): 1}
    assert all(not one.calibrated for one in found if one.score is not None)
    decorated = (out / "example.gff3").read_text(encoding="utf-8")
    assert decorated.count("genescribe_calibrated=no") == 52
    assert "not calibrated" in (out / "report.html").read_text(encoding="utf-8")
    assert main(["strip", str(out / "example.gff3"), "--out", str(tmp_path / "in.gff3")]) == 0
    assert (tmp_path / "in.gff3").read_bytes() == (root / "examples/example.gff3").read_bytes()


def test_prompt_and_question_are_recorded_and_pay_for_new_texts(
    specs: dict[str, str],
    example: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    routes = ["--route", f"tRNA={specs['genechat-13b']}", "--cache", str(tmp_path / "cache")]

    def run(name: str, *asked: str) -> tuple[dict[str, object], int]:
        out = tmp_path / name
        assert main(["run", *example, *routes, *asked, "--out", str(out)]) == 0
        record = json.loads((out / "run.json").read_text())
        computed = [stage["computed"] for stage in record["stages"] if "computed" in stage]
        prompts = {one.prompt for one in read_descriptions(out / "descriptions.jsonl")} - {""}
        assert prompts == {record["model"]["prompt"]}
        return record["model"], computed[0]

    facts = [
        run("plain"),
        run("training", "--prompt", "training"),
        run("asked", "--prompt", "training", "--question", "Where is it made?"),
        run("again", "--prompt", "training", "--question", "Where is it made?"),
    ]
    assert [computed for _, computed in facts] == [3, 3, 3, 0]
    ids = [str(model["prompt"]) for model, _ in facts]
    assert ids[:2] == ["genechat-inference", "genechat-training"]
    assert ids[2] == ids[3]
    assert ids[2].startswith("genechat-training+")
    assert facts[2][0]["question"] == "Where is it made?"
    command = ["run", *example, *routes, "--out", str(tmp_path / "asked"), "--resume"]
    capsys.readouterr()
    assert main([*command, "--prompt", "training", "--question", "When?"]) == 2
    assert f"prompt: {ids[2]} -> genechat-training+" in capsys.readouterr().err
