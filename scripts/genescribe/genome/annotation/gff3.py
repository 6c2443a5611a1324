"""GFF3: from features with ID and Parent to genes with transcripts (as a ``Draft``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genescribe.genome.annotation.draft import (
    Draft,
    DraftGene,
    DraftOther,
    DraftTranscript,
    PieceCache,
    Row,
)
from genescribe.genome.annotation.orphans import assign_orphans
from genescribe.genome.biotypes import TRANSCRIPT_KEYS, Level, Levels
from genescribe.genome.gff import decode_value, parse_gff3_attributes, unquoted
from genescribe.records import Segment

Node = DraftGene | DraftTranscript | DraftOther

# What names a feature that has no ID, best first.
_ID_KEYS = ("ID", "locus_tag", "gene_id", "Name", "gene")
_BULK = ("match", "match_part", "intron")


def read_gff3(rows: Iterable[Row], draft: Draft) -> None:
    """Fill ``draft`` with the features of a GFF3 file and link them into genes."""
    levels = Levels()
    gene, transcript, exon, cds, other = (
        Level.GENE,
        Level.TRANSCRIPT,
        Level.EXON,
        Level.CDS,
        Level.OTHER,
    )
    pieces = PieceCache()
    last_parent, last = "", [DraftTranscript("", "", 0, "", "")]
    for row in rows:
        number, seqid, kind, start, end, strand, phase, attributes = row
        level = levels[kind]
        if level is gene:
            _add_gene_like(draft, row)
            continue
        if level is transcript:
            _add_transcript(draft, row)
            continue
        if level is other:
            _add_other(draft, row)
            continue
        parent = gff3_value(attributes, "Parent=")
        if parent != last_parent or not parent or last[0].seqid != seqid:
            nodes = _parents_of_piece(draft, level, row, parent)
            if not nodes:
                continue
            last_parent, last = (parent if nodes[0].has_parent else ""), nodes
        piece = pieces[start, end, strand, -1 if level is exon else phase]
        for node in last:
            if level is exon:
                node.exons.append(piece)
            elif level is cds:
                _add_cds(node, piece, attributes)
            else:
                node.add_other_piece(level, piece)
            if not node.defined and (not node.lines or node.lines[-1] != number):
                _add_line(node, number, attributes)
    _link(draft)


def gff3_value(attributes: str, key: str) -> str:
    """Return the raw value of one attribute, ``key`` given as ``"ID="``; "" where it is absent.

    The fast way to one value; ``parse_gff3_attributes`` is the complete one.
    """
    at = attributes.find(key)
    while at > 0 and attributes[at - 1] != ";":
        if attributes[at - 1] == " " and attributes[:at].rstrip()[-1:] in (";", ""):
            break
        at = attributes.find(key, at + 1)
    if at < 0:
        return ""
    stop = attributes.find(";", at)
    value = attributes[at + len(key) :] if stop < 0 else attributes[at + len(key) : stop]
    return unquoted(value) if value[:1] in ('"', " ") or value[-1:] == " " else value


def gff3_ids(value: str) -> tuple[str, ...]:
    """Return the decoded ids of a Parent attribute; empty ones (extra comma) are dropped."""
    if "," not in value and "%" not in value:
        return (value,) if value else ()
    return tuple(decode_value(unquoted(part)) for part in value.split(",") if part.strip())


def _add_cds(node: DraftTranscript, piece: Segment, attributes: str) -> None:
    cds_id = gff3_value(attributes, "ID=")
    if not node.cds:
        product = gff3_value(attributes, "product=")
        node.product = decode_value(product) if product else node.product
    elif cds_id == node.cds_ids[-1]:
        cds_id = node.cds_ids[-1]  # one string in memory, not one a line
    node.cds.append(piece)
    node.cds_ids.append(cds_id)


def _add_line(node: DraftTranscript, number: int, attributes: str) -> None:
    """Keep the lines of the first feature; more than one if they share its ID."""
    if not node.lines:
        node.lines.append(number)
        return
    feature_id = gff3_value(attributes, "ID=")
    if feature_id and feature_id == gff3_value(node.attributes, "ID="):
        node.lines.append(number)


def _parents_of_piece(
    draft: Draft, level: Level, row: Row, parent_value: str
) -> list[DraftTranscript]:
    """Return the drafts that a piece belongs to: those of its Parents, else one of its own."""
    number, seqid, kind, _, _, strand, _, attributes = row
    named = gff3_ids(parent_value)
    parents = _without_containers(draft, named)
    if not parents and level is not Level.CDS and (named or level is not Level.EXON):
        draft.ignored[kind] += 1
        return []
    nodes = []
    for parent in parents or (_own_id(draft, row, parse_gff3_attributes(attributes)),):
        node = draft.transcripts.get(("", parent))
        if node is None:
            node = DraftTranscript(parent, seqid, number, strand, attributes)
            node.has_parent = bool(parents)
            draft.transcripts["", parent] = node
        elif not parents and (node.seqid, node.strand) != (seqid, strand):
            raise draft.error(
                number,
                f'ID "{parent}" is used again on another sequence or strand (first on line '
                f"{node.line}); give each {kind} its own ID",
            )
        elif node.seqid != seqid:
            raise draft.error(
                number,
                f'{kind} is on {seqid} but its parent "{parent}" (line {node.line}) is on '
                f"{node.seqid}; correct column 1 or Parent",
            )
        if len(parents) > 1:
            node.co_parents = (node.co_parents or set()) | set(parents)
        nodes.append(node)
    return nodes


def _without_containers(draft: Draft, parents: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out parents that are no part of a gene: an operon, a region, TAIR's proteins."""
    others = draft.others
    return tuple(p for p in parents if p not in others or others[p].parents)


def _own_id(draft: Draft, row: Row, pairs: dict[str, list[str]]) -> str:
    """Return the ID of a feature, or what stands in for it: a name, else its position."""
    if pairs.get("ID"):
        return pairs["ID"][0]
    for key in _ID_KEYS:
        name = pairs[key][0] if pairs.get(key) else ""
        if name and name not in draft.genes and ("", name) not in draft.transcripts:
            return name
    _, seqid, _, start, end, strand, _, _ = row
    return f"{seqid}:{start + 1}-{end}({strand})"


def _add_gene_like(draft: Draft, row: Row) -> None:
    """Add a gene line; ``processed_pseudogene`` and its like below a gene are transcripts."""
    number, seqid, kind, start, end, strand, _, attributes = row
    pairs = parse_gff3_attributes(attributes)
    parents = tuple(pairs.get("Parent", ()))
    if parents and kind != "gene":
        _add_transcript(draft, row)
        return
    gene_id = _own_id(draft, row, pairs)
    gene = DraftGene(gene_id, seqid, strand, kind, [Segment(start, end, strand)], [number], parents)
    gene.describe(pairs)
    draft.add_gene(gene)


def _add_transcript(draft: Draft, row: Row) -> None:
    number, seqid, kind, _, _, strand, _, attributes = row
    own_id = decode_value(gff3_value(attributes, "ID=")) or _own_id(
        draft, row, parse_gff3_attributes(attributes)
    )
    parents = _without_containers(draft, gff3_ids(gff3_value(attributes, "Parent=")))
    node = draft.transcripts.get(("", own_id))
    if node is None:
        node = DraftTranscript(own_id, seqid, number, strand, attributes)
        draft.transcripts["", own_id] = node
    elif node.seqid != seqid:
        raise draft.error(
            number,
            f'{kind} "{own_id}" is on {seqid} but line {node.line} has it, or a part of it, on '
            f"{node.seqid}; give each its own ID or correct column 1",
        )
    if node.defined and node.parents != parents:
        raise draft.error(
            number,
            f'transcript ID "{own_id}" is used again under another Parent (first on line '
            f"{node.line}); give each transcript its own ID",
        )
    if not node.defined:
        node.parents, node.has_parent = parents, bool(parents)
        stated = (gff3_value(attributes, f"{key}=") for key in TRANSCRIPT_KEYS)
        node.stated_biotype = next(filter(None, stated), "")
        if node.product is None:
            node.product = decode_value(gff3_value(attributes, "product=")) or None
    node.define(draft, row)


def _add_other(draft: Draft, row: Row) -> None:
    number, seqid, kind, start, end, _, _, attributes = row
    draft.ignored[kind] += 1
    if start == 0 and gff3_value(attributes, "Is_circular=") == "true":
        draft.circular[seqid] = end
    if kind.endswith(_BULK):
        return
    own_id = decode_value(gff3_value(attributes, "ID="))
    if own_id:
        draft.others[own_id] = DraftOther(number, gff3_ids(gff3_value(attributes, "Parent=")))


def _link(draft: Draft) -> None:
    """Hang every transcript on its genes; what has none is an orphan."""
    _refuse_cycles(draft)
    _promote_tops(draft)
    orphans = []
    for node in draft.transcripts.values():
        genes = _genes_above(draft, node)
        for gene in genes:
            if gene.seqid != node.seqid:
                raise draft.error(
                    node.line,
                    f"feature on {node.seqid} belongs to gene {gene.gene_id!r} on {gene.seqid} "
                    f"(line {gene.lines[0]}); correct column 1 or Parent",
                )
            gene.transcripts.append(node)
        if not genes:
            orphans.append(node)
    assign_orphans(draft, orphans)
    for gene in draft.genes.values():
        _drop_repeated_exons(gene)


def _drop_repeated_exons(gene: DraftGene) -> None:
    """Drop exons that hang on the gene itself where its transcripts have pieces of their own."""
    own = [t for t in gene.transcripts if t.defined or t.transcript_id != gene.gene_id]
    if len(own) < len(gene.transcripts) and any(t.exons or t.cds for t in own):
        gene.transcripts = [t for t in gene.transcripts if t in own or t.cds]


def _promote_tops(draft: Draft) -> None:
    """Make genes of top-level transcripts that have transcripts below them.

    Ensembl wrote genes so whose type has no ``gene`` in it (``processed_transcript``).
    """
    tops = {}
    for node in draft.transcripts.values():
        for parent in node.parents:
            top = draft.transcripts.get(("", parent))
            if parent not in draft.genes and top and top.defined and not top.has_parent:
                tops[parent] = top
    for gene_id, top in tops.items():
        span = Segment(top.start, top.end, top.strand)
        gene = DraftGene(gene_id, top.seqid, top.strand, top.type, [span], top.lines)
        gene.describe(parse_gff3_attributes(top.attributes))
        draft.add_gene(gene)
        top.defined = False
        if not any(top.pieces()):
            del draft.transcripts["", gene_id]


def _genes_above(draft: Draft, node: DraftTranscript) -> list[DraftGene]:
    """Return the genes that are reached from a transcript by following Parent."""
    if not node.defined and node.transcript_id in draft.genes:
        return [draft.genes[node.transcript_id]]
    genes: dict[int, DraftGene] = {}
    below: list[Node] = [node]
    if not node.defined:
        below = [draft.others[node.transcript_id]] if node.transcript_id in draft.others else []
    while below:
        for parent in _above(draft, below.pop()):
            if isinstance(parent, DraftGene):
                genes[id(parent)] = parent
            else:
                below.append(parent)
    return list(genes.values())


def _refuse_cycles(draft: Draft) -> None:
    """Raise AnnotationError if following Parent leads from a feature back to itself."""
    nodes: list[Node] = [gene for gene in draft.genes.values() if gene.parents]
    nodes += draft.others.values()
    nodes += [
        node
        for node in draft.transcripts.values()
        if any(parent not in draft.genes for parent in node.parents)
    ]
    acyclic: set[int] = set()
    for node in nodes:
        path, stack = {id(node)}, [(node, _above(draft, node))]
        while stack:
            below, parents = stack[-1]
            parent = next(parents, None)
            if parent is None:
                stack.pop()
                path.discard(id(below))
                acyclic.add(id(below))
            elif id(parent) in path:
                line = parent.lines[0] if isinstance(parent, DraftGene) else parent.line
                raise draft.error(line, "this feature is its own ancestor; correct its Parent")
            elif id(parent) not in acyclic:
                path.add(id(parent))
                stack.append((parent, _above(draft, parent)))


def _above(draft: Draft, node: Node) -> Iterator[Node]:
    """Yield what the Parent ids of a feature stand for, as far as the file defines them."""
    for parent in node.parents:
        transcript = draft.transcripts.get(("", parent))
        if parent in draft.genes:
            yield draft.genes[parent]
        elif transcript is not None and transcript.defined:
            yield transcript
        elif parent in draft.others:
            yield draft.others[parent]
