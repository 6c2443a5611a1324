"""GFF3: from features with ID and Parent to genes with transcripts (as a ``Draft``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genescribe.genome.adopt import find_homes
from genescribe.genome.biotypes import TRANSCRIPT_KEYS, Level, Levels, stated_biotype
from genescribe.genome.draft import (
    NAME_KEYS,
    Draft,
    DraftGene,
    DraftOther,
    DraftTranscript,
)
from genescribe.genome.gff import decode_value, parse_gff3_attributes, unquoted
from genescribe.genome.reading import Row
from genescribe.records import Segment

# What names a feature that has no ID, best first.
_ID_KEYS = ("ID", "locus_tag", "gene_id", "Name", "gene")
_BULK = ("match", "match_part", "intron")


def read_gff3(rows: Iterable[Row], draft: Draft) -> None:
    """Fill ``draft`` with the features of a GFF3 file and link them into genes."""
    levels = Levels()
    new = tuple.__new__
    last_parent, last = "", None
    for number, seqid, kind, start, end, strand, phase, attributes in rows:
        level = levels[kind]
        if level is Level.GENE:
            _add_gene_like(draft, number, seqid, kind, start, end, strand, attributes)
            continue
        if level is Level.TRANSCRIPT:
            _add_transcript(draft, number, seqid, kind, start, end, strand, attributes)
            continue
        if level is Level.OTHER:
            _add_other(draft, number, seqid, kind, start, end, attributes)
            continue
        parent = gff3_value(attributes, "Parent=")
        if last is not None and parent == last_parent and parent and last[0].seqid == seqid:
            nodes = last
        else:
            nodes = _parents_of_piece(
                draft, level, number, seqid, kind, start, end, strand, attributes
            )
            last_parent, last = parent, nodes
        if not nodes:
            continue
        piece = new(Segment, (start, end, strand, phase))
        cds_id = gff3_value(attributes, "ID=") if level is Level.CDS else ""
        for node in nodes:
            _add_piece(node, level, piece, cds_id, attributes)
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


def _add_piece(
    node: DraftTranscript, level: Level, piece: Segment, cds_id: str, attributes: str
) -> None:
    if level is Level.EXON:
        node.exons.append(piece)
    elif level is Level.CDS:
        node.cds.append(piece)
        same = node.cds_ids and node.cds_ids[-1] == cds_id
        node.cds_ids.append(node.cds_ids[-1] if same else cds_id)
        if len(node.cds) == 1:
            product = gff3_value(attributes, "product=")
            node.product = decode_value(product) if product else node.product
    elif level is Level.UTR:
        if not node.exons:
            node.utrs = [*(node.utrs or ()), piece]
    else:
        node.stops = [*(node.stops or ()), piece]


def _add_line(node: DraftTranscript, number: int, attributes: str) -> None:
    """Keep the lines of the first feature: further ones only if they share its ID."""
    if not node.lines:
        node.lines.append(number)
        return
    feature_id = gff3_value(attributes, "ID=")
    if feature_id and feature_id == gff3_value(node.attributes, "ID="):
        node.lines.append(number)


def _parents_of_piece(
    draft: Draft,
    level: Level,
    number: int,
    seqid: str,
    kind: str,
    start: int,
    end: int,
    strand: str,
    attributes: str,
) -> list[DraftTranscript]:
    parents = gff3_ids(gff3_value(attributes, "Parent="))
    if not parents and level not in (Level.EXON, Level.CDS):
        draft.ignored[kind] += 1
        return []
    ids = parents or (_own_id(draft, seqid, start, end, strand, attributes),)
    nodes = []
    for parent in ids:
        node = draft.transcripts.get(("", parent))
        if node is None:
            node = DraftTranscript(parent, seqid, number, strand, attributes)
            node.has_parent = bool(parents)
            draft.transcripts["", parent] = node
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


def _own_id(
    draft: Draft, seqid: str, start: int, end: int, strand: str, attributes: str
) -> str:
    """Return the ID of a feature, or what stands in for it: a name, else its position."""
    pairs = parse_gff3_attributes(attributes)
    if pairs.get("ID"):
        return pairs["ID"][0]
    for key in _ID_KEYS:
        name = pairs.get(key, [""])[0] if pairs.get(key) else ""
        if name and name not in draft.genes and ("", name) not in draft.transcripts:
            return name
    return f"{seqid}:{start + 1}-{end}({strand})"


def _first(pairs: dict[str, list[str]], keys: Sequence[str]) -> str:
    return next((pairs[key][0] for key in keys if pairs.get(key)), "")


def _add_gene_like(
    draft: Draft,
    number: int,
    seqid: str,
    kind: str,
    start: int,
    end: int,
    strand: str,
    attributes: str,
) -> None:
    """Add a gene line; ``processed_pseudogene`` and its like below a gene are transcripts."""
    pairs = parse_gff3_attributes(attributes)
    parents = tuple(pairs.get("Parent", ()))
    if parents and kind != "gene":
        _add_transcript(draft, number, seqid, kind, start, end, strand, attributes)
        return
    gene_id = _own_id(draft, seqid, start, end, strand, attributes)
    gene = DraftGene(gene_id, seqid, strand, kind, [Segment(start, end, strand)], [number], parents)
    _describe_gene(gene, pairs)
    draft.add_gene(gene)


def _describe_gene(gene: DraftGene, pairs: dict[str, list[str]]) -> None:
    gene.stated_biotype = stated_biotype(gene.type, pairs)
    gene.name = _first(pairs, NAME_KEYS)
    gene.product = _first(pairs, ("product",))
    gene.description = _first(pairs, ("description",))
    gene.locus_tag = _first(pairs, ("locus_tag",))
    gene.spliced_in_trans = "part" in pairs or "trans-splicing" in pairs.get("exception", ())


def _add_transcript(
    draft: Draft,
    number: int,
    seqid: str,
    kind: str,
    start: int,
    end: int,
    strand: str,
    attributes: str,
) -> None:
    raw_id = gff3_value(attributes, "ID=")
    own_id = decode_value(raw_id) or _own_id(draft, seqid, start, end, strand, attributes)
    parents = gff3_ids(gff3_value(attributes, "Parent="))
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
    if node.defined:
        draft.oddities.note("transcript lines share an ID and are read as one transcript", number)
        node.parents = tuple(dict.fromkeys(node.parents + parents))
        node.start, node.end = min(node.start, start), max(node.end, end)
        node.strand = node.strand if node.strand == strand else "."
        node.lines.append(number)
        return
    node.defined, node.has_parent = True, bool(parents)
    node.type, node.start, node.end, node.strand = kind, start, end, strand
    node.parents, node.attributes, node.line, node.lines = parents, attributes, number, [number]
    keys = (gff3_value(attributes, f"{key}=") for key in TRANSCRIPT_KEYS)
    node.stated_biotype = next(filter(None, keys), "")
    if node.product is None:
        node.product = decode_value(gff3_value(attributes, "product=")) or None


def _add_other(
    draft: Draft, number: int, seqid: str, kind: str, start: int, end: int, attributes: str
) -> None:
    draft.ignored[kind] += 1
    if "Is_circular=true" in attributes and start == 0:
        draft.circular[seqid] = end
    if kind.endswith(_BULK):
        return
    own_id = decode_value(gff3_value(attributes, "ID="))
    if own_id:
        draft.others[own_id] = DraftOther(number, gff3_ids(gff3_value(attributes, "Parent=")))


def _link(draft: Draft) -> None:
    """Hang every transcript on its genes; what has none goes to ``find_homes``."""
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
    find_homes(draft, orphans)


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
        _describe_gene(gene, parse_gff3_attributes(top.attributes))
        draft.add_gene(gene)
        top.defined = False
        if not any(top.pieces()):
            del draft.transcripts["", gene_id]


def _genes_above(draft: Draft, node: DraftTranscript) -> list[DraftGene]:
    """Return the genes that are reached from a transcript by following Parent."""
    found: dict[str, DraftGene] = {}
    ids = list(node.parents if node.defined else (node.transcript_id,))
    while ids:
        parent = ids.pop(0)
        if parent in draft.genes:
            found[parent] = draft.genes[parent]
            continue
        above = draft.transcripts.get(("", parent))
        if above is not None and above is not node and above.defined:
            ids.extend(above.parents)
        elif parent in draft.others:
            ids.extend(draft.others[parent].parents)
    return list(found.values())


def _refuse_cycles(draft: Draft) -> None:
    """Raise AnnotationError if following Parent leads back to where it began."""
    done: set[int] = set()
    starts = [gene for gene in draft.genes.values() if gene.parents]
    starts += [t for t in draft.transcripts.values() if any(p not in draft.genes for p in t.parents)]
    for node in [*starts, *draft.others.values()]:
        _walk_up(draft, node, {}, done)


def _walk_up(
    draft: Draft,
    node: DraftGene | DraftTranscript | DraftOther,
    path: dict[int, None],
    done: set[int],
) -> None:
    if id(node) in path:
        line = node.lines[0] if isinstance(node, DraftGene) else node.line
        raise draft.error(line, "this feature is its own ancestor; correct Parent in column 9")
    if id(node) in done:
        return
    path[id(node)] = None
    for parent in node.parents:
        transcript = draft.transcripts.get(("", parent))
        above = (
            draft.genes.get(parent)
            or (transcript if transcript is not None and transcript.defined else None)
            or draft.others.get(parent)
        )
        if above is not None:
            _walk_up(draft, above, path, done)
    del path[id(node)]
    done.add(id(node))
