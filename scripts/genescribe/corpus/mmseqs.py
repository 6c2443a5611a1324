"""Clusters of proteins by MMseqs2, run as a program."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genescribe.corpus.families import Numbers
from genescribe.errors import GenescribeError, InputError, Remedy
from genescribe.nucleotides import protein
from genescribe.records import SequenceRecord, View

log = logging.getLogger(__name__)

PROGRAM = "mmseqs"
FAMILY = ("easy-cluster", "--min-seq-id", "0.3", "-c", "0.5", "--cluster-mode", "1", "-s", "6")
"""30 % identity over half of both sequences; connected components, so that no link is cut."""
NEAR_COPY = ("easy-linclust", "--min-seq-id", "0.8", "-c", "0.7")
COMMON = ("--cov-mode", "0", "-v", "1", "--threads")


def find_program() -> str:
    """Return the path of mmseqs; raises InputError that says how to get it."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise InputError(
            "mmseqs: not found; install MMseqs2 (conda install -c bioconda mmseqs2, or apt "
            "install mmseqs2)",
            Remedy.WITHOUT_MMSEQS,
        )
    return program


def clusters(records: Sequence[SequenceRecord], kind: tuple[str, ...], threads: int = 1) -> Numbers:
    """Number the cluster of each gene, (genes,); genes without CDS stand alone.

    ``kind`` is ``FAMILY`` or ``NEAR_COPY``. Raises InputError where mmseqs is not installed, and
    GenescribeError with its last line where it fails.
    """
    program = find_program()
    numbers = np.arange(len(records))
    with tempfile.TemporaryDirectory(prefix="genescribe.") as name:
        folder = Path(name)
        if not _write_proteins(folder / "proteins.faa", records):
            return numbers
        command, *options = kind
        done = subprocess.run(
            [program, command, "proteins.faa", "clusters", "tmp", *options, *COMMON, str(threads)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            lines = (done.stdout + done.stderr).split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
            raise GenescribeError(
                f"mmseqs {command}: exit code {done.returncode} ({last}); give it more memory or "
                "space in the temporary folder",
                Remedy.WITHOUT_MMSEQS,
            )
        with (folder / "clusters_cluster.tsv").open(encoding="ascii") as table:
            for line in table:
                representative, member = line.split()
                numbers[int(member)] = int(representative)
    return numbers


def _write_proteins(path: Path, records: Sequence[SequenceRecord]) -> int:
    """Write the translation of every CDS under its position; return how many there are."""
    written = 0
    with path.open("w", encoding="ascii") as fasta:
        for position, record in enumerate(records):
            if record.view == View.CDS:
                residues = protein(record.sequence)
                if residues:
                    fasta.write(f">{position}\n{residues}\n")
                    written += 1
    return written
