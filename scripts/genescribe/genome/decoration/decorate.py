"""Writing the annotation again with what the models said, and nothing else changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from genescribe.errors import InputError
from genescribe.files import BUFFER_BYTES, atomic_path, encode_line, open_binary
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.decoration.attributes import DecorateSettings, addition_of, fit_text
from genescribe.genome.decoration.column9 import GFF3, GTF, Addition, Column9, add
from genescribe.genome.decoration.gff3_from_gtf import write_gff3
from genescribe.genome.decoration.sorted_copy import write_sorted_copy
from genescribe.genome.decoration.strip import check_undecorated
from genescribe.genome.gff import text_lines
from genescribe.records import Description, check_same_genes

__all__ = [
    "DecorateSettings",
    "check_not_input",
    "decorate",
    "gtf_path",
    "sorted_path",
    "write_decorated",
]

log = logging.getLogger(__name__)


def gtf_path(out: Path) -> Path:
    """Return NAME.gtf for NAME.gff3."""
    return out.with_name(out.name.removesuffix(".gff3") + ".gtf")


def sorted_path(out: Path) -> Path:
    """Return NAME.sorted.gff3.gz for NAME.gff3."""
    return out.with_name(out.name.removesuffix(".gff3") + ".sorted.gff3.gz")


def decorate(
    annotation_path: Path,
    descriptions: Mapping[str, Description],
    out: Path,
    settings: DecorateSettings,
) -> list[Path]:
    """Write the annotation with its genes' descriptions; return the paths written.

    ``out`` (NAME.gff3) is the input with column 9 of the genes' lines extended, or, for GTF, a
    GFF3 of the same genes beside the extended NAME.gtf. With ``sorted_copy`` there are also
    NAME.sorted.gff3.gz and its index. ``genescribe strip`` undoes what is added. Raises
    InputError if genes and ``descriptions`` differ or an output is the input, AnnotationError
    if the input is decorated already.
    """
    check_undecorated(annotation_path)
    return write_decorated(read_annotation(annotation_path), descriptions, out, settings)


def write_decorated(
    annotation: Annotation,
    descriptions: Mapping[str, Description],
    out: Path,
    settings: DecorateSettings,
) -> list[Path]:
    """Do what ``decorate`` does, for an annotation already read and known to be undecorated."""
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
