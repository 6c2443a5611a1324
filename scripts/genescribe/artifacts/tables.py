"""The tables and the sequence file that the stages hand to each other and to people.

``genes.tsv`` and ``descriptions.tsv`` are UTF-8, tab-separated, with a header line, ``\\n`` line
endings and 1-based closed coordinates. In text columns a tab, newline, carriage return or
backslash is written ``\\t``, ``\\n``, ``\\r``, ``\\\\``; a text that begins with ``=``, ``+``,
``-``, ``@`` or ``'`` gets a leading ``'``, so that no spreadsheet takes it for a formula.
``read_genes_tsv`` undoes both. The bare text of a description is in ``descriptions.jsonl``.

``sequences.fa.gz`` is FASTA in BGZF blocks, one line per sequence; its headers read
``>gene_id view=cds biotype=protein_coding sha256=...`` with white space and ``%`` inside a
gene id or biotype percent-encoded, and ``truncated=NT`` behind them where the model's limit left
out NT nucleotides.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

from genescribe.bgzip import bgzip_writer
from genescribe.errors import FormatError, InputError, Remedy
from genescribe.files import (
    ENCODING,
    ENCODING_ERRORS,
    atomic_path,
    decode_line,
    encode_line,
    open_binary,
)
from genescribe.records import (
    Description,
    GeneRow,
    Reason,
    SequenceRecord,
    View,
    sequence_sha256,
)

GENE_COLUMNS = tuple(field.name for field in fields(GeneRow))
DESCRIPTION_COLUMNS = (
    "gene_id", "seqid", "start", "end", "strand", "biotype", "name", "status", "reason",
    "score", "lift", "n_tokens", "model", "prompt", "truncated", "calibrated", "product", "text",
)  # fmt: skip
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escaped: raw for raw, escaped in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")
_ESCAPED = re.compile(r"\\[\\tnr]")
_FORMULA_STARTS = ("=", "+", "-", "@", "'")


def escape(text: str) -> str:
    """Return ``text`` as one harmless table cell; ``unescape`` gives it back."""
    if "\\" in text or not text.isprintable():
        text = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def unescape(cell: str) -> str:
    """Undo ``escape``."""
    cell = cell[1:] if cell.startswith("'") else cell
    return _ESCAPED.sub(lambda match: _UNESCAPES[match[0]], cell) if "\\" in cell else cell


def write_genes_tsv(path: Path, rows: Iterable[GeneRow]) -> None:
    """Write one line per gene, in the order of ``rows``, or leave ``path`` as it was."""
    _write_table(
        path,
        GENE_COLUMNS,
        (
            f"{_place(row)}\t{escape(row.product)}\t{row.transcripts}\t"
            f"{escape(row.transcript_id)}\t{row.exons}\t{row.view}\t{row.length}\t{row.truncated}\t"
            f"{row.gc:.4f}\t{row.sha256}\t{row.reason}"
            for row in rows
        ),
    )


def write_descriptions_tsv(
    path: Path, rows: Iterable[GeneRow], descriptions: Mapping[str, Description]
) -> None:
    """Write one line per gene, in the order of ``rows``, with the description of its gene_id.

    Raises InputError for a gene without a description: every gene has exactly one.
    """

    def lines() -> Iterator[str]:
        for row in rows:
            found = descriptions.get(row.gene_id)
            if found is None:
                raise InputError(
                    f"gene {row.gene_id}: has no description; describe all genes of this "
                    "genes.tsv first"
                )
            calibrated = "" if found.score is None else "yes" if found.calibrated else "no"
            yield (
                f"{_place(row)}\t{found.status}\t{found.reason}\t{_number(found.score)}\t"
                f"{_number(found.lift)}\t{found.n_tokens}\t{escape(found.model)}\t"
                f"{escape(found.prompt)}\t{found.truncated}\t{calibrated}\t{escape(row.product)}\t"
                f"{escape(found.text)}"
            )

    _write_table(path, DESCRIPTION_COLUMNS, lines())


def _write_table(path: Path, columns: Iterable[str], lines: Iterable[str]) -> None:
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding=ENCODING, errors=ENCODING_ERRORS, newline="") as out,
    ):
        out.write("\t".join(columns) + "\n")
        out.writelines(line + "\n" for line in lines)


def _place(row: GeneRow) -> str:
    """Return the columns that both tables begin with, ``gene_id`` to ``name``."""
    return (
        f"{escape(row.gene_id)}\t{escape(row.seqid)}\t{row.start + 1}\t{row.end}\t"
        f"{row.strand}\t{escape(row.biotype)}\t{escape(row.name)}"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def read_genes_tsv(path: Path) -> list[GeneRow]:
    """Read what ``write_genes_tsv`` wrote; FormatError names the line that it did not write."""
    with open_binary(path) as handle:
        header = tuple(decode_line(handle.readline()).rstrip("\r\n").split("\t"))
        if header != GENE_COLUMNS:
            raise FormatError(path, 1, "not a genes.tsv of this version", Remedy.EXTRACT_AGAIN)
        return [_parse_gene(path, number, line) for number, line in enumerate(handle, start=2)]


def _parse_gene(path: Path, number: int, line: bytes) -> GeneRow:
    try:
        cells = decode_line(line).rstrip("\r\n").split("\t")
        (gene_id, seqid, start, end, strand, biotype, name, product, transcripts, transcript_id,
         exons, view, length, truncated, gc, sha256, reason) = cells  # fmt: skip
        return GeneRow(
            gene_id=unescape(gene_id),
            seqid=unescape(seqid),
            start=int(start) - 1,
            end=int(end),
            strand=strand,
            biotype=unescape(biotype),
            name=unescape(name),
            product=unescape(product),
            transcripts=int(transcripts),
            transcript_id=unescape(transcript_id),
            exons=int(exons),
            view=View(view) if view else "",
            length=int(length),
            truncated=int(truncated),
            gc=float(gc),
            sha256=sha256,
            reason=Reason(reason),
        )
    except ValueError as error:
        problem = f"not a row of genes.tsv ({error})"
        raise FormatError(path, number, problem, Remedy.EXTRACT_AGAIN) from error


def write_sequences(path: Path, records: Iterable[SequenceRecord]) -> None:
    """Write ``records`` as bgzip FASTA, the same bytes each time, or leave ``path`` as it was."""
    # DNA has few repeats to find: Huffman codes alone take 2.7 bits per nt in a tenth of the time
    # in which zlib's full search comes to 2.5.
    strategy = zlib.Z_HUFFMAN_ONLY
    with atomic_path(path) as temporary, bgzip_writer(temporary, strategy=strategy) as out:
        for record in records:
            truncated = f" truncated={record.truncated}" if record.truncated else ""
            out.write(
                encode_line(
                    f">{_encode_word(record.gene_id)} view={record.view} "
                    f"biotype={_encode_word(record.biotype)} sha256={record.sha256}{truncated}\n"
                    f"{record.sequence}\n"
                )
            )


def read_sequences(path: Path) -> Iterator[SequenceRecord]:
    """Yield what ``write_sequences`` wrote, checked against its sha256.

    Raises FormatError, with the line of the header, for a header that is not ours or a
    sequence that was changed after it was written.
    """
    header, header_line, lines = "", 0, list[str]()
    with open_binary(path) as handle:
        for number, raw in enumerate(handle, start=1):
            line = decode_line(raw).rstrip("\r\n")
            if not line.startswith(">"):
                lines.append(line)
                continue
            if header_line or lines:
                yield _parse_record(path, header_line or 1, header, "".join(lines))
            header, header_line, lines = line, number, []
    if header_line or lines:
        yield _parse_record(path, header_line or 1, header, "".join(lines))


def _parse_record(path: Path, line: int, header: str, sequence: str) -> SequenceRecord:
    words = header[1:].split(" ")
    pairs = {"truncated": "0"} | dict(word.partition("=")[::2] for word in words[1:])
    if (
        set(pairs) != {"view", "biotype", "sha256", "truncated"}
        or pairs["view"] not in set(View)
        or not pairs["truncated"].isdecimal()
    ):
        raise FormatError(path, line, "not a record of sequences.fa.gz", Remedy.EXTRACT_AGAIN)
    if not sequence.isascii() or sequence_sha256(sequence) != pairs["sha256"]:
        problem = "the sequence is not the one its sha256 was taken from"
        raise FormatError(path, line, problem, Remedy.EXTRACT_AGAIN)
    return SequenceRecord(
        gene_id=unquote(words[0], ENCODING, ENCODING_ERRORS),
        view=View(pairs["view"]),
        biotype=unquote(pairs["biotype"], ENCODING, ENCODING_ERRORS),
        sequence=sequence,
        sha256=pairs["sha256"],
        truncated=int(pairs["truncated"]),
    )


def _encode_word(text: str) -> str:
    """Percent-encode white space, control characters and ``%``: one word of a FASTA header."""
    if text.isprintable() and " " not in text and "%" not in text:
        return text
    return "".join(
        "".join(f"%{byte:02X}" for byte in encode_line(char))
        if char == "%" or char.isspace() or not char.isprintable()
        else char
        for char in text
    )
