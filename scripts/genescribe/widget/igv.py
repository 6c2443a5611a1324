"""The decorated annotation in IGV, where ``igv-notebook`` is installed."""

from __future__ import annotations

import base64
import importlib.util
import tempfile
from pathlib import Path

from genescribe.errors import InputError
from genescribe.genome.decoration.decorate import sorted_path
from genescribe.genome.fasta import Genome
from genescribe.pipeline.results import Results
from genescribe.records import GeneRow


def is_installed() -> bool:
    """Tell whether ``igv-notebook`` is there."""
    return importlib.util.find_spec("igv_notebook") is not None


MOST_NT = 5_000_000
"""Of a sequence that travels to the browser inside the page, which needs no server of files."""


def configuration(results: Results, row: GeneRow) -> dict[str, object]:
    """Return the configuration of a browser at a gene: its sequence, and the track of its genes.

    Everything is in it, as data URIs: IGV in JupyterLab cannot open files outside its folder.
    Raises InputError for a sequence too long for that.
    """
    import pysam

    decorated = sorted_path(results.folder / f"{results.name}.gff3")
    with tempfile.TemporaryDirectory(prefix="genescribe.") as scratch:
        fasta = results.genome or results.annotation
        with Genome.open(fasta, Path(scratch)) as genome:
            length = genome.lengths[row.seqid]
            if length > MOST_NT:
                raise InputError(
                    f"{row.seqid}: {length:,} nt are too many for IGV in a notebook; open "
                    f"{decorated} in IGV itself"
                )
            letters = genome.fetch(row.seqid, 0, length)
    with pysam.TabixFile(str(decorated)) as sorted_copy:
        features = "\n".join(sorted_copy.fetch(row.seqid))
    return {
        "reference": {
            "id": results.name,
            "fastaURL": _data_uri(f">{row.seqid}\n{letters}\n"),
            "indexed": False,
        },
        "loadDefaultGenomes": False,  # a list that IGV would fetch, and wait for where it cannot
        "locus": f"{row.seqid}:{max(1, row.start - 500)}-{min(length, row.end + 500)}",
        "tracks": [
            {
                "name": "genescribe",
                "url": _data_uri(f"##gff-version 3\n{features}\n"),
                "format": "gff3",
                "displayMode": "EXPANDED",
            }
        ],
    }


def show(results: Results, row: GeneRow) -> None:
    """Show a gene in IGV in the current output."""
    import igv_notebook

    settings = configuration(results, row)
    igv_notebook.init()
    igv_notebook.Browser(settings)


def _data_uri(text: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(text.encode("utf-8")).decode("ascii")
