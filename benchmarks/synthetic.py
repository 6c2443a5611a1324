"""Write a genome and annotation of human size, the same bytes for the same seed.

    python benchmarks/synthetic.py FOLDER [--scale 0.01]

At scale 1 it has 24 chromosomes with 1 Gb and 60,000 genes on 3 million lines of GFF3: 24,000
coding genes with 6 transcripts of 9 exons each, 36,000 non-coding ones with 2 of 2. Attributes
are as many as GENCODE writes. Genes do not overlap; transcripts of a gene differ in the ends of
their exons.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

SEED = 20
CHROMOSOMES = 24
GENES = 60_000
BASES = 1_000_000_000
LINE_WIDTH = 60
CODING_SHARE = 0.4
EXON_NT = 150  # mean; a human coding exon has about as many


def write_genome(path: Path, scale: float = 1.0) -> dict[str, int]:
    """Write the FASTA; return the length of each chromosome.

    Random letters are drawn once and repeated at random shifts: fast to make, and as hard to
    compress as DNA is in blocks of 64 kB.
    """
    rng = random.Random(SEED)
    block = "".join(rng.choices("ACGT", k=LINE_WIDTH * 20_000))
    length = int(BASES * scale / CHROMOSOMES)
    with path.open("w") as out:
        for number in range(1, CHROMOSOMES + 1):
            out.write(f">chr{number}\n")
            left = length
            while left:
                shift = rng.randrange(len(block))
                letters = (block[shift:] + block[:shift])[:left]
                left -= len(letters)
                out.writelines(
                    letters[at : at + LINE_WIDTH] + "\n"
                    for at in range(0, len(letters), LINE_WIDTH)
                )
    return {f"chr{number}": length for number in range(1, CHROMOSOMES + 1)}


def write_annotation(path: Path, lengths: dict[str, int], scale: float = 1.0) -> int:
    """Write the GFF3 for chromosomes of these ``lengths``; return its number of genes."""
    rng = random.Random(SEED + 1)
    per_chromosome = int(GENES * scale / len(lengths))
    number = 0
    with path.open("w") as out:
        out.write("##gff-version 3\n")
        for seqid, length in lengths.items():
            room = length // per_chromosome
            for slot in range(per_chromosome):
                number += 1
                start = slot * room + rng.randrange(1, room // 10)
                out.writelines(_gene(rng, number, seqid, start, room * 4 // 5))
    return number


def _gene(rng: random.Random, number: int, seqid: str, start: int, room: int) -> Iterator[str]:
    coding = rng.random() < CODING_SHARE
    biotype = "protein_coding" if coding else "lncRNA"
    transcripts, exons = (6, 9) if coding else (2, 2)
    strand = rng.choice("+-")
    step = room // exons
    gene_id = f"ENSG{number:011d}.1"
    shared = (
        f"gene_id={gene_id};gene_type={biotype};gene_name=GENE{number};level=2;"
        f"hgnc_id=HGNC:{number}"
    )

    def line(kind: str, begin: int, end: int, phase: str, attributes: str) -> str:
        return f"{seqid}\tHAVANA\t{kind}\t{begin}\t{end}\t.\t{strand}\t{phase}\t{attributes}\n"

    yield line("gene", start, start + room, ".", f"ID={gene_id};{shared}")
    for index in range(1, transcripts + 1):
        name = f"ENST{number:010d}{index}.1"
        tags = (
            f"{shared};transcript_id={name};transcript_type={biotype};"
            f"transcript_name=GENE{number}-20{index};tag=basic"
        )
        places = [
            (start + slot * step + rng.randrange(9), EXON_NT + rng.randrange(-60, 60))
            for slot in range(exons)
        ]
        yield line(
            "transcript", places[0][0], sum(places[-1]), ".", f"ID={name};Parent={gene_id};{tags}"
        )
        for rank, (begin, size) in enumerate(places, start=1):
            ids = f"Parent={name};{tags};exon_number={rank}"
            yield line("exon", begin, begin + size, ".", f"ID=exon:{name}:{rank};{ids}")
            if coding:
                yield line("CDS", begin, begin + size, "0", f"ID=CDS:{name};{ids}")


def main() -> None:
    """Write FOLDER/genome.fa and FOLDER/genes.gff3."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    lengths = write_genome(args.folder / "genome.fa", args.scale)
    genes = write_annotation(args.folder / "genes.gff3", lengths, args.scale)
    print(f"{args.folder}: {genes} genes on {len(lengths)} chromosomes")


if __name__ == "__main__":
    main()
