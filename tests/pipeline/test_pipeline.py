"""Records, settings and joining: what holds the stages of one assembly together."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genescribe.artifacts.descriptions import read_descriptions
from genescribe.artifacts.genes import write_genes_tsv
from genescribe.artifacts.run_record import (
    Hashes,
    InputFile,
    Recording,
    RunRecord,
    StageRecord,
    merge_records,
    peak_memory_mb,
    read_record,
    stage_record,
    versions,
    write_record,
)
from genescribe.artifacts.sequences import write_sequences
from genescribe.errors import FormatError, InputError
from genescribe.inference.settings import DescribeSettings
from genescribe.pipeline.options import routes_of, text_settings
from genescribe.pipeline.progress import clock, progress_text
from genescribe.pipeline.run import RunOptions, annotation_name, result_name
from genescribe.pipeline.stages import complete_descriptions, describe_stage
from genescribe.records import (
    Description,
    GeneRow,
    Reason,
    SequenceRecord,
    Status,
    View,
    sequence_sha256,
)
from genescribe.specs.spec import ModelSpec


def gene(gene_id: str, reason: Reason = Reason.NONE) -> GeneRow:
    return GeneRow(
        gene_id, "chr1", 0, 90, "+", "tRNA", "", "", 1, "t", 1, "cds", 90, 0, 0.5, "", reason
    )


def text(gene_id: str) -> Description:
    return Description(gene_id, "a", Status.DESCRIBED, Reason.NONE, 0.5, 1.0, 2, "m@1", "p")


def test_every_gene_gets_one_row_in_input_order() -> None:
    rows = [gene("b"), gene("x", Reason.TOO_SHORT), gene("a")]
    complete = complete_descriptions(rows, {"a": text("a"), "b": text("b")})
    assert [d.gene_id for d in complete] == ["b", "x", "a"]
    assert (complete[1].status, complete[1].reason) == (Status.SKIPPED, Reason.TOO_SHORT)
    assert complete[1].model == "m@1"


def test_a_lost_shard_is_noticed() -> None:
    with pytest.raises(InputError, match="1 genes have no description"):
        complete_descriptions([gene("a"), gene("b")], {"a": text("a")})


def test_descriptions_of_another_assembly_are_noticed() -> None:
    with pytest.raises(InputError, match=r"1 descriptions are of genes .*\(first: z\)"):
        complete_descriptions([gene("a")], {"a": text("a"), "z": text("z")})


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("genes.gff3", "genes"),
        ("genes.v2.gff3.gz", "genes.v2"),
        ("Homo.GTF.gz", "Homo"),
        ("GCF_000146045.2_R64_genomic.gff.gz", "GCF_000146045.2_R64_genomic"),
        ("annotation.txt", "annotation.txt"),
        (".gff3", ".gff3"),
    ],
)
def test_results_are_named_after_the_annotation(file: str, name: str) -> None:
    assert annotation_name(Path("some/folder") / file) == name


@pytest.mark.parametrize("name", ["a/b", "..", "", "/"])
def test_a_name_with_a_path_in_it_is_refused(name: str) -> None:
    options = RunOptions(genome=None, annotation=Path("genes.gff3"), out=Path("out"), name=name)
    with pytest.raises(InputError, match="is not a plain file name; give a name without slashes"):
        result_name(options)


def test_a_stage_measures_its_own_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"abc")
    with stage_record("large") as large:
        ballast = bytearray(200_000_000)
        ballast[::4096] = b"x" * len(ballast[::4096])  # touch every page
        del ballast
    with stage_record("small", Hashes()) as small:
        small.note_inputs(genome=path, annotation=None)
    assert large.peak_memory_mb > 200
    assert small.peak_memory_mb < large.peak_memory_mb - 100
    assert peak_memory_mb() > 1
    # sha256("abc"): FIPS 180-2, appendix B.1
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert small.inputs == {"genome": InputFile(str(path), sha256)}


def test_the_run_record_joins_its_stages(tmp_path: Path) -> None:
    genome = InputFile("a.fa", "ab" * 32)
    stages = [
        StageRecord("extract", wall_seconds=1.0, peak_memory_mb=9.0, inputs={"genome": genome}),
        StageRecord("describe", wall_seconds=2.0, device="cpu", computed=0, model={"name": "m"}),
        StageRecord("gather", wall_seconds=0.1, genes={"described": 3}, settings={"a": None}),
    ]
    run = merge_records(stages, "genescribe run")
    assert run.genes == {"described": 3}
    assert (run.device, run.model) == ("cpu", {"name": "m"})
    assert [stage.stage for stage in run.stages] == ["extract", "describe", "gather"]
    assert run.versions.keys() >= {"python", "torch", "pysam"}
    write_record(tmp_path / "run.json", run)
    assert read_record(tmp_path / "run.json", RunRecord) == run
    on_disk = json.loads((tmp_path / "run.json").read_text())
    assert on_disk["config"] == {"a": None}
    assert on_disk["inputs"] == {"genome": {"path": "a.fa", "sha256": "ab" * 32}}
    assert on_disk["stages"][1] == {
        "stage": "describe", "wall_seconds": 2.0, "device": "cpu", "computed": 0,
    }  # fmt: skip
    for stage in stages:
        write_record(tmp_path / "stage.json", stage)
        assert read_record(tmp_path / "stage.json", StageRecord) == stage


@pytest.mark.parametrize(
    "content",
    [
        "not json", "[1]", "[" * 100_000, '{"inputs": {"genome": "a.fa"}}', '{"stages": 3}',
        '{"stages": [{"wall_seconds": 1}]}', '{"versions": ["3"]}',
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=r"run\.json") as error:
        read_record(path, RunRecord)
    assert "\n" not in str(error.value)


def test_the_record_of_a_run_is_not_that_of_a_stage(tmp_path: Path) -> None:
    write_record(tmp_path / "run.json", RunRecord())
    with pytest.raises(FormatError, match=r"run\.json: not a record of this version \(stage: "):
        read_record(tmp_path / "run.json", StageRecord)


def test_a_record_of_another_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"created": "today", "later": [1]}', encoding="utf-8")
    assert read_record(path, RunRecord) == RunRecord(created="today")


def test_versions_name_what_is_installed() -> None:
    assert versions()["python"].startswith("3.")


def test_progress_text() -> None:
    assert (
        progress_text("describe", 640, 6381, 640, 16.0)
        == "describe 640/6,381 (10 %), 2,400 genes/min, ETA 2:24"
    )
    assert progress_text("describe", 5, 5, 0, 0.0) == "describe 5/5 (100 %)"
    assert clock(3725) == "1:02:05"


def test_one_model_at_a_time_is_in_memory(
    tmp_path: Path, write_spec: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    alive: weakref.WeakSet[FakeDescriber] = weakref.WeakSet()

    class FakeDescriber:
        computed = 1

        def __init__(self, spec: ModelSpec, **_: object) -> None:
            assert not alive, f"{spec.name} is loaded while another model is in memory"
            alive.add(self)
            loaded.append(spec.name)
            self.spec, self.itself = spec, self  # a circle, as modules have

        def batches(
            self, records: list[SequenceRecord], _: object, **__: object
        ) -> Iterator[list[Description]]:
            for record in records:
                yield [replace(text(record.gene_id), model=self.spec.name)]

    monkeypatch.setattr("genescribe.inference.describer.Describer", FakeDescriber)
    sequence = "ACGT" * 20
    records = [
        SequenceRecord(f"{biotype}{number}", View.CDS, biotype, sequence, sequence_sha256(sequence))
        for number in range(2)
        for biotype in ("a", "b", "c")
    ]
    rows = [replace(gene(record.gene_id), biotype=record.biotype) for record in records]
    write_genes_tsv(tmp_path / "genes.tsv", rows)
    write_sequences(tmp_path / "sequences.fa.gz", records)
    specs = {name: str(write_spec(tmp_path, f"model-{name}")) for name in ("c", "b", "a")}
    record = Recording("describe")
    describe_stage(
        tmp_path / "genes.tsv", tmp_path / "sequences.fa.gz", tmp_path / "out.jsonl",
        DescribeSettings(model=specs, device="cpu"), record, resume=False, force=False,
    )  # fmt: skip
    assert loaded == ["model-c", "model-b", "model-a"], "one pass over the genes per model"
    written = {found.gene_id: found.model for found in read_descriptions(tmp_path / "out.jsonl")}
    assert written == {one.gene_id: f"model-{one.biotype}" for one in records}
    assert record.computed == 3
    assert not alive


def test_a_skipped_gene_names_the_model_that_would_have_read_it() -> None:
    rows = [gene("a"), gene("b"), gene("short", Reason.TOO_SHORT), gene("other", Reason.NO_MODEL)]
    one = {"a": text("a"), "b": text("b")}
    assert [d.model for d in complete_descriptions(rows, one)] == ["m@1", "m@1", "m@1", ""]
    two = one | {"b": replace(text("b"), model="n@2")}
    assert [d.model for d in complete_descriptions(rows, two)] == ["m@1", "n@2", "", ""]


@pytest.mark.parametrize(
    "change",
    [
        {"min_lift": 0.5},
        {"min_score": 0.5},
        {"generation": {"max_new_tokens": 5}},
        {"calibration": None},
        {"no_sequence": "shuffled"},
        {"dtype": {"cpu": "float32", "cuda": "bfloat16"}},
        {"quantisation": "8bit"},
        {"prompt": {"id": "other", "template": "{sequence}"}},
        {"name": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_spec_that_was_edited_shows_in_the_settings(
    tmp_path: Path, write_spec: Callable[..., Path], change: dict[str, object]
) -> None:
    before = DescribeSettings(model=str(write_spec(tmp_path, "same")))
    (tmp_path / "edited").mkdir()
    spec = write_spec(tmp_path / "edited", **({"name": "same"} | change))
    after = DescribeSettings(model=str(spec))
    settings = [text_settings(routes_of(options), options) for options in (before, after)]
    assert settings[0] != settings[1]
    assert json.loads(json.dumps(settings)) == settings
