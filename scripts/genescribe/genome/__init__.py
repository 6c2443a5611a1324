"""Genomes: annotation and sequence in, sequences of genes and decorated annotation out.

Floor 1: knows GTF, GFF3 and FASTA; knows nothing of models and never imports torch.
"""
