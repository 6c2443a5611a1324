"""Where the molecules of the example assembly lie: contigs, strands, introns, oddities."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Locus:
    """One gene and how it lies on its contig.

    ``introns`` interrupt the coding sequence at random places. ``skip`` gives residues (0-based,
    half-open) with an exon of their own that the second isoform leaves out; with ``two_leaders``
    the second isoform begins at another first exon. ``lost`` residues lie before the contig's
    start. ``pseudo`` turns the gene into a decayed, intronless copy.
    """

    molecule: str
    strand: str
    introns: int = 0
    utr: bool = True
    skip: tuple[int, int] | None = None
    two_leaders: bool = False
    lost: int = 0
    pseudo: bool = False
    product: str = ""
    note: str = ""


@dataclass(frozen=True)
class Contig:
    """A sequence of the assembly; the first locus of a circular one crosses the origin."""

    name: str
    loci: tuple[Locus, ...]
    circular: bool = False
    gap: bool = False  # a run of N between two genes, as scaffolders leave them


CONTIGS = (
    Contig(
        "contig_1",
        (
            Locus("HHT1", "+"),
            Locus("HHF1", "-"),
            Locus("UBI4", "+", introns=1),
            Locus("tRNA-Asp", "-"),
            Locus("CALM1", "+", introns=1, skip=(45, 82)),
            Locus("TPI1", "-", product="triosephosphate isomerase"),
            Locus("RPL39", "+", introns=1),
            Locus("RDN5", "+"),
            Locus("RDN58", "+"),
            Locus("ACT1", "-", introns=2),
            Locus("SNR128", "+"),
            Locus("PFY1", "+", introns=1),
            Locus("SMT3", "-"),
            Locus("HBB", "-", introns=2, product="hemoglobin subunit beta"),
            Locus("CYC1", "+"),
            Locus("tRNA-iMet", "+"),
            Locus("INS", "+", introns=1, two_leaders=True),
            Locus("GFP", "-", introns=3),
        ),
    ),
    Contig(
        "contig_2",
        (
            Locus("SOD1", "+", introns=3, note="seen in the first draft of this assembly"),
            Locus("CUP1", "-"),
            Locus("PPIA", "-", introns=3),
            Locus("CYC1", "+", pseudo=True),
            Locus("SNR6", "-"),
            Locus("HRAS", "+", introns=3, product="GTPase HRas"),
            Locus("MB", "+", introns=2),
            Locus("FKBP1A", "-", introns=2),
            Locus("S100B", "+", introns=1),
            Locus("HTA1", "+"),
            Locus("LYZ", "-", introns=3),
            Locus("rrsH", "-"),
            Locus("GCG", "+", introns=3, product="glucagon"),
            Locus("NHP6A", "-"),
            Locus("RPS28A", "+"),
            Locus("MFA1", "-"),
        ),
        gap=True,
    ),
    Contig(
        "contig_3",
        (
            Locus("TDH3", "+", lost=120),
            Locus("adk", "-"),
            Locus("groES", "+"),
            Locus("folA", "-"),
            Locus("hupA", "+"),
            Locus("tRNA-fMet", "+"),
            Locus("infA", "-"),
            Locus("ptsH", "+"),
            Locus("trpR", "-"),
            Locus("ffs", "+"),
            Locus("rpmH", "+"),
        ),
    ),
    Contig(
        "plasmid_1",
        (
            Locus("bla", "+", utr=False),
            Locus("rop", "-", utr=False),
            Locus("RNAI", "+"),
            Locus("cat", "-", utr=False, product="chloramphenicol acetyltransferase"),
            Locus("trxA", "+", utr=False),
            Locus("grxA", "+", utr=False),
            Locus("acpP", "-", utr=False),
            Locus("cspA", "+", utr=False),
        ),
        circular=True,
    ),
)
