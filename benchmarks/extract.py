"""Time and peak memory of extraction, as ratios to ``gffread -w`` on the same files.

    python benchmarks/extract.py            # yeast, needs the real data (tests/conftest.py)
    python benchmarks/extract.py --human    # the synthetic human-size input, 2 GB in a temp folder

Three commands take turns, so that a busy machine slows them alike; medians are printed.
``gffread`` builds its index ``genome.fa.fai`` in each run, as genescribe scans the FASTA in each
of its own; "gffread, indexed" finds it ready. "library" reads and writes every transcript whole,
which is what gffread does; the command writes one per gene, cut to what the model reads.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import synthetic

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("GENESCRIBE_TEST_DATA", ROOT.parent / "shared" / "data"))
YEAST = DATA / "genomes" / "yeast_genbank" / "GCA_000146045.2_R64_genomic"

LIBRARY = """
import sys
from pathlib import Path
from genescribe.genome.annotation import read_annotation
from genescribe.genome.fasta import Genome
from genescribe.artifacts.sequences import write_sequences
from genescribe.records import SequenceRecord, View, sequence_sha256
from support.transcripts import transcript_sequences
fasta, models, out = map(Path, sys.argv[1:])
with Genome.open(fasta, out.parent) as genome:
    found = transcript_sequences(read_annotation(models), genome, View.TRANSCRIPT)
    write_sequences(out, (
        SequenceRecord(t.transcript_id, View.TRANSCRIPT, t.biotype, s, sequence_sha256(s))
        for _, t, s in found
    ))
"""


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a command; return wall seconds, CPU seconds and peak memory in MB."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'tests'}"}
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, environment)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    wall = time.perf_counter() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def compare(folder: Path, runs: int) -> None:
    """Print the medians over ``folder``'s genome.fa and genes.gff3, and the ratios."""
    fasta, models, index = (folder / name for name in ("genome.fa", "genes.gff3", "genome.fa.fai"))
    gffread = ["gffread", "-w", f"{folder}/w.fa", "-g", str(fasta), str(models)]
    commands = {
        "gffread": gffread,
        "gffread, indexed": gffread,
        "genescribe extract": [
            sys.executable, "-m", "genescribe", "extract", "--quiet", "--force",
            "--view", "transcript", "--genome", str(fasta), "--annotation", str(models),
            "--out", f"{folder}/out",
        ],
        "library, every transcript": [
            sys.executable, "-c", LIBRARY, str(fasta), str(models), f"{folder}/all.fa.gz",
        ],
    }  # fmt: skip
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        index.unlink(missing_ok=True)
        for name, command in commands.items():
            figures[name].append(measure(command))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in figures.items()
    }
    print("| command | wall s | CPU s | peak MB | wall / gffread | wall / gffread, indexed |")
    print("|---|---|---|---|---|---|")
    for name, (wall, cpu, peak) in medians.items():
        cold, warm = wall / medians["gffread"][0], wall / medians["gffread, indexed"][0]
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {cold:.2f} | {warm:.2f} |")


def main() -> None:
    """Prepare the input in a temporary folder, compare, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--human", action="store_true", help="synthetic human-size input")
    parser.add_argument("--scale", type=float, default=1.0, help="of the synthetic input")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    if shutil.which("gffread") is None:
        sys.exit("gffread is not installed (Debian package gffread)")
    with tempfile.TemporaryDirectory(prefix="genescribe-bench-") as name:
        folder = Path(name)
        if args.human:
            lengths = synthetic.write_genome(folder / "genome.fa", args.scale)
            synthetic.write_annotation(folder / "genes.gff3", lengths, args.scale)
        else:
            unpack(YEAST.with_name(YEAST.name + ".fna.gz"), folder / "genome.fa")
            unpack(YEAST.with_name(YEAST.name + ".gff.gz"), folder / "genes.gff3")
        compare(folder, args.runs)


def unpack(source: Path, target: Path) -> None:
    """Write a plain copy: gffread does not read gzip."""
    with gzip.open(source) as packed, target.open("wb") as out:
        shutil.copyfileobj(packed, out)


if __name__ == "__main__":
    main()
