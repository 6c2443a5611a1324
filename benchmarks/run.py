"""Time and peak memory of ``genescribe run`` on whole yeast: 16 chromosomes, 6,399 genes.

    python benchmarks/run.py [--runs 5]      # needs the real data (tests/conftest.py)

Medians over the runs, no cache. "outside the model" is the wall time of the command less that of
the describe stage, so it has the start of Python, extraction, decoration and report in it. The
peer is the same model asked for one gene at a time, the way the published systems are driven:
200 yeast genes in batches of one, scaled to the number of genes that the run described.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
DATA = Path(os.environ.get("GENESCRIBE_TEST_DATA", ROOT.parent / "shared" / "data"))
YEAST = DATA / "genomes" / "yeast_genbank" / "GCA_000146045.2_R64_genomic"
SINGLE_GENES = 200


def run_once(out: Path, threads: int) -> dict[str, float]:
    """Run the command once; return seconds, MB and genes."""
    command = [
        sys.executable, "-m", "genescribe", "run", "--quiet", "--genome", f"{YEAST}.fna.gz",
        "--annotation", f"{YEAST}.gff.gz", "--out", str(out), "--threads", str(threads),
    ]  # fmt: skip
    started = time.perf_counter()
    pid = os.posix_spawn(command[0], command, {**os.environ, "PYTHONPATH": str(ROOT / "scripts")})
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if status:
        sys.exit("genescribe run failed")
    record = json.loads((out / "run.json").read_text())
    describe = next(stage for stage in record["stages"] if stage["stage"] == "describe")
    return {
        "wall seconds": wall,
        "describe seconds": describe["wall_seconds"],
        "seconds outside the model": wall - describe["wall_seconds"],
        "peak memory MB": usage.ru_maxrss * 1024 / 1e6,
        "genes read by the model": describe["computed"],
    }


def one_at_a_time(sequences: Path, threads: int) -> float:
    """Return the seconds per gene of the same model in batches of one."""
    import torch

    from genescribe.artifacts.sequences import read_sequences
    from genescribe.inference.describer import Describer
    from genescribe.inference.params import DescribeParams

    torch.set_num_threads(threads)
    records = list(read_sequences(sequences))
    records = records[:: len(records) // SINGLE_GENES][:SINGLE_GENES]
    describer = Describer("tiny", device="cpu")
    started = time.perf_counter()
    list(describer.describe(records, DescribeParams(batch_tokens=1)))
    return (time.perf_counter() - started) / len(records)


def main() -> None:
    """Measure and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = [run_once(Path(scratch) / str(n), args.threads) for n in range(args.runs)]
        single = one_at_a_time(Path(scratch) / "0" / "sequences.fa.gz", args.threads)
    figures = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    for key, value in figures.items():
        print(f"{key}: {value:,.1f}")
    peer = single * figures["genes read by the model"]
    print(f"one gene at a time: {peer:,.1f} s, ratio {figures['describe seconds'] / peer:.3f}")


if __name__ == "__main__":
    main()
