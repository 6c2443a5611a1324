"""Reading an annotation: GFF3 or GTF of any dialect in, gene models out."""

from __future__ import annotations

from genescribe.genome.annotation.read import Annotation, read_annotation

__all__ = ["Annotation", "read_annotation"]
