"""The sequences of all transcripts, to compare with gffread's: a model reads one of each gene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genescribe.genome.fasta import Genome
from genescribe.genome.splice import in_frame, splice
from genescribe.records import Gene, Transcript, View


def transcript_sequences(
    annotation: Any, genome: Genome, view: View
) -> Iterator[tuple[Gene, Transcript, str]]:
    """Yield every transcript with its sequence in ``view`` transcript or cds (in frame).

    Transcripts without CDS are left out in view cds.
    """
    for gene in annotation.genes:
        for transcript in gene.transcripts:
            pieces = in_frame(transcript.cds) if view is View.CDS else transcript.exons
            if pieces:
                yield gene, transcript, splice(genome, gene.seqid, pieces)
