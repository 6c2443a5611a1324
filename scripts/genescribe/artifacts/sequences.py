"""``sequences.fa.gz``: what the models read, a sequence per gene.

It is FASTA in BGZF blocks, one line per sequence; its headers read
``>gene_id view=cds biotype=protein_coding sha256=...`` with white space and ``%`` inside a
gene id or biotype percent-encoded, and ``truncated=NT`` behind them where the model's limit left
out NT nucleotides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from genescribe.errors import FormatError, Remedy
from genescribe.files import (
    ENCODING,
    ENCODING_ERRORS,
    atomic_path,
    decode_line,
    encode_line,
    open_binary,
)
from genescribe.records import SequenceRecord, View, sequence_sha256


def write_sequences(path: Path, records: Iterable[SequenceRecord]) -> None:
    """Write ``records`` as bgzip FASTA, the same bytes each time, or leave ``path`` as it was."""
    from Bio.bgzf import BgzfWriter  # only those who write need Biopython

    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as raw,
        # DNA has few repeats to find: level 1 takes 2.9 bits per nt in a seventh of the time in
        # which level 6 comes to 2.6
        BgzfWriter(fileobj=raw, compresslevel=1) as out,
    ):
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
