"""What a job of the Galaxy tool does, without a server: its command, filled in and run."""

from __future__ import annotations

import pytest

pytest.importorskip("Cheetah.Template", exc_type=ImportError)  # needs cgi, gone in Python 3.13
from galaxy.make_test_data import TEST_DATA
from galaxy.tool_command import Dataset, command, run

GENOME, GENES = TEST_DATA / "plasmid.fa", TEST_DATA / "plasmid.gff3"
KILLED_AFTER_ONE_BATCH = """
import os, signal, sys
from genescribe.cli import main
from genescribe.inference import batching, cache

def put_and_die(self, found):
    put(self, found)
    os.kill(os.getpid(), signal.SIGKILL)

batching.BATCH_TOKENS = {"cpu": 1}
put, cache.FolderCache.put = cache.FolderCache.put, put_and_die
sys.exit(main())
"""


def test_job_killed_for_memory_says_so_and_what_was_finished_is_kept(tmp_path) -> None:
    line, cache = command(Dataset(GENES), Dataset(GENOME)), str(tmp_path / "cache")
    script = tmp_path / "killed.py"
    script.write_text(KILLED_AFTER_ONE_BATCH, encoding="utf-8")
    killed = run(tmp_path / "killed", line, [script], GENESCRIBE_CACHE=cache)
    assert killed.returncode == 137
    assert killed.stderr.startswith("genescribe: error: the job was killed, as a rule because")
    assert killed.stderr.count("\n") == 1
    again = run(tmp_path / "again", line, GENESCRIBE_CACHE=cache)
    assert again.returncode == 0, again.stderr
    assert "1 of 8 texts come from the cache" in again.stdout
    assert (tmp_path / "again/results/annotation.gff3").read_text("utf-8").count("_status=") == 8


def test_a_refusal_says_what_to_do_in_the_form(tmp_path) -> None:
    other = tmp_path / "other_names.gff3"
    other.write_text(GENES.read_text("utf-8").replace("plasmid_1", "chrP"), encoding="utf-8")
    refused = run(tmp_path / "job", command(Dataset(other), Dataset(GENOME)))
    assert refused.returncode == 2
    assert refused.stderr.endswith("; or choose “Skip genes on sequences that the genome lacks”\n")


@pytest.mark.parametrize("name", ["a b'c$(touch x).gff3", "-rf.gff3", "../../up.gff3", "é.GFF3"])
def test_any_name_in_the_history_is_a_file_name(tmp_path, name) -> None:
    genes, genome = Dataset(GENES, name), Dataset(GENOME, f"{name}.fa")
    said = tmp_path / "said.py"
    said.write_text("import sys; sys.exit(repr(sys.argv))", encoding="utf-8")
    done = run(tmp_path / "job", command(genes, genome), [said])
    assert done.returncode == 1
    for folder in ("annotation", "genome"):
        (link,) = (tmp_path / "job" / folder).iterdir()
        assert link.resolve() in (GENES, GENOME)
        assert f"'{folder}/{link.name}'" in done.stderr
    assert {path.name for path in (tmp_path / "job").iterdir()} == {
        "annotation", "errors.txt", "genescribe", "genome",
    }  # fmt: skip


def test_what_the_form_changes_reaches_the_program(tmp_path) -> None:
    line = command(
        Dataset(TEST_DATA / "plasmid_with_sequence.gff3"),
        None,
        genome_source={"source": "annotation"},
        genes={"min_length": "40", "allow_missing_contigs": "--allow-missing-contigs"},
        written={"min_score": "0.5", "attribute": "description"},
        generation={"num_beams": "2"},
    )
    said = tmp_path / "said.py"
    said.write_text("import sys; sys.exit(' '.join(sys.argv))", encoding="utf-8")
    words = run(tmp_path / "job", line, [said], GALAXY_SLOTS="3").stderr
    assert "--genome" not in words
    for option in (
        "--min-length 40", "--allow-missing-contigs", "--set min_score=0.5",
        "--attribute description", "--set num_beams=2", "--threads 3", "--device auto",
    ):  # fmt: skip
        assert option in words
    assert "--cache" not in words


WRITES_AN_INDEX = """
from pathlib import Path

results = Path("results")
results.mkdir()
(Path("genescribe.log")).touch()
for name in ("plasmid.gff3", "plasmid.sorted.gff3.gz", "plasmid.sorted.gff3.gz.{}"):
    (results / name).write_text(name)
(results / "descriptions.tsv").write_text("gene_id\\tstatus\\n")
"""


@pytest.mark.parametrize("kind", ["tbi", "csi"])
def test_index_of_the_sorted_copy_whichever_was_written(tmp_path, kind) -> None:
    script = tmp_path / "writes.py"
    script.write_text(WRITES_AN_INDEX.format(kind), encoding="utf-8")
    line = command(Dataset(GENES), Dataset(GENOME), more_outputs=["sorted"])
    done = run(tmp_path / "job", line, [script])
    assert done.returncode == 0, done.stderr
    index = tmp_path / "job" / "results" / "sorted.gff3.gz.index"
    assert index.read_text("utf-8") == f"plasmid.sorted.gff3.gz.{kind}"
