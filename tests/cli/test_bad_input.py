"""What the whole command does with bad input: one line, the right exit code, nothing half-written.

The table of files (``FILES``) goes through ``genescribe run``; outputs, models, disks and
intermediate files follow. Wording is checked only as far as it says what, where and what to do.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from genescribe.cli import main

LOG_LINE = re.compile(r"\d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR) ")
CONTIG_LENGTH = 3000
SEQUENCE = "".join(random.Random(1).choices("ACGT", k=CONTIG_LENGTH))
FASTA = f">chr1 a contig\n{SEQUENCE}\n".encode()
NOISE = random.Random(2).randbytes(5000)


def feature(kind: str, start: object, end: object, attributes: str, seqid: str = "chr1") -> str:
    phase = "0" if kind == "CDS" else "."
    return f"{seqid}\ttest\t{kind}\t{start}\t{end}\t.\t+\t{phase}\t{attributes}\n"


def gene(gene_id: str, start: object, end: object, seqid: str = "chr1") -> str:
    return (
        feature("gene", start, end, f"ID={gene_id}", seqid)
        + feature("mRNA", start, end, f"ID={gene_id}.t;Parent={gene_id}", seqid)
        + feature("exon", start, end, f"ID={gene_id}.e;Parent={gene_id}.t", seqid)
        + feature("CDS", start, end, f"ID={gene_id}.c;Parent={gene_id}.t", seqid)
    )


def gff(*features: str) -> bytes:
    return ("##gff-version 3\n" + "".join(features)).encode()


GENES = gff(gene("g1", 101, 400), gene("g2", 801, 1400))


class Files(NamedTuple):
    """A genome and an annotation, and what the refusal has to say; None is the good file."""

    says: tuple[str, ...]
    genome: bytes | None = None
    annotation: bytes | None = None


FILES = {
    "genome_is_prose": Files(("genome:1", "not FASTA", "give"), genome=b"Dear all,\nhere it is.\n"),
    "genome_is_reads": Files(("genome:1", "FASTQ", "give"), genome=b"@r1\nACGT\n+\nIIII\n"),
    "genome_is_empty": Files(("genome", "empty", "check"), genome=b""),
    "genome_is_blank_lines": Files(("genome", "not FASTA"), genome=b"\n\n\n"),
    "genome_is_binary": Files(("genome:1", "not FASTA", "give"), genome=NOISE),
    "genome_is_protein": Files(("genome:2", "'E'"), genome=b">chr1\nMEEPQSDPSVEPPLSQETFSDLW\n"),
    "genome_has_a_name_twice": Files(("genome:3", "chr1"), genome=FASTA + FASTA),
    "genome_has_no_letters": Files(("genome:1", "empty"), genome=b">chr1\n>chr2\nACGT\n"),
    "genome_is_cut_gzip": Files(
        ("genome", "truncated", "again"), genome=gzip.compress(FASTA)[:-400]
    ),
    "annotation_is_empty": Files(("annotation", "empty", "check"), annotation=b""),
    "annotation_is_header_only": Files(("annotation", "no features", "check"), annotation=gff()),
    "annotation_has_no_genes": Files(
        ("annotation", "no gene"), annotation=gff(feature("region", 1, 3000, "ID=chr1"))
    ),
    "annotation_is_cut_gzip": Files(
        ("annotation", "truncated", "again"), annotation=gzip.compress(GENES * 9)[:-40]
    ),
    "annotation_is_binary": Files(("annotation",), annotation=NOISE),
    "annotation_is_a_web_page": Files(
        ("annotation:1",), annotation=b"<!DOCTYPE html>\n<html>not found</html>\n"
    ),
    "annotation_is_bed": Files(("annotation:1", "columns"), annotation=b"chr1\t100\t400\tg1\n"),
    "annotation_lost_its_tabs": Files(
        ("annotation:2", "tab"), annotation=GENES.replace(b"\t", b"  ")
    ),
    "the_two_files_are_swapped": Files(("annotation:1", "FASTA"), genome=GENES, annotation=FASTA),
    "gene_past_the_end": Files(
        ("g1", "chr1", "3000", "4000"), annotation=gff(gene("g1", 2500, 4000))
    ),
    "end_before_start": Files(("annotation:2", "400", "101"), annotation=gff(gene("g1", 400, 101))),
    "start_is_zero": Files(("annotation:2", "0"), annotation=gff(gene("g1", 0, 300))),
    "start_is_a_word": Files(("annotation:2", "'one'"), annotation=gff(gene("g1", "one", 300))),
    "gene_id_twice": Files(
        ("annotation:6", "g1", "line 2"),
        annotation=gff(gene("g1", 101, 400), gene("g1", 801, 1400)),
    ),
    "parents_in_a_circle": Files(
        ("annotation:", "Parent"),
        annotation=gff(
            gene("g1", 101, 400),
            feature("mRNA", 801, 1400, "ID=a;Parent=b"),
            feature("mRNA", 801, 1400, "ID=b;Parent=a"),
        ),
    ),
    "its_own_parent": Files(
        ("annotation:", "Parent"), annotation=gff(feature("mRNA", 801, 1400, "ID=a;Parent=a"))
    ),
    "names_do_not_match": Files(
        ("chr1", "the FASTA has 1", "--allow-missing-contigs"),
        genome=FASTA.replace(b">chr1", b">1"),
    ),
    "decorated_before": Files(
        ("annotation:2", "genescribe strip"),
        annotation=GENES.replace(b"ID=g1\n", b"ID=g1;genescribe_status=described\n"),
    ),
}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """A good genome and annotation in a folder that nothing may be added to."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    paths = {"genome": folder / "genome", "annotation": folder / "annotation"}
    paths["genome"].write_bytes(FASTA)
    paths["annotation"].write_bytes(GENES)
    return paths


@pytest.fixture
def refused(capfd):
    """Return a function that runs a command, in this process, and checks how it refuses."""

    def check(*args: object, code: int = 2, says: tuple[str, ...] = ()) -> None:
        capfd.readouterr()
        found = main([str(word) for word in args])
        stdout, stderr = capfd.readouterr()
        told = [line for line in stderr.splitlines() if not LOG_LINE.match(line)]
        assert found == code, stderr
        assert len(told) == 1, stderr
        assert re.match(r"genescribe[ a-z]*: error: (?!unexpected)", told[0]), told
        assert stdout == ""
        for fragment in says:
            assert fragment in told[0]

    return check


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def given(inputs: dict[str, Path]) -> list[object]:
    return ["--genome", inputs["genome"], "--annotation", inputs["annotation"]]


@pytest.mark.parametrize("case", FILES)
def test_files_that_cannot_be_used(refused, inputs, tmp_path, case):
    for kind, data in (("genome", FILES[case].genome), ("annotation", FILES[case].annotation)):
        if data is not None:
            inputs[kind].write_bytes(data)
    before, out = content(tmp_path), tmp_path / "out"
    refused("run", *given(inputs), "--out", out, says=FILES[case].says)
    assert content(tmp_path) == before


@pytest.mark.parametrize("kind", ["genome", "annotation"])
@pytest.mark.parametrize(
    ("state", "says"), [("folder", "is a directory"), ("gone", "no such file")]
)
def test_what_is_no_file(refused, inputs, tmp_path, kind, state, says):
    inputs[kind].unlink()
    if state == "folder":
        inputs[kind].mkdir()
    refused("run", *given(inputs), "--out", tmp_path / "out", says=(str(inputs[kind]), says))
    assert content(tmp_path / "out") == {}


def test_a_shell_sees_the_same(genescribe, inputs, tmp_path):
    inputs["genome"].write_text("Dear all,\n")
    run = genescribe("extract", *given(inputs), "--out", tmp_path)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.startswith("genescribe: error: ")


def test_no_genome_at_all(refused, inputs, tmp_path):
    args = ["run", "--annotation", inputs["annotation"], "--out", tmp_path / "out"]
    refused(*args, says=("annotation", "##FASTA", "--genome"))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("describe-all",), ("describe-all", "--help")),
        (("run", "--out", "x"), ("--annotation",)),
        (("extract", "--annotation", "x", "--out", "x", "--flank", "-1"), ("--flank", "'-1'")),
        (("extract", "--annotation", "x", "--out", "x", "--view", "exon"), ("--view", "cds")),
        (("run", "--annotation", "x", "--out", "x", "--set", "min_lift=nan"), ("min_lift=nan",)),
        (
            ("describe", "--genes", "x", "--sequences", "x", "--out", "x", "--shard", "9/8"),
            ("9/8",),
        ),
    ],
)
def test_usage(refused, args, says):
    refused(*args, says=says)


def own_spec(root: Path, folder: Path) -> Path:
    """Copy the shipped model and its spec; return the copy of the spec."""
    spec = yaml.safe_load((root / "config" / "models" / "tiny.yaml").read_text(encoding="utf-8"))
    shutil.copytree(root / "models" / "tiny", folder / "tiny")
    spec["weights"]["folder"] = "./tiny"
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return path


def test_unknown_model(refused, inputs, tmp_path):
    args = ["run", *given(inputs), "--out", tmp_path / "out", "--model", "huge"]
    refused(*args, says=("'huge'", "known: genechat-13b"))
    assert content(tmp_path / "out") == {}


def test_a_gpu_that_is_not_there(refused, inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    args = ["run", *given(inputs), "--out", tmp_path / "out", "--device", "cuda"]
    refused(*args, says=("device cuda", "use --device cpu"))
    assert content(tmp_path / "out") == {}


def test_unknown_key_in_a_model_spec(refused, inputs, root, tmp_path):
    spec = own_spec(root, tmp_path)
    spec.write_text(spec.read_text(encoding="utf-8") + "temperature: 2\n", encoding="utf-8")
    args = ["run", *given(inputs), "--out", tmp_path / "out", "--model", spec]
    refused(*args, says=("own.yaml", "'temperature'"))
    assert content(tmp_path / "out") == {}


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damaged_checkpoint(refused, inputs, root, tmp_path, damage):
    spec = own_spec(root, tmp_path)
    weights = tmp_path / "tiny" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    weights.unlink()
    if damage == "flipped":
        data[-1] ^= 1
        weights.write_bytes(data)
    elif damage == "cut":
        weights.write_bytes(data[:1000])
    says = (str(weights), "missing" if damage == "gone" else "sha256", "restore")
    refused("run", *given(inputs), "--out", tmp_path / "out", "--model", spec, says=says)
    assert content(tmp_path / "out") == {}


@pytest.fixture(scope="module")
def finished(genescribe, tmp_path_factory) -> Path:
    """A folder with genome, annotation and the results of a finished run (``out``)."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "genome").write_bytes(FASTA)
    (folder / "annotation").write_bytes(GENES)
    (folder / "stage.json").write_text('{"stage": "extract"}', encoding="utf-8")
    args = ("--genome", folder / "genome", "--annotation", folder / "annotation")
    run = genescribe("run", *args, "--out", folder / "out")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def stage(name: str, folder: Path, out: Path) -> list[object]:
    """Return the arguments of one stage on the results in ``folder``, writing into ``out``."""
    results = folder / "out"
    annotation = ["--annotation", folder / "annotation"]
    genes = ["--genes", results / "genes.tsv"]
    texts = ["--descriptions", results / "descriptions.jsonl"]
    return {
        "run": ["run", "--genome", folder / "genome", *annotation, "--out", out],
        "extract": ["extract", "--genome", folder / "genome", *annotation, "--out", out],
        "describe": [
            *("describe", *genes, "--sequences", results / "sequences.fa.gz"),
            *("--out", out / "descriptions.jsonl"),
        ],
        "gather": ["gather", *genes, texts[1], "--out", out / "descriptions.jsonl"],
        "decorate": ["decorate", *annotation, *texts, "--out", out / "annotation.gff3"],
        "report": ["report", *genes, *texts, "--out", out / "report.html"],
        "strip": ["strip", results / "annotation.gff3", "--out", out / "annotation.gff3"],
        "record": ["record", folder / "stage.json", "--out", out / "run.json"],
    }[name]


STAGES = ["run", "extract", "describe", "gather", "decorate", "report", "strip", "record"]


@pytest.mark.parametrize("name", STAGES)
def test_results_are_not_overwritten(refused, results, name):
    before, out = content(results), results / "out"
    refused(*stage(name, results, out), says=(str(out), "--force"))
    assert content(results) == before


@pytest.mark.parametrize("file", ["genes.tsv", "annotation.gff3", "report.html"])
def test_run_spares_files_that_are_not_its_own(refused, inputs, tmp_path, file):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / file).write_text("mine")
    refused("run", *given(inputs), "--out", tmp_path / "out", says=(file, "--force"))
    assert content(tmp_path / "out") == {file: b"mine"}


@pytest.mark.parametrize("name", ["genes.gff3", "genes.gtf"])
def test_the_output_is_the_input(refused, inputs, tmp_path, name):
    inputs["annotation"] = inputs["annotation"].rename(inputs["annotation"].with_name(name))
    before, out = content(tmp_path), inputs["annotation"].parent
    refused("run", *given(inputs), "--out", out, "--force", says=(name, "choose another"))
    assert content(tmp_path) == before


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("where", ["below_a_file", "proc"])
def test_outputs_that_cannot_be_written(refused, results, name, where):
    out = Path("/proc/genescribe") if where == "proc" else results / "annotation" / "below"
    before = content(results)
    refused(*stage(name, results, out), code=1, says=(str(out), "cannot be written", "choose"))
    assert content(results) == before


@pytest.fixture
def full_disk(tmp_path: Path, need) -> Iterator[Path]:
    """A file system without a free byte; mounting one takes root."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small tmpfs that this test fills")
    folder = tmp_path / "full"
    folder.mkdir()
    command = [need("mount"), "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
    try:
        (folder / "filler").write_bytes(b"x" * 16384)
        yield folder
    finally:
        subprocess.run([need("umount"), str(folder)], check=True)


@pytest.mark.parametrize("name", STAGES)
def test_full_disk(refused, results, full_disk, name):
    refused(*stage(name, results, full_disk), code=1, says=(str(full_disk), "disk full", "free"))
    (full_disk / "filler").unlink()
    kept = {path for path in content(full_disk) if not Path(path).name.startswith(".desc")}
    assert kept == set()  # a stopped describe may keep its resumable part, nothing else


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--organism", "Homo sapiens"], ("organism", "Homo sapiens", "--force")),
        (["--min-length", "60"], ("min_length", "30 -> 60", "--force")),
        (["--attribute", "description"], ("attribute", "Note -> description", "--force")),
    ],
)
def test_resume_with_other_settings(refused, results, change, says):
    before = content(results)
    refused(*stage("run", results, results / "out"), "--resume", *change, says=says)
    assert content(results) == before


DAMAGED = {
    "genes.tsv": [b"", b"id\tname\nx\ty\n", NOISE],
    "sequences.fa.gz": [b"", gzip.compress(b">g1\nACGT\n"), NOISE],
    "descriptions.jsonl": [b"{}\n", b"[1]\n", b"not json\n", NOISE],
}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("describe", "genes.tsv"),
        ("describe", "sequences.fa.gz"),
        ("gather", "genes.tsv"),
        ("gather", "descriptions.jsonl"),
        ("decorate", "descriptions.jsonl"),
        ("report", "genes.tsv"),
        ("report", "descriptions.jsonl"),
    ],
)
def test_damaged_intermediate_files(refused, results, tmp_path, name, file):
    for data in DAMAGED[file]:
        (results / "out" / file).write_bytes(data)
        refused(*stage(name, results, tmp_path / "new"), says=(file,))
    (results / "out" / file).unlink()
    refused(*stage(name, results, tmp_path / "new"), says=(file, "no such file"))
    assert content(tmp_path / "new") == {}


def test_texts_of_another_annotation(refused, results, tmp_path):
    (results / "annotation").write_bytes(gff(gene("other", 101, 400)))
    refused(*stage("decorate", results, tmp_path / "new"), says=("other", "annotation"))
    assert content(tmp_path / "new") == {}


def statuses(folder: Path) -> dict[str, tuple[str, str]]:
    lines = (folder / "descriptions.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = (line.split("\t") for line in lines if not line.startswith("# "))
    status, reason = header.index("status"), header.index("reason")
    return {row[0]: (row[status], row[reason]) for row in rows}


def test_no_gene_to_describe(genescribe, inputs, tmp_path):
    out = ["--out", tmp_path / "out"]
    run = genescribe("run", *given(inputs), *out, "--exclude-biotypes", "*")
    assert run.returncode == 0, run.stderr
    assert set(statuses(tmp_path / "out").values()) == {("skipped", "biotype_excluded")}


def test_missing_contigs_may_be_allowed(genescribe, inputs, tmp_path):
    inputs["annotation"].write_bytes(GENES + gene("far", 1, 300, seqid="chrUn").encode())
    out = ["--out", tmp_path / "out"]
    run = genescribe("run", *given(inputs), *out, "--allow-missing-contigs")
    assert run.returncode == 0, run.stderr
    assert statuses(tmp_path / "out")["far"] == ("skipped", "no_sequence")
    assert statuses(tmp_path / "out")["g1"][0] in ("described", "uncertain")


def test_genes_of_any_size_and_letter(genescribe, inputs, tmp_path):
    long = "".join(random.Random(3).choices("ACGT", k=3_000_000))
    inputs["genome"].write_text(f">chr1\n{SEQUENCE}\n>long\n{long}\n>gap\n{'N' * 900}\n")
    features = [
        gene("one_base", 7, 7),
        gene("huge", 1, 3_000_000, "long"),
        gene("n", 1, 900, "gap"),
    ]
    inputs["annotation"].write_bytes(gff(*features))
    run = genescribe("run", *given(inputs), "--out", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    found = statuses(tmp_path / "out")
    assert found.pop("huge")[0] in ("described", "uncertain")
    assert found == {"one_base": ("skipped", "too_short"), "n": ("skipped", "mostly_n")}
