"""The files that stages hand on: tables of genes, sequences, descriptions, records of runs."""

from __future__ import annotations
