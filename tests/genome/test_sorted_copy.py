"""The sorted, indexed copy: order, header, and what tabix finds in it."""

from __future__ import annotations

import gzip
import random
import subprocess
from pathlib import Path

import pysam

from genescribe.genome.annotation import read_annotation
from genescribe.genome.decoration.decorate import decorate
from genescribe.genome.decoration.sorted_copy import write_sorted_copy
from genescribe.genome.settings import DecorateSettings
from support.made_up_descriptions import describe_all

FEATURES = [
    "c2\tx\tgene\t1\t90\t.\t+\t.\tID=z",
    "c1\tx\tgene\t5\t90\t.\t+\t.\tID=g",
    "c1\tx\tmRNA\t5\t90\t.\t+\t.\tID=m;Parent=g",
    "c1\tx\texon\t5\t20\t.\t+\t.\tParent=m,k",
    "c1\tx\texon\t30\t90\t.\t+\t.\tParent=m",
    "c1\tx\tgene\t100\t190\t.\t+\t.\tNote=odd;ID=h",
]
HEADER = ["##gff-version 3", "##sequence-region c1 1 200", "# seen by a browser"]


def sorted_lines(folder: Path, text: str) -> list[str]:
    """Return the lines of the sorted copy of ``text``."""
    source, target = folder / "in.gff3", folder / "in.sorted.gff3.gz"
    source.write_bytes(text.encode())
    assert write_sorted_copy(source, target) == [target, folder / "in.sorted.gff3.gz.tbi"]
    return gzip.decompress(target.read_bytes()).decode().split("\n")[:-1]


def test_any_order_is_sorted_with_parents_first(tmp_path):
    for seed in range(20):
        shuffled = FEATURES[1:]
        random.Random(seed).shuffle(shuffled)
        rows = [*HEADER[:2], FEATURES[0], "", HEADER[2], *shuffled, "###", "##FASTA", ">c1", "AC"]
        assert sorted_lines(tmp_path, "\ufeff" + "\r\n".join(rows)) == HEADER + FEATURES


def test_parents_of_each_other_end(tmp_path):
    loop = [f"c1\tx\texon\t5\t9\t.\t+\t.\tID={a};Parent={b}" for a, b in ("ab", "ba", "cc")]
    assert sorted_lines(tmp_path, "\n".join([*loop, FEATURES[1]])) == [FEATURES[1], *loop]


def test_a_long_sequence_gets_a_csi_index_and_no_stale_one_stays(tmp_path, need):
    target = tmp_path / "in.sorted.gff3.gz"
    sorted_lines(tmp_path, "\n".join(FEATURES))
    far = FEATURES[0].replace("\t1\t90", "\t600000001\t600000090")
    (tmp_path / "in.gff3").write_text(far + "\n")
    paths = write_sorted_copy(tmp_path / "in.gff3", target)
    assert [path.name for path in paths] == [target.name, target.name + ".csi"]
    assert not (tmp_path / (target.name + ".tbi")).exists()
    found = subprocess.run(
        [need("tabix"), target, "c2:600000050-600000050"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == far + "\n"


def test_tabix_finds_every_gene_of_a_genome(tmp_path, test_data):
    source = test_data / "genomes" / "ecoli_k12" / "GCF_000005845.2_genomic.gff.gz"
    annotation = read_annotation(source)
    paths = decorate(source, describe_all(annotation), tmp_path / "x.gff3", DecorateSettings())
    with pysam.TabixFile(str(paths[1]), encoding="utf-8") as copy:
        for gene in annotation.genes[::7]:
            rows = [row.split("\t") for row in copy.fetch(gene.seqid, gene.start, gene.end)]
            own = [row for row in rows if row[8].startswith(f"ID={gene.gene_id};")]
            assert len(own) == len(gene.parts)
            assert "genescribe_status=" in own[0][8]
            assert rows == sorted(rows, key=lambda row: int(row[3]))
    plain = (tmp_path / "x.gff3").read_text(encoding="utf-8").splitlines()
    copied = gzip.decompress(paths[1].read_bytes()).decode().splitlines()
    assert sorted(copied) == sorted(line for line in plain if line != "###")
