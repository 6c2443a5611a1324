"""Where the genes of a corpus come from: files of any kind, alone or listed in a sheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genescribe.corpus.genbank import read_genbank
from genescribe.corpus.genechat import is_genechat, read_genechat
from genescribe.corpus.genomes import read_genome
from genescribe.corpus.pairs import read_pairs
from genescribe.corpus.source_genes import Field, SourceGene
from genescribe.errors import FormatError, InputError
from genescribe.files import check_readable

ANNOTATIONS = (".gff", ".gff3", ".gtf", ".gff2")
GENBANK = (".gb", ".gbk", ".gbff", ".genbank")
PAIRS = (".jsonl",)
SHEETS = (".tsv",)
COLUMNS = ("source", "input", "genome", "organism", "style", "fields")
ALL_FIELDS = frozenset(Field)


@dataclass(frozen=True, slots=True)
class Source:
    """One input of a corpus.

    ``style`` names whose wording its product names follow (RefSeq, RAST, SGD...), ``fields`` what
    of it is used. ``genome`` is the FASTA of an annotation that does not carry its sequences.
    Without ``organism`` the one that a GenBank entry or GeneChat states is taken.
    """

    name: str
    input: Path
    genome: Path | None = None
    organism: str | None = None
    style: str | None = None
    fields: frozenset[Field] = ALL_FIELDS

    def entries(self) -> Iterator[SourceGene]:
        """Yield the genes of the input, whose kind its name tells; raises what reading raises."""
        ending = _ending(self.input)
        if is_genechat(self.input):
            return read_genechat(self.input)
        if ending in ANNOTATIONS:
            return read_genome(self.input, self.genome)
        if ending in GENBANK:
            return read_genbank(self.input)
        if ending in PAIRS:
            return read_pairs(self.input)
        known = " ".join(ANNOTATIONS + GENBANK + PAIRS)
        raise InputError(
            f"{self.input}: what kind of file is it? Give one that ends in {known} (also .gz), or "
            "a folder with GeneChat's seq.json"
        )


def is_sheet(path: Path) -> bool:
    """Tell whether a path is that of a sheet of sources."""
    return _ending(path) in SHEETS


def read_sheet(path: Path, folder: Path) -> list[Source]:
    """Read a sheet of sources: columns ``COLUMNS``, of which only ``input`` must be filled.

    Relative paths are relative to ``folder``. Raises FormatError with the line that is wrong.
    """
    check_readable(path)
    sources: list[Source] = []
    with path.open(encoding="utf-8-sig", newline="") as handle:
        numbered = [(n, line) for n, line in enumerate(handle, 1) if not _is_comment(line)]
        rows = csv.DictReader((line for _, line in numbered), delimiter="\t")
        for number, row in zip((n for n, _ in numbered[1:]), rows, strict=False):
            sources.append(_source(path, number, row, folder))
    names = [source.name for source in sources]
    if not sources:
        raise FormatError(path, None, "names no source; add a line for each")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise FormatError(path, None, f"source {twice!r} is there twice; give each its own name")
    return sources


def source_name(path: Path) -> str:
    """Return a file's name without its endings, what a source is called unless told otherwise."""
    return path.name.removesuffix(".gz").removesuffix(_ending(path)) or path.resolve().name


def _source(path: Path, number: int, row: dict[str | None, str | None], folder: Path) -> Source:
    if None in row or not row.keys() <= set(COLUMNS):
        unknown = ", ".join(repr(key) for key in row if key not in COLUMNS and key) or "a cell"
        problem = f"{unknown} has no place; the columns are {', '.join(COLUMNS)}"
        raise FormatError(path, number, problem)
    given = {key: value.strip() for key, value in row.items() if value and value.strip()}
    if "input" not in given:
        raise FormatError(path, number, "has no input; name its file")
    try:
        names = given["fields"].split(",") if "fields" in given else list(Field)
        fields = frozenset(Field(name.strip()) for name in names)
    except ValueError as error:
        problem = f"fields: {error}; choose from {', '.join(Field)}"
        raise FormatError(path, number, problem) from error
    data = folder / given["input"]
    return Source(
        given.get("source", source_name(data)),
        data,
        folder / given["genome"] if "genome" in given else None,
        given.get("organism"),
        given.get("style"),
        fields,
    )


def _is_comment(line: str) -> bool:
    return not line.strip() or line.startswith("#")


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()
