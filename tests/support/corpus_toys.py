"""Small sources and corpora for the tests of corpora and splits."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

from genescribe.corpus.records import PRODUCT_NAME, CorpusRecord
from genescribe.records import View, sequence_sha256

PRODUCTS = ("DNA ligase", "solanesyl synthase", "holin", "ABC transporter permease")


def open_frame(chance: random.Random, codons: int = 60) -> str:
    """Return a random CDS without stops inside."""
    stops = {"TAA", "TAG", "TGA"}
    inner = ["".join(chance.choices("ACGT", k=3)) for _ in range(codons)]
    return "ATG" + "".join(c for c in inner if c not in stops) + "TAA"


def mutated(chance: random.Random, sequence: str, rate: float) -> str:
    """Return a CDS in which a share of the codons was replaced."""
    codons = [sequence[i : i + 3] for i in range(0, len(sequence), 3)]
    for at in range(1, len(codons) - 1):
        if chance.random() < rate:
            codons[at] = chance.choice(["GCT", "AAA", "CTG", "GAT", "TTC"])
    return "".join(codons)


def pair(gene_id: str, seq: str, desc: str, **more: str) -> dict[str, str]:
    """Return a line of a file of pairs."""
    return {"id": gene_id, "seq": seq, "desc": desc, "biotype": "CDS"} | more


def write_pairs(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write a file of pairs, gzip."""
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def record(gene_id: str, sequence: str, **changes: object) -> CorpusRecord:
    """Return a record of a coding gene; keywords change any field."""
    values: dict[str, object] = {
        "gene_id": gene_id, "source": "toy", "organism": "Toy toy", "biotype": "protein_coding",
        "view": View.CDS, "sequence": sequence, "sha256": sequence_sha256(sequence),
        "question": PRODUCT_NAME, "answer": f"enzyme {gene_id}", "informative": True,
        "provenance": "toy.jsonl:1 desc",
    }  # fmt: skip
    return CorpusRecord(**(values | changes))  # type: ignore[arg-type]


def relatives(families: int, members: int, seed: int = 0) -> list[CorpusRecord]:
    """Return genes of which every ``members`` are relatives, one record each."""
    chance = random.Random(seed)
    records = []
    for family in range(families):
        founder = open_frame(chance, 200)
        for member in range(members):
            sequence = mutated(chance, founder, 0.1) if member else founder
            records.append(record(f"g{family}_{member}", sequence))
    return records
