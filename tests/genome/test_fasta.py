"""Genome: every legal layout of a FASTA gives the same letters; what is not FASTA is refused."""

from __future__ import annotations

import gzip
import itertools
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genescribe.errors import FastaError, InputError
from genescribe.genome import fasta
from genescribe.genome.fasta import Genome

SEQUENCES = {
    "chr1": "ACGTNNRYacgtu" * 31,
    "2": "G",
    "gi|3|": "acgtxKMSWBDHV" * 10,
}
EXPECTED = {
    name: letters.upper().replace("U", "T").replace("X", "N") for name, letters in SEQUENCES.items()
}


def layout(sequences: dict[str, str], width: int, end: str = "\n") -> str:
    return "".join(
        f">{name} a header > with more{end}"
        + "".join(letters[at : at + width] + end for at in range(0, len(letters), width))
        for name, letters in sequences.items()
    )


def check(path: Path, workdir: Path, expected: dict[str, str] | None = None) -> None:
    """Compare all sequences, whole and in pieces, and see that nothing stays behind."""
    expected = expected or EXPECTED
    before = sorted(path.parent.iterdir())
    with Genome.open(path, workdir) as genome:
        assert genome.lengths == {name: len(letters) for name, letters in expected.items()}
        for name, letters in expected.items():
            assert genome.fetch(name, 0, len(letters)) == letters
            rng = random.Random(7)
            for _ in range(30):
                start, end = sorted(rng.choices(range(len(letters) + 1), k=2))
                assert genome.fetch(name, start, end) == letters[start:end]
    assert sorted(path.parent.iterdir()) == before
    assert not workdir.exists() or not list(workdir.iterdir())


LAYOUTS = {
    "plain": layout(SEQUENCES, 60),
    "one line each": layout(SEQUENCES, 10_000),
    "one letter a line": layout(SEQUENCES, 1),
    "no newline at the end": layout(SEQUENCES, 60).rstrip("\n"),
    "CRLF": layout(SEQUENCES, 60, "\r\n"),
    "mixed line ends": layout(SEQUENCES, 60).replace("\n", "\r\n", 4),
    "blank lines": "\n\n" + layout(SEQUENCES, 60).replace("\n>", "\n\n\n>") + "\n\n",
    "blank line inside": layout(SEQUENCES, 50).replace("\n", "\n\n", 3),
    "ragged": layout(SEQUENCES, 60).replace("ACG", "A\nCG"),
    "longer last line": layout(SEQUENCES, 60) + "ACGT" * 30,
    "trailing blanks": layout(SEQUENCES, 60).replace("\n", " \t\n"),
    "byte order mark": "\ufeff" + layout(SEQUENCES, 60),
    "in a GFF3": "##gff-version 3\nchr1\t.\tgene\t1\t9\t.\t+\t.\tID=a\n##FASTA\n"
    + layout(SEQUENCES, 60),
    "in a GFF3, bare": "chr1\t.\tgene\t1\t9\t.\t+\t.\tID=a\n" + layout(SEQUENCES, 60),
    "in a GFF3, CRLF": "##gff-version 3\r\n##FASTA\r\n" + layout(SEQUENCES, 60, "\r\n"),
}


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path: Path, name: str, compress: bool) -> None:
    data = LAYOUTS[name].encode()
    expected = dict(EXPECTED)
    if name == "longer last line":
        expected["gi|3|"] += "ACGT" * 30
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "genome.fa"
    path.write_bytes(gzip.compress(data) if compress else data)
    check(path, tmp_path / "work", expected)


def test_bgzip(tmp_path: Path, need) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "genome.fa"
    path.write_text(layout(SEQUENCES, 60))
    subprocess.run([need("bgzip"), path], check=True)
    check(path.with_suffix(".fa.gz"), tmp_path / "work")


@given(data=st.data(), block=st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_any_layout_at_any_block_size(tmp_path_factory, data, block: int) -> None:
    """Lines of any lengths, cut into blocks anywhere, against joining the lines."""
    lines = st.lists(st.text("ACGTNacgtn", max_size=12), min_size=1, max_size=12)
    drawn = data.draw(st.lists(lines.filter(any), min_size=1, max_size=5))
    regular = data.draw(st.booleans())
    text, expected = "", {}
    for number, pieces in enumerate(drawn):
        letters = "".join(pieces)
        width = data.draw(st.integers(1, 15))
        if regular:
            pieces = [letters[at : at + width] for at in range(0, len(letters), width)]
        text += f">s{number} x\n" + "\n".join(pieces) + "\n"
        expected[f"s{number}"] = letters.upper()
    folder = tmp_path_factory.mktemp("layout")
    (folder / "in").mkdir()
    (folder / "in" / "genome.fa").write_text(text[: data.draw(st.sampled_from([None, -1]))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fasta, "BLOCK_BYTES", block)
        patch.setattr(fasta, "LINE_BYTES", 7)  # as long as the headers
        check(folder / "in" / "genome.fa", folder / "work", expected)
    shutil.rmtree(folder)


def test_every_small_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of up to four lines of 0 to 3 letters, cut into blocks at every line."""
    path = tmp_path / "genome.fa"
    monkeypatch.setattr(fasta, "LINE_BYTES", 3)  # as long as the header, shorter than a line
    for lengths in itertools.product(range(4), repeat=4):
        letters = "ACGTTGCAATCG"[: sum(lengths)]
        if not letters:
            continue
        ends = list(itertools.accumulate(lengths))
        lines = [letters[end - size : end] for end, size in zip(ends, lengths, strict=True)]
        for last_newline in ("", "\n"):
            path.write_text(">a\n" + "\n".join(lines) + last_newline)
            for block in (1, 1 << 20):
                monkeypatch.setattr(fasta, "BLOCK_BYTES", block)
                with Genome.open(path, tmp_path) as genome:
                    assert genome.fetch("a", 0, len(letters)) == letters, (lengths, block)
                    for at, letter in enumerate(letters):
                        assert genome.fetch("a", at, at + 1) == letter, (lengths, block)


def test_a_regular_file_is_read_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(layout(SEQUENCES, 60))
    monkeypatch.setattr(fasta.tempfile, "TemporaryFile", None)
    check(path, tmp_path / "work")


def test_tens_of_thousands_of_contigs(tmp_path: Path) -> None:
    sequences = {f"contig_{number}": "ACGTTGCA" * (1 + number % 30) for number in range(40_000)}
    path = tmp_path / "genome.fa"
    path.write_text(layout(sequences, 60))
    with Genome.open(path, tmp_path) as genome:
        assert len(genome.lengths) == 40_000
        assert genome.fetch("contig_39999", 0, 9) == "ACGTTGCAA"


def test_positions_outside_a_sequence(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(">a\nACGT\n>b\nTTTT\n")
    with Genome.open(path, tmp_path) as genome:
        for start, end in [(-1, 2), (3, 2), (0, 5)]:
            with pytest.raises(IndexError):
                genome.fetch("a", start, end)


REFUSED = {
    "text": ("hello\nworld\n", ":1: does not begin with '>'"),
    "protein": (">a\nACGT\nMKVLE\n", ":3: letter 'L' in 'a' is an amino acid's"),
    "protein later": (">a\nACGT\n>b\nGATTACA\n>p\nMSTE\n", ":6: letter 'E' in 'p' is an amino"),
    "stop": (">a\nMSTAAK*\n", ":2: letter '*' in 'a' is an amino acid's"),
    "digits": (">a\n1 acgt acgt\n", ":2: letter '1' in 'a' stands for no nucleotide"),
    "no name": (">a\nA\n> \nACGT\n", ":3: header without a name"),
    "empty sequence": (">a\n>b\nACGT\n", ":1: sequence 'a' is empty"),
    "empty last": (">a\nA\n>b x\n\n", ":3: sequence 'b' is empty"),
    "twice": (">a\nA\n>b\nC\n>a again\nG\n", ":5: sequence 'a' is there twice (first in line 1)"),
    "GFF3": ("##gff-version 3\na\t.\tgene\t1\t2\t.\t+\t.\tID=x\n", ": is an annotation without"),
    "GTF": ('a\tx\texon\t1\t2\t.\t+\t.\tgene_id "x";\n', ": is an annotation without sequences"),
    "FASTQ": ("@read\nACGT\n+\nFFFF\n", ":1: begins with '@'"),
    "binary": ("\x7fELF\0\0\0", ":1: is binary"),
    "binary after a header": (">a\nAC\0GT\n", ":2: letter '\\x00' in 'a' stands for no"),
    "blank": ("\n \n", ": does not begin with '>'"),
    "mixed with a table": (">a\nACGT\na\t1\t2\n", ":3: letter '1'"),
}


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_dna_is_refused_with_its_line(
    tmp_path: Path, name: str, compress: bool
) -> None:
    text, message = REFUSED[name]
    path = tmp_path / "genome.fa"
    path.write_bytes(gzip.compress(text.encode()) if compress else text.encode())
    with pytest.raises(FastaError) as error:
        Genome.open(path, tmp_path / "work")
    assert f"{path}{message}" in str(error.value)
    assert "\n" not in str(error.value)
    assert ";" in str(error.value)  # what was found; what to do


def test_unreadable_inputs(tmp_path: Path) -> None:
    (tmp_path / "empty.fa").touch()
    whole = gzip.compress(layout(SEQUENCES, 60).encode())
    (tmp_path / "cut.fa.gz").write_bytes(whole[:-20])
    (tmp_path / "broken.fa.gz").write_bytes(whole[:20] + b"\xff" * 40 + whole[60:])
    for name, message in [
        ("none.fa", "no such file"),
        (".", "is a directory"),
        ("empty.fa", "the file is empty"),
        ("cut.fa.gz", "truncated gzip"),
        ("broken.fa.gz", "damaged"),
    ]:
        with pytest.raises(InputError, match=message):
            Genome.open(tmp_path / name, tmp_path / "work")


def test_memory_does_not_grow_with_the_genome(tmp_path: Path) -> None:
    """150 Mb in one line, gzipped: the letters pass through, they are never all in memory."""
    path = tmp_path / "genome.fa.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(b">one\n")
        for _ in range(150):
            out.write(b"ACGT" * 250_000)
    # VmHWM, not ru_maxrss, which a child inherits from the process that started it.
    script = (
        "from pathlib import Path\n"
        "from genescribe.genome.fasta import Genome\n"
        f"genome = Genome.open(Path({str(path)!r}), Path({str(tmp_path)!r}))\n"
        "assert genome.fetch('one', 149_999_996, 150_000_000) == 'ACGT'\n"
        "status = Path('/proc/self/status').read_text().split()\n"
        "print(status[status.index('VmHWM:') + 1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(fasta.__file__).parents[2])},
    )  # fmt: skip
    assert int(done.stdout) * 1024 < 100e6
