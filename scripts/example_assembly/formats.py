"""The example assembly as FASTA, GFF3, GTF and the table of what its genes are.

GFF3 has the stop codon in the CDS and writes the gene across the origin with an end behind the
contig's; GTF keeps the stop codon apart and has that gene on two lines, marked with ``part`` as
NCBI does.
"""

from __future__ import annotations

from collections.abc import Iterator

from example_assembly.genes import Assembled, Isoform, Pieces, PlacedGene

SOURCE = "example"
LINE = 60
TRANSCRIPT_TYPES = {"protein_coding": "mRNA", "pseudogene": "pseudogenic_transcript"}

Attributes = dict[str, str]


def fasta(assembly: list[Assembled]) -> str:
    """Return the genome."""
    lines = []
    for item in assembly:
        topology = " topology=circular" if item.contig.circular else ""
        lines.append(f">{item.contig.name} length={len(item.sequence)}{topology}")
        starts = range(0, len(item.sequence), LINE)
        lines += [item.sequence[start : start + LINE] for start in starts]
    return "\n".join(lines) + "\n"


def gff3(assembly: list[Assembled]) -> str:
    """Return the annotation as a gene caller would write it."""
    lines = ["##gff-version 3"]
    lines += [f"##sequence-region {item.contig.name} 1 {len(item.sequence)}" for item in assembly]
    for item in assembly:
        name, length = item.contig.name, len(item.sequence)
        if item.contig.circular:
            region = {"ID": name, "Is_circular": "true"}
            lines.append(_row(name, "region", (0, length), "+", ".", _gff3_attributes(region)))
        for gene in item.genes:
            for kind, piece, phase, attributes in _gff3_features(gene):
                start = piece[0] % length
                piece = (start, start + piece[1] - piece[0])
                lines.append(
                    _row(name, kind, piece, gene.locus.strand, phase, _gff3_attributes(attributes))
                )
    return "\n".join(lines) + "\n"


def gtf(assembly: list[Assembled]) -> str:
    """Return the same models as GTF."""
    lines = []
    for item in assembly:
        length = len(item.sequence)
        for gene in item.genes:
            for kind, piece, phase, attributes in _gtf_features(gene, length):
                parts = _split_at_origin(piece, length)
                for number, part in enumerate(parts, start=1):
                    marked = {**attributes, "part": str(number)} if len(parts) > 1 else attributes
                    text = " ".join(f'{key} "{value}";' for key, value in marked.items())
                    strand = gene.locus.strand
                    lines.append(_row(item.contig.name, kind, part, strand, phase, text))
    return "\n".join(lines) + "\n"


def truth(assembly: list[Assembled]) -> str:
    """Return the table of genes, what they are, and against what that was checked."""
    lines = ["gene_id\tseqid\tstrand\tbiotype\tname\tdescription\tlength\tchecked\tsequence"]
    for item in assembly:
        for gene in item.genes:
            molecule, locus = gene.molecule, gene.locus
            description = molecule.description
            if locus.pseudo:
                description = f"decayed copy of {description}"
            if locus.lost:
                description = f"{description}, without its first {locus.lost} residues"
            columns = [gene.gene_id, item.contig.name, locus.strand, gene.biotype, molecule.name]
            sequence = molecule.sequence[locus.lost :]
            columns += [description, str(len(sequence)), molecule.checked, sequence]
            lines.append("\t".join(columns))
    return "\n".join(lines) + "\n"


def _gff3_features(gene: PlacedGene) -> Iterator[tuple[str, tuple[int, int], str, Attributes]]:
    """Yield (type, piece, phase, attributes) of a gene and its parts, parents first."""
    partial = {"partial": "true", "start_range": ".,1"} if gene.locus.lost else {}
    named = {"Name": gene.molecule.name} if gene.locus.product else {}
    noted = {"Note": gene.locus.note} if gene.locus.note else {}
    kind = "pseudogene" if gene.locus.pseudo else "gene"
    head = {"ID": gene.gene_id, **named, "gene_biotype": gene.biotype, **noted, **partial}
    yield kind, (gene.start, gene.end), ".", head
    for number, isoform in enumerate(gene.isoforms, start=1):
        transcript = f"{gene.gene_id}.t{number}"
        product = {"product": gene.locus.product} if gene.locus.product else {}
        attributes = {"ID": transcript, "Parent": gene.gene_id, **product, **partial}
        kind = TRANSCRIPT_TYPES.get(gene.biotype, gene.biotype)
        yield kind, _span(isoform.exons), ".", attributes
        exon = "pseudogenic_exon" if gene.locus.pseudo else "exon"
        for count, piece in enumerate(isoform.exons, start=1):
            yield exon, piece, ".", {"ID": f"{transcript}.exon{count}", "Parent": transcript}
        for piece, phase in _phased(isoform.cds, gene.first_phase):
            yield "CDS", piece, str(phase), {"ID": f"{transcript}.cds", "Parent": transcript}
        if isoform.cds:
            five, three = _untranslated(isoform, gene.locus.strand)
            for side, kind, pieces in ((5, "five_prime_UTR", five), (3, "three_prime_UTR", three)):
                for count, piece in enumerate(pieces, start=1):
                    utr = f"{transcript}.utr{side}_{count}"
                    yield kind, piece, ".", {"ID": utr, "Parent": transcript}


def _gtf_features(
    gene: PlacedGene, length: int
) -> Iterator[tuple[str, tuple[int, int], str, Attributes]]:
    """Yield (type, piece, phase, attributes) of a gene and its parts, parents first."""
    named = {"gene_name": gene.molecule.name} if gene.locus.product else {}
    head = {"gene_id": gene.gene_id, **named, "gene_biotype": gene.biotype}
    noted = {"note": gene.locus.note} if gene.locus.note else {}
    yield "gene", (gene.start, gene.end), ".", {**head, **noted}
    strand = gene.locus.strand
    for number, isoform in enumerate(gene.isoforms, start=1):
        inner = {"gene_id": gene.gene_id, "transcript_id": f"{gene.gene_id}.t{number}"}
        product = {"product": gene.locus.product} if gene.locus.product else {}
        transcript = {**inner, "transcript_biotype": gene.biotype, **product}
        yield "transcript", _span(isoform.exons), ".", transcript
        for count, piece in enumerate(isoform.exons, start=1):
            yield "exon", piece, ".", {**inner, "exon_number": str(count)}
        if not isoform.cds:
            continue
        cds = tuple(part for piece in isoform.cds for part in _split_at_origin(piece, length))
        body, stop = _cut(cds, _length(cds) - 3, strand)
        for piece, phase in _phased(body, gene.first_phase):
            yield "CDS", piece, str(phase), inner
        if not gene.locus.lost:
            for piece, phase in _phased(_cut(body, 3, strand)[0], 0):
                yield "start_codon", piece, str(phase), inner
        for piece, phase in _phased(stop, 0):
            yield "stop_codon", piece, str(phase), inner
        five, three = _untranslated(isoform, strand)
        for kind, pieces in (("five_prime_utr", five), ("three_prime_utr", three)):
            for piece in pieces:
                yield kind, piece, ".", inner


def _row(
    seqid: str, kind: str, piece: tuple[int, int], strand: str, phase: str, attributes: str
) -> str:
    start, end = piece
    return "\t".join(
        [seqid, SOURCE, kind, str(start + 1), str(end), ".", strand, phase, attributes]
    )


def _gff3_attributes(attributes: Attributes) -> str:
    return ";".join(f"{key}={value}" for key, value in attributes.items())


def _span(pieces: Pieces) -> tuple[int, int]:
    return min(start for start, _ in pieces), max(end for _, end in pieces)


def _length(pieces: Pieces) -> int:
    return sum(end - start for start, end in pieces)


def _phased(pieces: Pieces, phase: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield each coding piece with its phase: the bases to skip to the next codon's start."""
    for start, end in pieces:
        yield (start, end), phase
        phase = (phase - (end - start)) % 3


def _cut(pieces: Pieces, offset: int, strand: str) -> tuple[Pieces, Pieces]:
    """Cut a transcript's pieces after its first ``offset`` bases."""
    before, after = [], []
    for start, end in pieces:
        inside = min(max(offset, 0), end - start)
        offset -= end - start
        at = start + inside if strand == "+" else end - inside
        left, right = (start, at), (at, end)
        first, second = (left, right) if strand == "+" else (right, left)
        before += [first] if first[0] < first[1] else []
        after += [second] if second[0] < second[1] else []
    return tuple(before), tuple(after)


def _untranslated(isoform: Isoform, strand: str) -> tuple[Pieces, Pieces]:
    """Return the pieces of the exons before and behind the coding sequence."""
    first = isoform.cds[0][0] if strand == "+" else isoform.cds[0][1]
    before = 0
    for start, end in isoform.exons:
        if start <= first <= end:
            before += first - start if strand == "+" else end - first
            break
        before += end - start
    five, rest = _cut(isoform.exons, before, strand)
    coding = _length(isoform.cds)
    return five, _cut(rest, coding, strand)[1]


def _split_at_origin(piece: tuple[int, int], length: int) -> list[tuple[int, int]]:
    """Return the piece of a forward gene in one or two parts that end within the contig."""
    start, end = piece
    if start >= length:
        return [(start - length, end - length)]
    return [(start, end)] if end <= length else [(start, length), (0, end - length)]
