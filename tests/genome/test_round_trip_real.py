"""Every real annotation that can be read: decorated, checked by others, and stripped again."""

from __future__ import annotations

import io
import logging
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import gffutils
import pytest

from genescribe.errors import InputError
from genescribe.files import open_binary
from genescribe.genome.annotation import read_annotation
from genescribe.genome.decoration.decorate import decorate
from genescribe.genome.decoration.plain_text import flatten, fold_to_ascii
from genescribe.genome.decoration.strip import strip
from genescribe.genome.settings import DecorateSettings
from genescribe.records import Description, Gene, Status
from support.made_up_descriptions import describe_all

SETTINGS = [
    DecorateSettings(sorted_copy=False),
    DecorateSettings(attribute="description", ascii=True, write_uncertain=True, sorted_copy=False),
]
FEWEST_READ = 100  # of 118 files; test_odd_gff says why the others are refused
LARGE = 2_000_000  # bytes; a few whole genomes would make the tests slow
FILE_NAME = re.compile(r".*\.(gff3?|gtf)(\.gz)?")


class Decorated(NamedTuple):
    """One real file, plain, and what was made of it: a GFF3 and, from GTF, a GTF."""

    name: str
    original: Path
    gff3: Path
    gtf: Path | None
    genes: list[Gene]
    descriptions: dict[str, Description]
    settings: DecorateSettings


@pytest.fixture(scope="module")
def decorated(test_data, tmp_path_factory) -> list[Decorated]:
    """Decorate every file that ``read_annotation`` reads, with settings that alternate."""
    logging.disable(logging.WARNING)  # tens of thousands of edits of hostile texts
    folder = tmp_path_factory.mktemp("decorated")
    done = []
    for section in ("odd_gff", "genomes"):
        for source in sorted((test_data / section).rglob("*")):
            if not FILE_NAME.fullmatch(source.name):
                continue
            try:
                annotation = read_annotation(source)
            except InputError:
                continue
            original = folder / f"{len(done)}.original"
            with open_binary(source) as handle:
                original.write_bytes(handle.read())
            descriptions = describe_all(annotation)
            settings = SETTINGS[len(done) % len(SETTINGS)]
            paths = decorate(annotation, descriptions, folder / f"{len(done)}.gff3", settings)
            gtf = paths[1] if annotation.dialect == "gtf" else None
            done.append(
                Decorated(
                    source.name, original, paths[0], gtf, annotation.genes, descriptions, settings
                )
            )
    logging.disable(logging.NOTSET)
    return done


def valid(gt: str, gff3: Path) -> bool:
    """Tell whether ``gt gff3validator`` accepts a file."""
    return subprocess.run([gt, "gff3validator", gff3], capture_output=True).returncode == 0


def test_most_files_can_be_read(decorated):
    assert len(decorated) >= FEWEST_READ


def test_strip_gives_back_every_byte(decorated, subtests):
    for one in decorated:
        with subtests.test(one.name):
            out = io.BytesIO()
            written = one.gtf or one.gff3
            strip(written, out)
            original = one.original.read_bytes()
            assert written.read_bytes() != original
            assert (out.getvalue() == original) is True  # no diff of megabytes


def test_gt_accepts_what_it_accepted_before_and_all_that_is_made(decorated, need, subtests):
    gt = need("gt")
    for one in decorated:
        with subtests.test(one.name):
            assert valid(gt, one.gff3) or (one.gtf is None and not valid(gt, one.original))


def test_the_same_genes_are_read_from_what_was_written(decorated, subtests):
    for one in decorated:
        if one.original.stat().st_size > LARGE:
            continue
        for written in filter(None, (one.gff3, one.gtf)):
            with subtests.test(f"{one.name} as {written.suffix}"):
                again = read_annotation(written).genes
                assert [summary(gene) for gene in again] == [summary(gene) for gene in one.genes]


def summary(gene: Gene) -> tuple[object, ...]:
    """Return what GFF3 and GTF can both say of a gene; GFF3 made from GTF has its own IDs."""
    exons = sorted(transcript.exons for transcript in gene.transcripts)
    return (gene.gene_id, gene.seqid, gene.parts, gene.biotype, exons)


@pytest.mark.parametrize(
    "name", ["Homo_sapiens.GRCh38.85.n1000.gff3", "maker.gff3", "annotation.gff3.gz", "braker"]
)
def test_gffutils_reads_the_texts_back(decorated, name):
    one = next(one for one in decorated if name in one.name)
    database = gffutils.create_db(str(one.gff3), ":memory:", merge_strategy="create_unique")
    fold = fold_to_ascii if one.settings.ascii else str
    found = set()
    for feature in database.all_features():
        if feature.attributes.get("genescribe_status") == [Status.DESCRIBED]:
            gene_id = feature.attributes["ID"][0]
            text = fold(flatten(one.descriptions[gene_id].text))
            assert text in feature.attributes[one.settings.attribute]
            found.add(gene_id)
    described = [d for d in one.descriptions.values() if d.status == Status.DESCRIBED]
    assert len(found) == len(described)
