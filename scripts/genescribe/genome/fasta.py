"""Random access to the sequences of a genome FASTA.

One pass over the file checks every letter and notes where each sequence lies; that is quick
enough (about a second per Gb) that no index is kept which could go stale. A plain file with equal
line lengths is then read in place. Anything else (gzip, bgzip, CRLF, ragged or blank lines) is
copied, as bare letters, into an unnamed file in the work folder, which vanishes with the process;
random access inside bgzip would unpack the same blocks over and over.

Neither pyfaidx nor pysam serves here: their index lands beside the input unless told otherwise,
they take any letter for a nucleotide, and they refuse files with ragged or blank lines.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Self

from genescribe.errors import FastaError
from genescribe.files import check_readable, is_gzip, open_binary, output_error
from genescribe.nucleotides import IUPAC_DNA

BLOCK_BYTES = 1 << 22
LINE_BYTES = 1 << 20  # more than any header has

_CODES = f"{IUPAC_DNA}UX".encode()  # RNA's U, and X, which some maskers write for N
LETTERS = _CODES + _CODES.lower()
_UPPER = bytes.maketrans(LETTERS, LETTERS.upper().replace(b"U", b"T").replace(b"X", b"N"))
_WHITE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


class Genome:
    """The sequences of one FASTA file, or of the FASTA section of one GFF3 file.

    ``lengths`` maps each name (the first word of its header) to its length in nt, in file order.
    """

    def __init__(self, path: Path, handle: IO[bytes], sequences: dict[str, _Sequence]) -> None:
        self.path = path
        self.lengths = {name: sequence.length for name, sequence in sequences.items()}
        self._sequences = sequences
        self._handle = handle

    @classmethod
    def open(cls, path: Path, workdir: Path) -> Self:
        """Check and index ``path``; a temporary copy goes to ``workdir``, nothing beside the input.

        Raises InputError for what is not a readable file, FastaError for what is not the DNA of
        a genome, and OutputError where a needed copy does not fit into ``workdir``.
        """
        check_readable(path)
        if not is_gzip(path):
            sequences = _scan(path, None)
            if all(sequence.regular for sequence in sequences.values()):
                return cls(path, path.open("rb"), sequences)
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as on_error:
                copy = on_error.enter_context(tempfile.TemporaryFile(dir=workdir))
                sequences = _scan(path, copy)
                copy.flush()
                on_error.pop_all()
        except OSError as error:
            raise output_error(workdir, error) from error
        return cls(path, copy, sequences)

    def fetch(self, seqid: str, start: int, end: int) -> str:
        """Return the upper-case DNA of ``start``..``end``, 0-based half-open, U as T, X as N."""
        sequence = self._sequences[seqid]
        if not 0 <= start <= end <= sequence.length:
            raise IndexError(f"{seqid}:{start}-{end} is outside 0-{sequence.length}")
        first, last = sequence.offset + start, sequence.offset + end
        if sequence.line_bytes:  # every full line before adds its line ending
            letters = sequence.line_bytes - 1
            first += start // letters
            last += end // letters
        read = os.pread(self._handle.fileno(), last - first, first).translate(_UPPER, b"\n")
        if len(read) != end - start:
            raise FastaError(self.path, None, "the file changed while it was read; start again")
        return read.decode("ascii")

    def close(self) -> None:
        """Close the file; a copy in the work folder is gone with it."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(slots=True)
class _Sequence:
    """Where one sequence lies in the file that is read from; offsets and lengths in bytes.

    ``regular``: letters and ``\\n`` alone, in lines of equal length but for the last, so that
    arithmetic finds any position.
    """

    header: int  # offset of the header line in the user's file
    offset: int  # of the first letter
    length: int = 0
    line_bytes: int = 0  # of a full line with its ending; 0 while the first is not complete
    seen: int = 0  # bytes after the header line
    ended: bool = False  # a line shorter than the others has ended
    regular: bool = True

    def follow_lines(self, piece: bytes, newlines: int) -> None:
        """Take in the next stretch, which has ``newlines``, and tell whether it is regular."""
        seen, self.seen = self.seen, self.seen + len(piece)
        if not self.line_bytes and newlines:
            self.line_bytes = seen + piece.index(b"\n") + 1
        if self.ended or self.line_bytes == 1:
            self.regular = False
        elif self.line_bytes:
            full_ends = piece[(self.line_bytes - 1 - seen) % self.line_bytes :: self.line_bytes]
            stray = newlines - full_ends.count(b"\n")
            at_end = piece.endswith(b"\n") and self.seen % self.line_bytes != 0
            self.ended = stray > 0
            self.regular &= full_ends.strip(b"\n") == b"" and stray == (1 if at_end else 0)


def _scan(path: Path, copy: IO[bytes] | None) -> dict[str, _Sequence]:
    """Check every letter of a FASTA and place every sequence, by name, in file order.

    With a ``copy`` all letters are written to it, and the places are those in the copy.
    """
    sequences: dict[str, _Sequence] = {}
    with open_binary(path) as stream:
        for offset, piece in _pieces(path, stream):
            if piece.startswith(b">"):
                name = _name(path, offset, piece, sequences)
                start = copy.tell() if copy else offset + len(piece)
                sequence = sequences[name] = _Sequence(offset, start)
                continue
            others = piece.translate(None, LETTERS)
            white_only = others.strip(b"\n") == b""
            if not white_only and (foreign := others.translate(None, _WHITE)):
                raise _foreign_letter(path, offset + piece.index(foreign[:1]), name, foreign)
            sequence.length += len(piece) - len(others)
            if copy:
                copy.write(piece.translate(None, _WHITE) if others else piece)
            elif white_only:
                sequence.follow_lines(piece, newlines=len(others))
            else:
                sequence.regular = False
    for name, sequence in sequences.items():
        if not sequence.length:
            raise FastaError(
                path,
                _line_at(path, sequence.header),
                f"sequence {name!r} is empty; remove its header or restore its letters",
            )
    return sequences


def _pieces(path: Path, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes): whole header lines, and the stretches of sequence between them."""
    offset, block = _first_header(path, stream)
    while block:
        at = 0
        while at < len(block):
            line_end = b"\n" if block.startswith(b">", at) else b"\n>"
            end = block.find(line_end, at) + 1 or len(block)
            yield offset + at, block[at:end]
            at = end
        offset += len(block)
        block = stream.read(BLOCK_BYTES) + stream.readline(LINE_BYTES)


def check_begins_as_fasta(path: Path) -> None:
    """Raise FastaError unless the file begins as FASTA, or is an annotation that has some."""
    with open_binary(path) as stream:
        _first_header(path, stream)


def _first_header(path: Path, stream: BinaryIO) -> tuple[int, bytes]:
    """Return offset and text of the first header line: of the file, or of a GFF3's FASTA."""
    offset, is_annotation = 0, False
    while line := stream.readline(LINE_BYTES):
        text = line.removeprefix(_BOM) if offset == 0 else line
        if text.startswith(b">"):
            return offset + len(line) - len(text), text
        if text.strip() and not is_annotation:
            is_annotation = text.startswith(b"#") or text.count(b"\t") >= 7
            if not is_annotation:
                break
        offset += len(line)
    if is_annotation:
        what = "is an annotation without sequences; give the genome's FASTA here"
    elif b"\0" in line:
        what = "is binary, not FASTA; give the genome's FASTA, plain or compressed with (b)gzip"
    elif line.startswith(b"@"):
        what = "begins with '@' like FASTQ reads; give the assembled genome's FASTA"
    else:
        what = "does not begin with '>', so it is not FASTA; give the genome's FASTA"
    raise FastaError(path, _line_at(path, offset) if line else None, what)


def _name(path: Path, offset: int, header: bytes, known: dict[str, _Sequence]) -> str:
    """Return the first word of a header; FastaError if it has none or it was there before."""
    words = header[1:].split(maxsplit=1)
    name = words[0].decode("utf-8", "surrogateescape") if words else ""
    if not name:
        raise FastaError(path, _line_at(path, offset), "header without a name; add one after '>'")
    if name in known:
        first = _line_at(path, known[name].header)
        raise FastaError(
            path,
            _line_at(path, offset),
            f"sequence {name!r} is there twice (first in line {first}); remove or rename one",
        )
    return name


def _foreign_letter(path: Path, offset: int, name: str, foreign: bytes) -> FastaError:
    """Return the error for ``foreign``, of which the first stands at ``offset``."""
    letter = foreign[:1].decode("latin-1")
    if letter.upper() in "EFIJLOPQZ*":
        hint = "is an amino acid's; give the genome's DNA, not proteins"
    else:
        hint = "stands for no nucleotide; repair the file or fetch it again"
    return FastaError(path, _line_at(path, offset), f"letter {letter!r} in {name!r} {hint}")


def _line_at(path: Path, offset: int) -> int:
    """Return the 1-based number of the line that holds ``offset`` of the decompressed file."""
    line = 1
    with open_binary(path) as stream:
        while offset > 0 and (block := stream.read(min(offset, BLOCK_BYTES))):
            line += block.count(b"\n")
            offset -= len(block)
    return line
