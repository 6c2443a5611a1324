"""The workflow: complete, the same as ``genescribe run``, and never describing a gene twice."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from genescribe.genome.biotypes import EXCLUDED_BIOTYPES
from workflow.project import call_snakemake, write_assembly, write_config, write_sheet

ROOT = Path(__file__).resolve().parents[2]
SAME_AS_RUN = (
    "{name}.gff3",
    "{name}.sorted.gff3.gz",
    "{name}.sorted.gff3.gz.tbi",
    "descriptions.jsonl",
    "descriptions.tsv",
    "genes.tsv",
    "genescribe_mqc.tsv",
    "sequences.fa.gz",
)


def computed(project: Path, assembly: str) -> list[int]:
    """How many genes the model was asked for, shard by shard."""
    records = sorted((project / "results" / assembly / "records").glob("describe.*.json"))
    return [json.loads(record.read_text())["computed"] for record in records]


def results(project: Path, assembly: str) -> dict[str, bytes]:
    folder = project / "results" / assembly
    return {name: (folder / name.format(name=assembly)).read_bytes() for name in SAME_AS_RUN}


def jobs(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The rules that ran."""
    assert done.returncode == 0, done.stderr
    lines = (line.split() for line in done.stderr.splitlines())
    return {words[1].rstrip(":") for words in lines if words[:1] in (["rule"], ["localrule"])}


def test_results_are_those_of_genescribe_run(
    finished: tuple[Path, Path],
    genescribe: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    project, _ = finished
    for assembly, annotation in {"toy": "genes.gff3", "toy_gtf": "genes.gtf"}.items():
        out = tmp_path / "results" / assembly
        done = genescribe(
            "run", "--genome", project / "data" / "genome.fa",
            "--annotation", project / "data" / annotation,
            "--out", out, "--name", assembly,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert results(tmp_path, assembly) == results(project, assembly)
        expected = {path.name for path in out.iterdir()}
        assert expected <= {path.name for path in (project / "results" / assembly).iterdir()}
    assert (project / "results" / "toy_gtf" / "toy_gtf.gtf").is_file()


def test_run_record_is_complete(finished: tuple[Path, Path]) -> None:
    project, _ = finished
    record = json.loads((project / "results" / "toy" / "run.json").read_text())
    assert [stage["stage"] for stage in record["stages"]] == [
        "extract", "describe", "describe", "describe", "gather", "decorate",
    ]  # fmt: skip
    assert sum(record["genes"].values()) == 12
    assert record["workflow"] == f"snakemake {metadata.version('snakemake')}"
    assert {"torch", "pysam", "jinja2"} <= set(record["versions"])
    assert {"genome", "annotation"} <= set(record["inputs"])
    assert all(len(given["sha256"]) == 64 for given in record["inputs"].values())


def test_second_start_has_nothing_to_do(finished: tuple[Path, Path]) -> None:
    project, code = finished
    done = call_snakemake(project, "--cores", "2", code=code)
    assert "Nothing to be done" in done.stderr
    assert jobs(done) == set()


@pytest.fixture
def again(finished: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the finished project, to go on with."""
    return shutil.copytree(finished[0], tmp_path / "project")


@pytest.fixture
def edit(finished: tuple[Path, Path]) -> Iterator[Callable[[str], Path]]:
    """Edit a file of the copy of the code in a way that changes nothing; taken back afterwards."""
    code, before = finished[1], dict[Path, str]()

    def change(name: str) -> Path:
        path = code / "scripts" / "genescribe" / name
        before[path] = path.read_text(encoding="utf-8")
        path.write_text(before[path] + "\n", encoding="utf-8")
        return code

    yield change
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")


RUN_AGAIN = {
    "genome/splice.py": {"extract"},
    "inference/cache.py": {"describe"},
    "models/projector.py": {"describe"},
    "models/encoders/dnabert2.py": {"describe"},
    "genome/decoration/plain_text.py": {"decorate"},
    "report/report.js": {"report"},
    "pages/html.py": {"report"},
    "evaluation/metrics.py": set(),
    "widget/app.py": set(),
}
"""Which rules of a finished workflow an edit of a file of the library makes run again."""


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_edit_runs_exactly_the_rules_that_run_the_file(
    name: str, finished: tuple[Path, Path], edit: Callable[[str], Path]
) -> None:
    code = edit(name)
    done = call_snakemake(finished[0], "--cores", "1", "--dry-run", code=code)
    assert done.returncode == 0, done.stderr
    rule, changed = "", set()
    for line in (done.stdout + done.stderr).splitlines():
        if match := re.match(r"(?:local)?rule (\w+):", line):
            rule = match[1]
        elif "reason:" in line and "Params have changed" in line:
            changed.add(rule)
    assert changed == RUN_AGAIN[name]


def test_edited_library_runs_again_but_describes_no_gene_twice(
    again: Path, edit: Callable[[str], Path]
) -> None:
    before, code = results(again, "toy"), edit("inference/describer.py")
    done = call_snakemake(again, "--cores", "2", "results/toy/report.html", code=code)
    assert jobs(done) == {"describe", "gather", "decorate", "record", "report"}
    assert computed(again, "toy") == [0, 0, 0]
    assert results(again, "toy") == before


def test_next_assembly_version_pays_for_the_changed_gene_only(
    again: Path, finished: tuple[Path, Path]
) -> None:
    write_assembly(again / "data2", mutated=True)
    write_sheet(again, {"toy2": ("data2/genome.fa", "data2/genes.gff3")})
    done = call_snakemake(again, "--cores", "2", code=finished[1])
    assert jobs(done) == {"extract", "describe", "gather", "decorate", "record", "report", "all"}
    assert sum(computed(again, "toy2")) == 1


def test_snakemake_report(finished: tuple[Path, Path], tmp_path: Path) -> None:
    project, code = finished
    target = tmp_path / "report.zip"
    done = call_snakemake(project, "--report", str(target), code=code)
    assert done.returncode == 0, done.stderr
    assert target.stat().st_size > 10_000


REFUSED = {
    "unknown key": ("config", {"shardz": 3}, "shardz"),
    "unknown key in a section": ("config", {"describe": {"shard": 3}}, "describe.*'shard'"),
    "wrong type": ("config", {"retries": "many"}, "retries.*many"),
    "unknown model": (
        "config",
        {"model": "nothing"},
        "toy: model: no model named 'nothing'",
    ),
    "empty table of models": ("config", {"model": {}}, "model: .*{}"),
    "table of models with a list": ("config", {"model": {"tRNA": ["tiny"]}}, "model.tRNA: "),
    "route that is never used": (
        "config",
        {"model": {"*": "tiny", "tRNA": "skip"}},
        "toy: model: route tRNA: is never",
    ),
    "no model at all": (
        "config",
        {"model": {"*": "skip"}},
        "toy: model: no route leads to",
    ),
    "weights that are not there": ("config", {"model": "genechat-13b"}, "model genechat-13b needs"),
    "unknown setting": ("config", {"settings": {"min": 1}}, "toy: model: .*'min'"),
    "unknown prompt": ("config", {"prompt": "other"}, "toy: model: .* has no prompt 'other'"),
    "question to a model that takes none": (
        "config",
        {"model": "genomicllm-92m", "question": "What?"},
        "takes no question",
    ),
    "unknown model in the sheet": (
        "sheet",
        "assembly\tannotation\tmodel\na\tdata/genes.gtf\tnothing\n",
        "a: model: no model named 'nothing'",
    ),
    "no such sheet": ("config", {"assemblies": "nowhere.tsv"}, "assemblies: nowhere.tsv: no such"),
    "empty sheet": ("sheet", "assembly\tgenome\tannotation\n", "names no assembly"),
    "unknown column": ("sheet", "assembly\tgene\tannotation\na\tb\tc\n", "a: .*'gene'"),
    "no annotation": ("sheet", "assembly\tgenome\tannotation\na\tb\t\n", "a: 'annotation' is"),
    "two of one name": (
        "sheet",
        "assembly\tannotation\na\tdata/genes.gtf\na\tc\n",
        "a: is there twice",
    ),
    "no such file": ("sheet", "assembly\tannotation\na\tb.gff3\n", "annotation: b.gff3: no such"),
    "odd name": ("sheet", "assembly\tannotation\n../a\tb\n", "'../a' does not match"),
    "too many cells": ("sheet", "assembly\tannotation\na\tb\tc\n", "a: .* more cells"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_configuration_is_refused_in_one_line(project: Path, case: str) -> None:
    kind, content, message = REFUSED[case]
    if kind == "config":
        write_config(project, **content)
    else:
        (project / "config" / "assemblies.tsv").write_text(content)
    done = call_snakemake(project, "--cores", "1")
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if "profile" not in line]
    assert len(said) == 1
    assert said[0].startswith("genescribe: error: config/")
    assert re.search(message, said[0])
    assert not (project / "results").exists()


def test_a_job_says_what_to_do_in_the_configuration(tmp_path: Path) -> None:
    write_assembly(tmp_path / "data")
    genome = tmp_path / "data" / "genome.fa"
    genome.write_text(genome.read_text().replace(">chr", ">scaffold"))
    (tmp_path / "project" / "config").mkdir(parents=True)
    write_sheet(tmp_path / "project", {"toy": ("../data/genome.fa", "../data/genes.gff3")})
    write_config(tmp_path / "project")
    done = call_snakemake(tmp_path / "project", "--cores", "1", "results/toy/genes.tsv")
    assert done.returncode != 0
    said = (tmp_path / "project" / "results" / "toy" / "logs" / "extract.log").read_text()
    assert "; or set extract: allow_missing_contigs: true in config/config.yaml" in said


def test_config_file_and_schema_agree() -> None:
    config = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    schema = (ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")

    def defaults(part: dict) -> dict:
        return {
            key: defaults(value) if "properties" in value else value["default"]
            for key, value in part["properties"].items()
        }

    assert yaml.safe_load(config) == defaults(yaml.safe_load(schema))
    assert yaml.safe_load(config)["extract"]["exclude_biotypes"] == list(EXCLUDED_BIOTYPES)


def test_texts_are_compared_with_references_where_the_sheet_names_some(
    again: Path, finished: tuple[Path, Path]
) -> None:
    genes = [f"g{contig}_{number}" for contig in (1, 2, 3) for number in (1, 2, 3, 4)]
    table = ["gene_id\tproduct", *(f"{gene}\tprotein kinase" for gene in genes)]
    (again / "data" / "products.tsv").write_text("\n".join(table) + "\n")
    (again / "config" / "assemblies.tsv").write_text(
        "assembly\tgenome\tannotation\treferences\n"
        "toy\tdata/genome.fa\tdata/genes.gff3\tdata/products.tsv\n"
        "toy_gtf\tdata/genome.fa\tdata/genes.gtf\t\n"
    )
    done = call_snakemake(again, "--cores", "2", code=finished[1])
    assert jobs(done) == {"evaluate", "all"}
    found = json.loads((again / "results" / "toy" / "evaluation" / "evaluation.json").read_text())
    assert found["genes"] == 12
    assert not (again / "results" / "toy_gtf" / "evaluation").exists()


def test_chromosome_beyond_the_reach_of_tbi(project: Path) -> None:
    (project / "data" / "genome.fa").write_text(
        ">chr3B\n" + "N" * 539_500_000 + "ACGT" * 200 + "\n"
    )
    span = "539500001\t539500600\t.\t+"
    (project / "data" / "genes.gff3").write_text(
        f"##gff-version 3\nchr3B\tx\tgene\t{span}\t.\tID=g1\n"
        f"chr3B\tx\tmRNA\t{span}\t.\tID=t1;Parent=g1\nchr3B\tx\tCDS\t{span}\t0\tID=c1;Parent=t1\n"
    )
    done = call_snakemake(project, "--cores", "2")
    assert done.returncode == 0, done.stderr
    results = project / "results" / "toy"
    assert (results / "toy.sorted.gff3.gz.csi").stat().st_size > 0
    assert {"toy.gff3", "report.html", "run.json"} <= {path.name for path in results.iterdir()}


def test_rules_of_another_workflow_take_these_in_as_a_module(project: Path) -> None:
    (project / "config" / "config.yaml").unlink()
    (project / "settings.yaml").write_text("genescribe:\n  describe: {shards: 1}\n")
    (project / "Snakefile").write_text(
        'configfile: "settings.yaml"\n'
        "module genescribe:\n"
        f'    snakefile: "{ROOT}/workflow/Snakefile"\n'
        '    config: config["genescribe"]\n'
        "use rule * from genescribe as genescribe_*\n"
        "rule count:\n"
        "    default_target: True\n"
        '    input: "results/toy/toy.gff3", rules.genescribe_all.input\n'
        '    output: "count.txt"\n'
        '    shell: "grep -c genescribe_status {input[0]} > {output}; test -z $PYTHONPATH"\n'
    )
    done = call_snakemake(project, "--cores", "2", snakefile=project / "Snakefile", PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert (project / "count.txt").read_text() == "12\n"
