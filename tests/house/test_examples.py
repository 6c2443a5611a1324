"""The example assembly is what its script makes, and other programs read it as meant."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

CODON_ORDER = "TCAG"
STANDARD_CODE = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"  # NCBI table 1
CODONS = dict(
    zip(
        (a + b + c for a in CODON_ORDER for b in CODON_ORDER for c in CODON_ORDER),
        STANDARD_CODE,
        strict=True,
    )
)
ACROSS_ORIGIN = "exg_00460"
SKIPPING_ISOFORM = "exg_00050.t2"


@pytest.fixture(scope="module")
def examples(root: Path) -> Path:
    return root / "examples"


@pytest.fixture(scope="module")
def truth(examples: Path) -> dict[str, dict[str, str]]:
    with (examples / "truth.tsv").open(encoding="utf-8") as handle:
        return {row["gene_id"]: row for row in csv.DictReader(handle, delimiter="\t")}


@pytest.fixture(scope="module")
def genome(examples: Path) -> dict[str, str]:
    return read_fasta(examples / "example.fa")


def read_fasta(path: Path) -> dict[str, str]:
    records = path.read_text(encoding="ascii").split(">")[1:]
    return {
        head.split()[0]: body.replace("\n", "").upper()
        for head, _, body in (record.partition("\n") for record in records)
    }


def rows(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def spliced(genome: dict[str, str], pieces: list[list[str]]) -> str:
    """Join the pieces of one feature as the file lists them; they may go on behind the origin."""
    joined = []
    for seqid, _, _, start, end, _, strand, *_ in pieces:
        sequence = (genome[seqid] * 2)[int(start) - 1 : int(end)]
        joined.append(sequence if strand == "+" else reverse_complement(sequence))
    return "".join(joined)


def reverse_complement(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def translate(cds: str) -> str:
    return "".join(CODONS[cds[at : at + 3]] for at in range(0, len(cds) - 2, 3))


def coding(path: Path, key: str, kinds: set[str]) -> dict[str, list[list[str]]]:
    pieces = defaultdict(list)
    for row in rows(path):
        if row[2] in kinds:
            pieces[row[8].partition(key)[2].partition(";")[0].strip('"')].append(row)
    return pieces


def test_files_are_what_the_script_makes(root):
    run = subprocess.run(
        [sys.executable, root / "scripts" / "make_examples.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_check_sees_a_changed_file(root, tmp_path):
    command = [sys.executable, root / "scripts" / "make_examples.py", "--out", tmp_path]
    subprocess.run(command, check=True)
    gff = tmp_path / "example.gff3"
    gff.write_text(gff.read_text().replace("exon", "Exon", 1))
    run = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout.startswith("example.gff3: not what this script makes")


def test_contents_are_as_promised(examples, genome, truth):
    genes = [row for row in rows(examples / "example.gff3") if row[2] in ("gene", "pseudogene")]
    biotypes = {row["biotype"] for row in truth.values()}
    assert len(genes) == len(truth) >= 25
    assert len(genome) >= 3
    assert {row[6] for row in genes} == {"+", "-"}
    assert {"protein_coding", "pseudogene", "tRNA", "snRNA", "snoRNA", "rRNA"} <= biotypes
    assert sum(path.stat().st_size for path in examples.iterdir()) < 200_000
    assert any("Is_circular=true" in row[8] for row in rows(examples / "example.gff3"))
    [crossing] = [row for row in genes if int(row[4]) > len(genome[row[0]])]
    assert f"ID={ACROSS_ORIGIN};" in crossing[8]


@pytest.mark.parametrize(
    ("name", "key", "kinds"),
    [
        ("example.gff3", "Parent=", {"CDS"}),
        ("example.gtf", 'transcript_id "', {"CDS", "stop_codon"}),
    ],
)
def test_coding_sequences_translate_to_the_proteins(examples, genome, truth, name, key, kinds):
    pieces = coding(examples / name, key, kinds)
    for gene_id, row in truth.items():
        if row["biotype"] != "protein_coding":
            continue
        transcript = f"{gene_id}.t1"
        cds = spliced(genome, pieces[transcript])[int(pieces[transcript][0][7]) :]
        assert translate(cds) == row["sequence"] + "*", f"{name}: {gene_id}"


@pytest.mark.parametrize("name", ["example.gff3", "example.gtf"])
def test_phases_follow_from_lengths(examples, name):
    key = "Parent=" if name.endswith("gff3") else 'transcript_id "'
    for transcript, pieces in coding(examples / name, key, {"CDS"}).items():
        expected = int(pieces[0][7])
        for row in pieces:
            assert int(row[7]) == expected, f"{name}: {transcript}"
            expected = (expected - (int(row[4]) - int(row[3]) + 1)) % 3


def test_introns_have_splice_sites(examples, genome):
    exons = coding(examples / "example.gff3", "Parent=", {"exon"})
    introns = 0
    for pieces in exons.values():
        for before, behind in pairwise(pieces):
            left, right = sorted((before, behind), key=lambda row: int(row[3]))
            intron = genome[left[0]][int(left[4]) : int(right[3]) - 1]
            intron = intron if left[6] == "+" else reverse_complement(intron)
            assert (intron[:2], intron[-2:]) == ("GT", "AG")
            introns += 1
    assert introns > 20


def test_noncoding_genes_are_the_rnas(examples, genome, truth):
    for exon in rows(examples / "example.gff3"):
        if exon[2] == "exon":
            row = truth[exon[8].partition("Parent=")[2].partition(".")[0]]
            if row["biotype"] != "protein_coding":
                assert spliced(genome, [exon]) == row["sequence"]


@pytest.mark.parametrize(("name", "differing"), [("near", (0.05, 0.2)), ("far", (0.2, 0.4))])
def test_relatives_have_the_same_genes_with_other_residues(examples, truth, name, differing):
    path = examples / "relatives" / f"{name}.gff3"
    table, _, fasta = path.read_text(encoding="utf-8").partition("##FASTA\n")
    contig = fasta.partition("\n")[2].replace("\n", "")
    own = {re.sub(r" \([^()]*\)$", "", row["description"]): row for row in truth.values()}
    products = [line.split("\t") for line in table.splitlines() if "product=" in line]
    assert len(products) == 52
    shares = []
    for _, _, kind, start, end, _, strand, _, attributes in products:
        product = attributes.partition("product=")[2].replace("%2C", ",")
        sense = contig[int(start) - 1 : int(end)]
        sense = sense if strand == "+" else reverse_complement(sense)
        if kind != "CDS":
            assert kind == own[product]["biotype"]
            continue
        protein = translate(sense)
        assert (protein[0], protein.find("*")) == ("M", len(protein) - 1)
        if product in own:  # the example has but a piece of one protein, and says so
            pairs = zip(protein[:-1], own[product]["sequence"], strict=True)
            shares.append(sum(a != b for a, b in pairs) / (len(protein) - 1))
    assert len(shares) == 41
    assert differing[0] < sum(shares) / len(shares) < differing[1]


@pytest.mark.parametrize("name", ["example.gff3", "example.gtf"])
def test_gffread_finds_the_same_proteins(examples, truth, need, tmp_path, name):
    """All but the gene across the origin: gffread 0.12 does not know circular sequences."""
    for file in (name, "example.fa"):
        (tmp_path / file).write_bytes((examples / file).read_bytes())  # it writes a .fai beside it
    subprocess.run(
        [need("gffread"), "-y", "proteins.fa", "-g", "example.fa", name],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    proteins = read_fasta(tmp_path / "proteins.fa")
    genes = {transcript.partition(".")[0] for transcript in proteins}
    assert genes == {g for g, row in truth.items() if row["biotype"] == "protein_coding"}
    for transcript, protein in proteins.items():
        gene_id = transcript.partition(".")[0]
        if gene_id != ACROSS_ORIGIN and transcript != SKIPPING_ISOFORM:
            assert protein == truth[gene_id]["sequence"], transcript
    whole = truth[SKIPPING_ISOFORM.partition(".")[0]]["sequence"]
    assert proteins[SKIPPING_ISOFORM] == whole[:45] + whole[82:]


def test_validator_accepts_the_gff3(examples, need):
    command = [need("gt"), "gff3validator", "-typecheck", "so", examples / "example.gff3"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
