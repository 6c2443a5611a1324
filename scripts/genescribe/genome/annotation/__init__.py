"""Reading an annotation: GFF3 or GTF of any dialect in, gene models out.

The way of a line: ``read`` cuts it into a row, ``gff3`` or ``gtf`` hangs the row on its gene in a
``draft`` (``orphans`` where the file does not say on which), ``gene_models`` makes records of it.
``texts`` reads what the lines of a gene say of it.

Why not gffutils (0.14): it imports the file into an SQLite database before the first question,
which takes four times as long as this whole reading (yeast, GenBank R64), and it infers one layout
of column 9 for the whole file. Decorating must leave every other byte as it was: of gffread's GTF
of yeast it gives 6,446 of 19,495 lines back changed. And bad lines have to be refused by file and
line.
"""

from __future__ import annotations

from genescribe.genome.annotation.read import Annotation, read_annotation
from genescribe.genome.annotation.texts import LineText, read_texts

__all__ = ["Annotation", "LineText", "read_annotation", "read_texts"]
