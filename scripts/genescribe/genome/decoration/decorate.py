"""Writing the annotation again with what the models said, and nothing else changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from genescribe.errors import InputError
from genescribe.files import BUFFER_BYTES, atomic_path, encode_line, open_binary
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.decoration.column9 import (
    ATTRIBUTE_KEY,
    GFF3,
    GTF,
    STATUS_KEY,
    Addition,
    Column9,
    add,
    gtf_value,
)
from genescribe.genome.decoration.gff3_from_gtf import write_gff3
from genescribe.genome.decoration.plain_text import flatten, fold_to_ascii
from genescribe.genome.decoration.sorted_copy import write_sorted_copy
from genescribe.genome.decoration.strip import check_undecorated
from genescribe.genome.gff import text_lines
from genescribe.genome.settings import DecorateSettings
from genescribe.records import Description, Reason, Status, check_same_genes

log = logging.getLogger(__name__)


def gtf_path(out: Path) -> Path:
    """Return NAME.gtf for NAME.gff3."""
    return out.with_name(out.name.removesuffix(".gff3") + ".gtf")


def sorted_path(out: Path) -> Path:
    """Return NAME.sorted.gff3.gz for NAME.gff3."""
    return out.with_name(out.name.removesuffix(".gff3") + ".sorted.gff3.gz")


def decorate(
    annotation: Path | Annotation,
    descriptions: Mapping[str, Description],
    out: Path,
    settings: DecorateSettings,
) -> list[Path]:
    """Write the annotation with its genes' descriptions; return the paths written.

    ``out`` (NAME.gff3) is the input with column 9 of the genes' lines extended, or, for GTF, a
    GFF3 of the same genes beside the extended NAME.gtf. With ``sorted_copy`` there are also
    NAME.sorted.gff3.gz and its index. ``genescribe strip`` undoes what is added. Raises
    InputError if genes and ``descriptions`` differ or an output is the input, AnnotationError
    if the input is decorated already; an ``annotation`` that was read before was asked then.
    """
    if isinstance(annotation, Path):
        check_undecorated(annotation)
        annotation = read_annotation(annotation)
    gene_ids = (gene.gene_id for gene in annotation.genes)
    check_same_genes(gene_ids, descriptions, str(annotation.path))
    from_gtf = annotation.dialect == "gtf"
    dialect = GTF if from_gtf else GFF3
    copy = gtf_path(out) if from_gtf else out
    written = [out, copy] if from_gtf else [out]
    check_not_input(annotation.path, written)
    fitted = {gene_id: fit_text(one, settings) for gene_id, one in descriptions.items()}
    with ExitStack() as outputs:
        new_copy = outputs.enter_context(atomic_path(copy))
        by_line = _additions_by_line(annotation, fitted, settings, dialect)
        _copy_with_additions(annotation.path, by_line, new_copy, dialect)
        new_gff3 = new_copy
        if from_gtf:
            new_gff3 = outputs.enter_context(atomic_path(out))
            by_gene = {one: addition_of(fitted[one], settings, GFF3) for one in fitted}
            write_gff3(annotation.genes, new_copy, by_gene, new_gff3)
        if settings.sorted_copy:
            written += write_sorted_copy(new_gff3, sorted_path(out))
    return written


def check_not_input(annotation_path: Path, outputs: list[Path]) -> None:
    """Raise InputError if an output is the annotation itself."""
    for path in outputs:
        if path.exists() and path.samefile(annotation_path):
            raise InputError(f"{path}: is the input itself; choose another name for the output")


def fit_text(description: Description, settings: DecorateSettings) -> Description:
    """Return ``description`` with its text on one line, in ASCII if asked for; changes are logged.

    A ``described`` gene of whose text nothing is left becomes ``failed: empty_text``.
    """
    text = flatten(description.text)
    if settings.ascii:
        text = fold_to_ascii(text)
    if text != description.text:
        log.info("gene %s: text %r -> %r", description.gene_id, description.text, text)
    if not text and description.status == Status.DESCRIBED:
        log.warning("gene %s: its text is empty; written as failed", description.gene_id)
        return replace(description, text="", status=Status.FAILED, reason=Reason.EMPTY_TEXT)
    return replace(description, text=text)


def addition_of(description: Description, settings: DecorateSettings, dialect: Column9) -> Addition:
    """Return what the lines of the described gene get in ``dialect``; the text has to be fitted.

    Characters that GTF cannot hold are replaced, logged old -> new. Percent-encoding is no
    change: readers of GFF3 undo it.
    """
    status = description.status
    generated = status in (Status.DESCRIBED, Status.UNCERTAIN)
    written = status == Status.DESCRIBED or (generated and settings.write_uncertain)
    text = description.text if written else ""
    if dialect is GTF and text != gtf_value(text):
        log.info("gene %s: GTF text %r -> %r", description.gene_id, text, gtf_value(text))
    attribute = settings.attribute
    if attribute == GFF3.default_attribute:
        attribute = dialect.default_attribute
    keys = [(STATUS_KEY, str(status))]
    if description.reason:
        keys.append(("genescribe_reason", str(description.reason)))
    if description.score is not None:
        keys.append(("genescribe_score", f"{description.score:.3f}"))
        if not description.calibrated:
            keys.append(("genescribe_calibrated", "no"))
    if description.lift is not None:
        keys.append(("genescribe_lift", f"{description.lift:.3f}"))
    if description.model and generated:
        keys.append(("genescribe_model", description.model))
    if description.truncated:
        keys.append(("genescribe_truncated", str(description.truncated)))
    if text and (status != Status.DESCRIBED or attribute != dialect.default_attribute):
        keys.append((ATTRIBUTE_KEY, attribute))
    return Addition(attribute, text, keys)


def _additions_by_line(
    annotation: Annotation,
    descriptions: Mapping[str, Description],
    settings: DecorateSettings,
    dialect: Column9,
) -> dict[int, Addition]:
    """Return what to add to which line (1-based); all lines of a gene get the same."""
    additions: dict[int, Addition] = {}
    for gene in annotation.genes:
        addition = addition_of(descriptions[gene.gene_id], settings, dialect)
        for line in gene.lines:
            additions[line] = addition
    return additions


def _copy_with_additions(
    annotation_path: Path, additions: Mapping[int, Addition], out: Path, dialect: Column9
) -> None:
    """Copy the annotation, decompressed, with ``additions`` made; all other bytes as they are."""
    with open_binary(annotation_path) as handle, out.open("wb", BUFFER_BYTES) as copy:
        for number, line in text_lines(handle):
            if number in additions:
                line = add(line, additions[number], dialect)
            copy.write(encode_line(line))
