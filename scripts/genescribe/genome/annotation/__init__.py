"""Reading an annotation: GFF3 or GTF of any dialect in, gene models out.

The way of a line: ``read`` cuts it into a row, ``gff3`` or ``gtf`` hangs the row on its gene in a
``draft`` (``orphans`` where the file does not say on which), ``gene_models`` makes records of it.

Why not gffutils (0.14): it imports the file into an SQLite database before the first question,
which took four times as long as this whole reading on yeast's annotation (GenBank, R64), and gives
its features back rewritten, 22,355 of the 26,752 lines there, where decorating must leave every
other byte as it was. It infers the dialect from the first lines, and bad lines have to be refused
by file and line.
"""

from __future__ import annotations

from genescribe.genome.annotation.read import Annotation, read_annotation

__all__ = ["Annotation", "read_annotation"]
