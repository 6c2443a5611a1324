"""Named proteins of the data folder, which of them resemble each other, and how much.

What ``draw_name_pairs.py`` and ``mine_names.py`` share: both read ``proteins/`` and ``pairs/`` of
the data that the project was built with (its README tells where every file came from).
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genescribe.nucleotides import protein

PROTEINS = ("core_c50", "extra_c90", "euk_core", "euk_extra")
UNIPROT = {
    "gapseq_uniref90_sp", "gapseq_ec", "gapseq_user", "mmseqs_uniprot", "uniprot_flatfiles",
    "gapseq_uniref90", "prokka_sprot", "uniprot_sprot_fasta", "uniprot_flat", "uniprot_xml",
    "uniprot_oldfasta", "sprot2014_uniprot_name", "uniprot_trembl_fasta", "uniprot_xml_trembl",
}  # fmt: skip
"""Sources whose names are UniProt's (CC BY 4.0)."""
INSDC = {
    "prokka_genus", "prokka_amr", "ensembl_bacteria", "faa_porthomcl", "faa_misc", "faa_carveme",
    "faa_fungi", "faa_mycoplasma", "faa_buchnera", "abricate_ncbi", "gb_phispy", "gb_kbase",
    "gb_moshi4", "gb_mycoplasma", "gb_misc", "gb_bgc", "gb_bioperl", "gb_biopython",
    "gb_bactopia", "gb_plasmids", "gb_emboss",
}  # fmt: skip
"""Sources whose names are those of INSDC, RefSeq or Ensembl Genomes records (free to use)."""
OTHERS = {"sprot2014_hgnc_name": "HGNC", "faa_patric": "PATRIC", "eupathdb": "VEuPathDB"}
GENOMES = {
    "ecoli_k12_refseq_product": "RefSeq",
    "ecoli_o157_sakai": "INSDC",
    "ecoli_o104_patric": "PATRIC",
    "corynebacterium_glutamicum": "RefSeq",
    "ctrachomatis_pgap_FSW4": "INSDC",
    "ctrachomatis_microscope": "INSDC",
    "methanosarcina_mazei": "RefSeq",
    "mtb_h37rv_product": "RefSeq",
    "mycoplasma_alvi": "RefSeq",
    "jcvi_syn3A": "INSDC",
    "phages": "INSDC",
    "plasmids_incN": "INSDC",
    "portiera_prokka": "Prokka",
    "spyogenes_m1": "PATRIC",
}
"""Sets of ``pairs/`` whose names may be published, and the house that gave them."""
MIX = np.uint64(0x9E3779B97F4A7C15)


class Named(NamedTuple):
    """A protein (or RNA, with an empty ``residues``) and the name that ``house`` gave to it."""

    id: str
    house: str
    source: str
    name: str
    domain: str
    family: str
    ec: tuple[str, ...]
    symbol: str
    residues: str


def house(source: str) -> str | None:
    """Return whose name it is, None where it may not be published."""
    if source in UNIPROT:
        return "UniProt"
    return "INSDC" if source in INSDC else OTHERS.get(source)


def of_proteins(data: Path) -> Iterator[Named]:
    """Yield what ``proteins/`` names, from sources whose names may be published."""
    for stem in PROTEINS:
        with lzma.open(data / "proteins" / f"{stem}.jsonl.xz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                giver = house(row["source"])
                if giver and row.get("product"):
                    yield _named(row, giver, row["source"], row["product"], row["c50"], row["aa"])


def of_genomes(data: Path) -> Iterator[Named]:
    """Yield what annotated genomes name; a family of its own each, and no protein for an RNA."""
    for stem, giver in GENOMES.items():
        with gzip.open(data / "pairs" / f"{stem}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, row in enumerate(map(json.loads, lines)):
                name = row.get("product") or row.get("desc") or ""
                codes = "RNA" not in f"{row.get('biotype')} {name}"
                residues = protein(row["seq"]) if codes and len(row["seq"]) % 3 == 0 else ""
                if name and len(row["seq"]):
                    yield _named(row, giver, stem, name, f"{stem}:{number}", residues)


def _named(
    row: dict[str, Any], giver: str, source: str, name: str, family: str, residues: str
) -> Named:
    name = re.sub(r"\s+", " ", name).strip()
    found = tuple(re.findall(r"\d+\.\d+\.\d+\.n?\d+", f"{row.get('ec') or ''} {name}"))
    domain = (row.get("domain") or "").rstrip("?") or "not stated"
    symbol = row.get("symbol") or ""
    residues = residues.rstrip("*")
    return Named(
        str(row.get("id", "")), giver, source, name, domain, family, found, symbol, residues
    )


def kmers(residues: str, k: int = 6) -> NDArray[np.uint64]:
    """Return a quarter of the distinct k-mers, chosen by their hash so that equal ones meet."""
    letters = np.frombuffer(residues.encode(), np.uint8).astype(np.uint64)
    if len(letters) < k:
        return np.zeros(0, np.uint64)
    packed = np.zeros(len(letters) - k + 1, np.uint64)
    for i in range(k):
        packed = packed * np.uint64(32) + (letters[i : i + len(packed)] & np.uint64(31))
    mixed = packed * MIX
    return np.unique(mixed[(mixed >> np.uint64(40)) % np.uint64(4) == 0])


class Neighbours:
    """Which known proteins share k-mers with a query."""

    def __init__(self, known: Sequence[Named]) -> None:
        rows = [kmers(one.residues) for one in known]
        self._owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        values = np.concatenate(rows)
        order = np.argsort(values, kind="stable")
        self._values, self._owners = values[order], self._owners[order]
        self._sizes = np.array([len(row) for row in rows])

    def of(self, residues: str, most: int = 50) -> list[tuple[int, float]]:
        """Return (index, estimated identity) of the proteins that share two k-mers at least.

        The identity is the share of common k-mers (Jaccard) to the power 1/6, as if differences
        were spread evenly.
        """
        wanted = kmers(residues)
        first = np.searchsorted(self._values, wanted, "left")
        last = np.searchsorted(self._values, wanted, "right")
        found = [self._owners[a:b] for a, b in zip(first, last, strict=True) if 0 < b - a < 2000]
        if not found:
            return []
        owners, counts = np.unique(np.concatenate(found), return_counts=True)
        owners, counts = owners[counts > 1], counts[counts > 1]
        shares = counts / (len(wanted) + self._sizes[owners] - counts)
        order = np.argsort(-shares, kind="stable")[:most]
        return [(int(owners[i]), float(shares[i] ** (1 / 6))) for i in order]
