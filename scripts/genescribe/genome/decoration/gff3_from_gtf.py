"""A GFF3 from the gene models of a GTF: gene > transcript > exon and CDS.

The structure comes from the gene models; source, score and other attributes come from the line
of the GTF that a feature was read from.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from genescribe.files import BUFFER_BYTES, encode_line
from genescribe.genome.biotypes import PSEUDOGENE, Level
from genescribe.genome.decoration.column9 import GFF3, Addition, add
from genescribe.genome.decoration.gtf_lines import GeneRows, GtfLines, GtfRow
from genescribe.genome.gff import encode_value
from genescribe.records import Gene, Segment, Transcript

log = logging.getLogger(__name__)

Attributes = Mapping[str, Sequence[str]]
_encoded = lru_cache(maxsize=1 << 12)(encode_value)  # ids and keys come again line after line

# GFF3 specification, "Column 9": keys in upper case are reserved; these three mean in a GTF what
# they mean in GFF3. ID and Parent are ours to set.
_FREE_UPPER_CASE = frozenset({"Name", "Note", "Alias"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_RNA_TERMS = frozenset({"tRNA", "rRNA", "snRNA", "snoRNA", "scaRNA", "miRNA", "ncRNA", "lnc_RNA"})
# Biotypes of Ensembl and GENCODE whose term in the Sequence Ontology is another word.
_OTHER_RNA_TERMS = {
    "lncRNA": "lnc_RNA",
    "lincRNA": "lnc_RNA",
    "Mt_tRNA": "tRNA",
    "Mt_rRNA": "rRNA",
}


def write_gff3(
    genes: Sequence[Gene], gtf: Path, additions: Mapping[str, Addition], out: Path
) -> None:
    """Write the genes of a plain ``gtf`` as GFF3, in its order, with ``additions`` by gene id.

    Attributes that repeat those of the parent are left out. Phases follow from the first CDS
    piece and the lengths: other frames occur in GTF but are illegal in GFF3. Each kind of change
    is logged once.
    """
    writer = _Writer(gene.gene_id for gene in genes)
    with gtf.open("rb", buffering=BUFFER_BYTES) as handle, out.open("wb", BUFFER_BYTES) as target:
        lines = GtfLines(handle, genes)
        target.write(b"##gff-version 3\n")
        for comment in lines.comments:
            target.write(encode_line(_as_comment(comment)))
        for position, gene in enumerate(genes):
            text = writer.gene(gene, lines.rows(position), additions[gene.gene_id])
            target.write(encode_line(text))
    for what, count in writer.changes.items():
        log.info("%s: for GFF3, %s (%d times)", gtf.name, what, count)


class _Writer:
    """Keeps what must not repeat between genes: the IDs; and counts what was changed."""

    def __init__(self, gene_ids: Iterable[str]) -> None:
        self.changes: Counter[str] = Counter()
        self._used = set(gene_ids)

    def gene(self, gene: Gene, rows: GeneRows, addition: Addition) -> str:
        """Return all lines of one gene; the gene's own lines carry ``addition``."""
        row = rows.gene()
        column = self._column9([("ID", gene.gene_id), ("Name", gene.name)], row.attributes())
        kind = row.type
        if kind.lower() in ("", "gene"):
            kind = PSEUDOGENE if PSEUDOGENE in gene.biotype else "gene"
        lines = [
            add(_line(gene.seqid, row, kind, part, column), addition, GFF3) for part in gene.parts
        ]
        for transcript in gene.transcripts:
            lines.extend(self._transcript(gene, transcript, rows, frozenset(row.pieces)))
        return "".join(lines)

    def _transcript(
        self, gene: Gene, transcript: Transcript, rows: GeneRows, known: frozenset[str]
    ) -> Iterator[str]:
        """Yield the lines of a transcript and its pieces; its gene has the attributes ``known``."""
        name = transcript.transcript_id
        row = rows.transcript(name)
        own_id = self._unique(name)
        attributes = row.attributes(known)
        names = attributes.get("transcript_name", [])[:1]
        fixed = [("ID", own_id), ("Parent", gene.gene_id), *(("Name", one) for one in names)]
        column = self._column9(fixed, attributes)
        kind = _transcript_type(transcript, row.type)
        for span in _spans(gene, transcript.exons):
            yield _line(gene.seqid, row, kind, span, column)
        known = known.union(row.pieces)
        for exon in transcript.exons:
            piece = rows.piece(name, Level.EXON, exon)
            column = self._column9([("Parent", own_id)], piece.attributes(known))
            yield _line(gene.seqid, piece, "exon", exon, column)
        cds_id = self._unique(f"{own_id}.CDS") if transcript.cds else ""
        for cds in self._in_phase(transcript.cds):
            piece = rows.piece(name, Level.CDS, cds)
            fixed = [("ID", cds_id), ("Parent", own_id)]
            column = self._column9(fixed, piece.attributes(known))
            yield _line(gene.seqid, piece, "CDS", cds, column)

    def _unique(self, wanted: str) -> str:
        """Return ``wanted``, or where another feature has that ID, ``wanted`` with a number."""
        found, number = wanted, 0
        while found in self._used:
            number += 1
            found = f"{wanted}.{number}"
        if number:
            self.changes["IDs that another feature has already got a number"] += 1
        self._used.add(found)
        return found

    def _in_phase(self, cds: Sequence[Segment]) -> Iterator[Segment]:
        """Yield CDS pieces with the phases that their lengths give (GFF3, "phase")."""
        phase = max(cds[0].phase, 0) if cds else 0
        for piece in cds:
            if piece.phase not in (phase, -1):
                self.changes["frames that contradict the lengths of the CDS were corrected"] += 1
            yield piece._replace(phase=phase)
            phase = (phase - (piece.end - piece.start)) % 3

    def _column9(self, fixed: Sequence[tuple[str, str]], attributes: Attributes) -> str:
        """Return column 9: ``fixed``, then ``attributes`` under legal keys."""
        pieces = {key: [value] for key, value in fixed if value}
        taken = frozenset(pieces)
        for key, values in attributes.items():
            if key == "part":  # numbers the lines of one feature, which here share a column 9
                continue
            if values and (legal := self._legal_key(key)) not in taken:
                pieces.setdefault(legal, []).extend(values)
        return ";".join(f"{key}={','.join(map(_encoded, pieces[key]))}" for key in pieces)

    def _legal_key(self, key: str) -> str:
        if key[0].isupper() and key not in _FREE_UPPER_CASE:
            self.changes[f"attribute {key} was written as {key.lower()}"] += 1
            key = key.lower()
        return _encoded(key)


def _line(seqid: str, row: GtfRow, kind: str, place: Segment, column: str) -> str:
    score = row.score if _NUMBER.fullmatch(row.score) else "."
    phase = place.phase if place.phase >= 0 else "."
    return (
        f"{seqid}\t{row.source or '.'}\t{kind}\t{place.start + 1}\t{place.end}\t{score}\t"
        f"{place.strand}\t{phase}\t{column}\n"
    )


def _spans(gene: Gene, exons: Sequence[Segment]) -> list[Segment]:
    """Return what a transcript covers: one span for each strand and part of its gene."""
    groups: dict[tuple[str, int], list[Segment]] = {}
    for exon in exons:
        within = (n for n, part in enumerate(gene.parts) if part.start <= exon.start < part.end)
        groups.setdefault((exon.strand, next(within, 0)), []).append(exon)
    return [
        Segment(min(e.start for e in group), max(e.end for e in group), strand)
        for (strand, _), group in groups.items()
    ]


def _transcript_type(transcript: Transcript, stated: str) -> str:
    """Return the Sequence Ontology term of a transcript; GTF calls nearly all ``transcript``."""
    if stated.lower() not in ("", "transcript"):
        return stated
    if transcript.cds:
        return "mRNA"
    if PSEUDOGENE in transcript.biotype:
        return "pseudogenic_transcript"
    term = _OTHER_RNA_TERMS.get(transcript.biotype, transcript.biotype)
    return term if term in _RNA_TERMS else "transcript"


def _as_comment(line: str) -> str:
    """Return a header line of a GTF as a comment; its directives have no meaning in GFF3."""
    if not line or line.startswith("##gff-version"):
        return ""
    return f"# {line.lstrip('#').strip()}\n" if line.startswith("##") else f"{line}\n"
