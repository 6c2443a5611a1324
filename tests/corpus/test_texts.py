"""Cleaning of texts, and which question each text of a gene answers."""

from __future__ import annotations

from collections import Counter

import pytest

from genescribe.corpus.pairs import choose_view, is_open_frame, longest_orf
from genescribe.corpus.questions import answers
from genescribe.corpus.source_genes import Drop, Field, SourceGene, Text
from genescribe.corpus.texts import (
    broken_words,
    clean_text,
    is_informative,
    is_name,
    lead,
    mend,
    tidy_name,
    without_remarks,
)
from genescribe.records import View


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ATP  synthase\n subunit a.", "ATP synthase subunit a"),
        ("NA", ""),
        ("solanesyl synthase; NA", "solanesyl synthase"),
        ("NADH dehydrogenase", "NADH dehydrogenase"),
        ("DNA, NA; binding", "DNA; binding"),
        ("Lactamase_B protein [Source:WormBase;Acc:1]", "Lactamase_B protein"),
        ("kinase (PMID:123, PMID:45); binds ATP", "kinase; binds ATP"),
        ("phage PBSX; holin", "holin"),
        ("tW(CCA)J~Tryptophan tRNA", "Tryptophan tRNA"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("text", "name", "numbers"),
    [
        ("Transaldolase (EC 2.2.1.2)", "Transaldolase", ["2.2.1.2"]),
        ("Kinase (EC 2.7.-.-)", "Kinase", []),
        ("Urease @ Urease beta (EC 3.5.1.5)", "Urease", ["3.5.1.5"]),
        ("Flagellin ## FliC-like", "Flagellin", []),
        ("putative transposase [ISY523j: 10 6904 - 107226]", "putative transposase", []),
        ("serine dehydratase,L-serine deaminase,SdaA", "serine dehydratase", []),
        ("2,3-bisphosphoglycerate mutase", "2,3-bisphosphoglycerate mutase", []),
        ("N,N-dimethyltransferase, mitochondrial", "N,N-dimethyltransferase, mitochondrial", []),
    ],
)
def test_tidy_name(text: str, name: str, numbers: list[str]) -> None:
    assert tidy_name(text) == (name, numbers)


@pytest.mark.parametrize(
    ("text", "informative"),
    [
        ("hypothetical protein", False),
        ("conserved hypothetical protein", False),
        ("Uncharacterized protein YbhM", False),
        ("putative membrane protein of unknown function", False),
        ("DUF1699 family protein", False),
        ("UPF0758 protein YeeS", False),
        ("protein YmjE", False),
        ("hypothetical protein, conserved", False),
        ("Uncharacterized sugar kinase YeiI", True),
        ("DUF423 domain-containing inner membrane protein YgdD", True),
        ("hypothetical protein; localizes to mitochondria", True),
        ("hypothetical protein involved in lipid homeostasis", True),
        ("membrane protein", True),
        ("5S ribosomal RNA", True),
    ],
)
def test_boilerplate(text: str, informative: bool) -> None:
    assert is_informative(text) is informative


def test_names_and_descriptions() -> None:
    assert is_name("putative IS911 transposase")
    assert not is_name("Encodes a member of the CYP86A subfamily")
    assert not is_name("Kinase; binds ATP")
    assert not is_name(" ".join(["word"] * 21))
    assert lead("Subunit of THO complexes; couples transcription with export") == (
        "Subunit of THO complexes"
    )
    assert lead("This gene encodes a kinase. It binds ATP.") == ""
    assert (
        lead("conserved among S. pyogenes strains; binds") == "conserved among S. pyogenes strains"
    )


def test_notes_without_what_is_said_about_the_annotation() -> None:
    note = "Evidence 1a: Function from experiments; binds DNA; PubMedId: 12; 38% identity in 61 aa"
    assert without_remarks(note) == "binds DNA"


def test_words_broken_by_a_line_wrap_are_joined() -> None:
    texts = ["sugar transporter", "ion transporter", "ABC tran sporter", "DNA binding protein"]
    broken = broken_words(texts)
    assert broken == {"tran sporter": "transporter"}
    assert mend("ABC tran sporter protein", broken) == "ABC transporter protein"
    assert broken_words(["life span of cells", "life span of yeast", "lifespan"]) == {}


def test_frames() -> None:
    assert is_open_frame("ATGTGAAAATAA")  # TGA may be W
    assert not is_open_frame("ATGTAAAAATAA")
    assert not is_open_frame("ATGAA")
    assert longest_orf("CCATGAAATAGATGAAAAAATAA") == "ATGAAAAAATAA"
    assert longest_orf("CCCC") == ""


def test_views() -> None:
    cds = "ATG" + "CTAACT" * 60 + "TAA"
    assert choose_view(cds, "CDS") == (View.CDS, cds, "protein_coding")
    assert choose_view("CC" + cds + "G", "gene") == (View.CDS, cds, "protein_coding")
    assert choose_view(cds, "tRNA_gene") == (View.TRANSCRIPT, cds, "tRNA")
    assert choose_view("ATGTAA" * 50, "gene")[0] == View.TRANSCRIPT


SGD = "Subunit of THO complexes; couples transcription with mRNA export; similar to Top1p"
ASKED = {
    "a product": (
        {Field.PRODUCT: "DNA ligase (EC 6.5.1.2)"},
        {("product name", "DNA ligase"), ("EC number", "6.5.1.2")},
    ),
    "a description that is a name": (
        {Field.DESCRIPTION: "Major sperm protein"},
        {("product name", "Major sperm protein")},
    ),
    "a curated description": (
        {Field.DESCRIPTION: SGD},
        {
            ("product name", "Subunit of THO complexes"),
            ("function", "Subunit of THO complexes"),
            ("summary", SGD),
        },
    ),
    "product and note": (
        {Field.PRODUCT: "helicase", Field.NOTE: "unwinds the double helix of DNA"},
        {("product name", "helicase"), ("function", "unwinds the double helix of DNA")},
    ),
    "a summary beside a full name": (
        {Field.NAME: "salt kinase 1", Field.DESCRIPTION: "This gene encodes a kinase of ions."},
        {("product name", "salt kinase 1"), ("function", "This gene encodes a kinase of ions")},
    ),
    "a category": (
        {Field.PRODUCT: "holin", Field.FUNCTION: "enzyme; Transport of small molecules: Anions"},
        {("product name", "holin"), ("process", "Transport of small molecules: Anions")},
    ),
    "a function in a sentence": (
        {Field.FUNCTION: "releases the phage from the host by making holes"},
        {("function", "releases the phage from the host by making holes")},
    ),
    "GO terms": (
        {Field.PRODUCT: "holin", Field.PROCESS: "GO:0019835 - cytolysis; GO:1 - lysis"},
        {("product name", "holin"), ("process", "cytolysis"), ("process", "lysis")},
    ),
    "symbol and EC number": (
        {Field.PRODUCT: "kinase", Field.SYMBOL: "thrA_2", Field.EC: "2.7.2.4"},
        {("product name", "kinase"), ("gene symbol", "thrA"), ("EC number", "2.7.2.4")},
    ),
    "a symbol that is a number": (
        {Field.PRODUCT: "kinase", Field.SYMBOL: "WA5_RS02735"},
        {("product name", "kinase")},
    ),
    "a symbol alone": ({Field.SYMBOL: "thrA"}, {("gene symbol", "thrA")}),
    "nothing": ({Field.PRODUCT: "NA"}, set()),
}


def entry(texts: dict[Field, str], biotype: str = "unknown") -> SourceGene:
    found = tuple(Text(field, value, f"f:1 {field}") for field, value in texts.items())
    return SourceGene("g1", biotype, View.CDS, "ATG", found)


@pytest.mark.parametrize("case", ASKED)
def test_which_question_a_text_answers(case: str) -> None:
    texts, expected = ASKED[case]
    found = answers(entry(texts), frozenset(Field), Counter())
    assert {(answer.question, answer.text) for answer in found} == expected
    assert all(answer.informative for answer in found)


def test_boilerplate_is_kept_and_marked() -> None:
    found = answers(entry({Field.PRODUCT: "hypothetical protein"}), frozenset(Field), Counter())
    assert [(answer.question, answer.informative) for answer in found] == [("product name", False)]


def test_a_clue_in_a_note_is_informative_where_the_name_is_not() -> None:
    texts = {
        Field.PRODUCT: "hypothetical protein",
        Field.NOTE: "hypothetical protein; relocalizes to the cytosol in response to hypoxia",
    }
    found = answers(entry(texts), frozenset(Field), Counter())
    assert {answer.question: answer.informative for answer in found} == {
        "product name": False,
        "summary": True,
    }


def test_the_biotype_is_asked_of_described_genes_only() -> None:
    described = answers(entry({Field.PRODUCT: "tRNA-Ala"}, "tRNA"), frozenset(Field), Counter())
    assert ("biotype", "tRNA") in [(answer.question, answer.text) for answer in described]
    assert not answers(entry({Field.PRODUCT: ""}, "tRNA"), frozenset(Field), Counter())


def test_fields_that_are_not_wanted_and_texts_that_are_left_out() -> None:
    dropped: Counter[Drop] = Counter()
    texts = {
        Field.PRODUCT: " ".join(["word"] * 21),
        Field.NOTE: "Evidence 3: guess; a T4 gene product",
    }
    assert not answers(entry(texts), frozenset({Field.PRODUCT}), dropped)
    assert [a.text for a in answers(entry(texts), frozenset(Field), dropped)] == [
        "a T4 gene product"
    ]
    assert dropped == {Drop.NAME_TOO_LONG: 2, Drop.SHORT_NOTE: 1}
    assert answers(entry({Field.PRODUCT: "holin"}), frozenset({Field.NOTE}), dropped) == []
