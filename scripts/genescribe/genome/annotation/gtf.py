"""GTF (and GFF2, GFF1): from gene_id and transcript_id to genes with transcripts.

A gene line is not needed: a gene without one takes the lines of its transcripts, and without
those the first line of each transcript. AUGUSTUS and BRAKER write one bare value in column 9 of
gene and transcript lines (``g1``, ``g1.t1``); GFF1 does so everywhere, and there the value
stands for the gene.
"""

from __future__ import annotations

from collections.abc import Iterable

from genescribe.genome.annotation.draft import (
    NAME_KEYS,
    Draft,
    DraftGene,
    DraftTranscript,
    PieceCache,
    Row,
)
from genescribe.genome.annotation.orphans import GeneIndex, names_agree
from genescribe.genome.biotypes import GENE_KEYS, TRANSCRIPT_KEYS, Level, Levels, first_value
from genescribe.genome.gff import GTF_PAIR, parse_gtf_attributes
from genescribe.records import Segment

_PREFIX, _SECOND = 'gene_id "', '"; transcript_id "'


def read_gtf(rows: Iterable[Row], draft: Draft) -> None:
    """Fill ``draft`` with the features of a GTF file and link them into genes."""
    levels = Levels()
    bare_transcripts: dict[str, Row] = {}
    exon, cds = Level.EXON, Level.CDS
    pieces = PieceCache()
    last_key, last = ("", ""), None
    for row in rows:
        number, seqid, kind, start, end, strand, phase, attributes = row
        level = levels[kind]
        if level is Level.OTHER:
            draft.ignored[kind] += 1
            continue
        key = gtf_ids(attributes)
        if key == ("", ""):
            bare = bare_id(attributes)
            if not bare or " " in bare:
                raise draft.error(
                    number, f"{kind} has neither gene_id nor transcript_id in column 9; add gene_id"
                )
            if level is Level.TRANSCRIPT:
                bare_transcripts[bare] = row
                continue
            key = (bare, "")
        if level is Level.GENE:
            _add_gene(draft, row, key[0] or key[1])
            continue
        if last is None or key != last_key or last.seqid != seqid:
            last_key, last = key, _node(draft, row, key)
        if level is Level.TRANSCRIPT:
            last.define(draft, row)
            continue
        piece = pieces[start, end, strand, -1 if level is exon else phase]
        if level is exon:
            last.exons.append(piece)
        elif level is cds:
            last.cds.append(piece)
        else:
            last.add_other_piece(level, piece)
    _define_bare(draft, bare_transcripts)
    _link(draft)


def bare_id(column: str) -> str:
    """Return the id that opens a column 9 without key; further attributes may follow it."""
    return column.partition(";")[0].strip(' "')


def gtf_ids(attributes: str) -> tuple[str, str]:
    """Return (gene_id, transcript_id) of a column 9, "" for what it lacks.

    The common layout is cut out directly; any other goes through the complete grammar.
    """
    if attributes.startswith(_PREFIX):
        stop = attributes.find('"', len(_PREFIX))
        if attributes.startswith(_SECOND, stop):
            begin = stop + len(_SECOND)
            return attributes[len(_PREFIX) : stop], attributes[begin : attributes.find('"', begin)]
    gene_id = transcript_id = ""
    for pair in GTF_PAIR.finditer(attributes):
        if pair["key"] == "gene_id":
            gene_id = pair["quoted"] or (pair["bare"] or "").strip()
        elif pair["key"] == "transcript_id":
            transcript_id = pair["quoted"] or (pair["bare"] or "").strip()
        if gene_id and transcript_id:
            break
    return gene_id, transcript_id


def _add_gene(draft: Draft, row: Row, gene_id: str) -> None:
    number, seqid, kind, start, end, strand, _, attributes = row
    gene = DraftGene(gene_id, seqid, strand, kind, [Segment(start, end, strand)], [number])
    gene.describe(parse_gtf_attributes(attributes))
    draft.add_gene(gene)


def _node(draft: Draft, row: Row, key: tuple[str, str]) -> DraftTranscript:
    number, seqid, kind, _, _, strand, _, attributes = row
    node = draft.transcripts.get(key)
    if node is None:
        node = DraftTranscript(key[1], seqid, number, strand, attributes)
        node.lines.append(number)
        draft.transcripts[key] = node
    elif node.seqid != seqid:
        raise draft.error(
            number,
            f'{kind} of "{key[1] or key[0]}" is on {seqid} but line {node.line} has it on '
            f"{node.seqid}; give each copy its own gene_id and transcript_id",
        )
    return node


def _define_bare(draft: Draft, bare: dict[str, Row]) -> None:
    """Give transcript lines that hold only their id (``g1.t1``) to their transcripts."""
    if not bare:
        return
    by_id = {key[1]: key for key in draft.transcripts}
    for transcript_id, row in bare.items():
        gene_id = transcript_id.rpartition(".")[0] or transcript_id
        key = by_id.get(transcript_id, (gene_id, transcript_id))
        _node(draft, row, key).define(draft, row)


def _link(draft: Draft) -> None:
    """Hang transcripts on their genes; make the genes that have no line of their own."""
    _join_geneless(draft)
    missing: dict[tuple[str, str], list[DraftTranscript]] = {}
    for (gene_id, transcript_id), node in draft.transcripts.items():
        _describe(node)
        gene = draft.genes.get(gene_id or transcript_id)
        if gene is None:
            missing.setdefault((gene_id or transcript_id, node.seqid), []).append(node)
        elif gene.seqid != node.seqid:
            raise draft.error(
                node.line,
                f'"{transcript_id}" is on {node.seqid} but its gene "{gene_id}" (line '
                f"{gene.lines[0]}) is on {gene.seqid}; correct column 1 or gene_id",
            )
        else:
            gene.transcripts.append(node)
    index = GeneIndex(
        [g for g in draft.genes.values() if not any(any(t.pieces()) for t in g.transcripts)]
    )
    for (gene_id, seqid), nodes in missing.items():
        gene = _gene_without_pieces(index, gene_id, nodes)
        if gene is None:
            if gene_id in draft.genes:  # UCSC: one gene name on several sequences
                draft.warnings.add(
                    "gene_id is on several sequences, read as one gene each", nodes[0].line
                )
                gene_id = f"{gene_id}@{seqid}"
            gene = draft.genes[gene_id] = _gene_without_line(gene_id, nodes)
        else:
            draft.warnings.add("features joined to a gene by name and place", nodes[0].line)
        gene.transcripts = nodes
    for gene in draft.genes.values():
        _join_nameless(gene)


def _describe(node: DraftTranscript) -> None:
    pairs = parse_gtf_attributes(node.attributes)
    node.stated_biotype = first_value(pairs, TRANSCRIPT_KEYS)
    node.product = ",".join(pairs.get("product", ())) or None


def _gene_without_pieces(
    index: GeneIndex, gene_id: str, nodes: list[DraftTranscript]
) -> DraftGene | None:
    """Return the gene line without transcripts that was meant, if name and place agree.

    TSEBRA prefixes the ids of transcripts and leaves the bare gene lines as they were.
    """
    spans = [node.span() for node in nodes]
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    around = index.around(nodes[0].seqid, start, end, nodes[0].strand)
    named = [gene for gene in around if names_agree(gene.gene_id, gene_id)]
    return named[0] if len(named) == 1 else None


def _gene_without_line(gene_id: str, nodes: list[DraftTranscript]) -> DraftGene:
    strand = nodes[0].strand
    spans = [node.span() for node in nodes]
    pairs = parse_gtf_attributes(nodes[0].attributes)
    with_lines = [node for node in nodes if node.defined] or nodes
    return DraftGene(
        gene_id=gene_id,
        seqid=nodes[0].seqid,
        strand=strand if all(node.strand == strand for node in nodes) else ".",
        type="",
        parts=[Segment(min(s for s, _ in spans), max(e for _, e in spans), strand)],
        lines=sorted(line for node in with_lines for line in node.lines),
        stated_biotype=first_value(pairs, GENE_KEYS),
        name=first_value(pairs, NAME_KEYS),
        description=",".join(pairs.get("description", ())),
    )


def _join_geneless(draft: Draft) -> None:
    """Join pieces that name only a transcript to it, where other lines tell its gene.

    gffread leaves gene_id out of some lines of a transcript.
    """
    geneless = [transcript_id for gene_id, transcript_id in draft.transcripts if not gene_id]
    if not geneless:
        return
    whole = {key[1]: node for key, node in draft.transcripts.items() if key[0] and key[1]}
    for transcript_id in geneless:
        if transcript_id in whole:
            _absorb(whole[transcript_id], draft.transcripts.pop(("", transcript_id)))


def _join_nameless(gene: DraftGene) -> None:
    """Give pieces without transcript_id to the transcript of a gene that has only one."""
    nameless = [node for node in gene.transcripts if not node.transcript_id]
    named = [node for node in gene.transcripts if node.transcript_id]
    if not nameless:
        return
    if len(named) == 1:
        _absorb(named[0], nameless[0])
        gene.transcripts = named
    else:
        nameless[0].transcript_id = gene.gene_id


def _absorb(node: DraftTranscript, other: DraftTranscript) -> None:
    node.exons += other.exons
    node.cds += other.cds
    node.utrs = [*(node.utrs or ()), *(other.utrs or ())] or None
    node.stops = [*(node.stops or ()), *(other.stops or ())] or None
