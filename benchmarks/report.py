"""Time decoration and report of a large annotation, and the report in Chromium.

    python benchmarks/report.py [--genes 60000] [--lines-per-gene 10] [--runs 5] [--peer-runs 1]

Medians of the runs. The peer of the report is what a simple exporter writes: one HTML page with
all genes in one table. ``open`` is the time from asking for the page until its genes can be
searched (the peer: until it is loaded), ``search`` from the keystroke until the result is drawn,
with the report's own pause for typing (the peer: hiding the rows that do not match).
"""

from __future__ import annotations

import argparse
import html
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from genescribe.artifacts.descriptions import write_descriptions  # noqa: E402
from genescribe.artifacts.genes import write_genes_tsv  # noqa: E402
from genescribe.records import Description, GeneRow, Reason, Status  # noqa: E402

VOCABULARY = (
    "putative conserved membrane protein subunit kinase transporter of the ribosomal complex "
    "involved in regulation response to stress transcription factor DNA-binding domain containing "
    "mitochondrial enzyme catalyzes synthesis hydrolase component required for assembly"
)
SEARCH = "kinase mitochondrial 54321"


def made_genes(count: int) -> Iterator[tuple[GeneRow, Description]]:
    """Yield genes of ten kilobases each on 24 contigs, with texts of 8 to 40 words."""
    dice, words = random.Random(1), VOCABULARY.split()
    for i in range(count):
        contig, place = divmod(i, -(-count // 24))
        status = Status.DESCRIBED if i % 4 else Status.UNCERTAIN
        reason = Reason.NONE if i % 4 else Reason.LOW_LIFT
        gene_id = f"ENSG{i:011d}"
        text = " ".join([*dice.choices(words, k=dice.randint(8, 40)), str(i)])
        yield (
            GeneRow(
                gene_id, f"chr{contig + 1}", place * 10_000, place * 10_000 + 9_000, "+-"[i % 2],
                "protein_coding", f"GEN{i}", "hypothetical protein", 1, f"{gene_id}.t1", 4, "cds",
                1500, 0, dice.uniform(0.3, 0.6), f"{dice.getrandbits(256):064x}", Reason.NONE,
            ),
            Description(
                gene_id, text, status, reason, dice.random(), dice.gauss(0.5, 0.5), 40,
                "tiny@0123456789ab", "describe-1",
            ),
        )  # fmt: skip


def write_gff3(path: Path, rows: list[GeneRow], lines_per_gene: int) -> None:
    """Write the genes as GFF3: gene, transcript, and exons and CDS in equal number."""
    with path.open("w", encoding="utf-8") as handle:
        handle.write("##gff-version 3\n")
        for row in rows:
            gene, transcript = row.gene_id, row.transcript_id
            columns = f"{row.seqid}\tmade\t%s\t%d\t%d\t.\t{row.strand}\t%s\t%s\n"
            span = (row.start + 1, row.end)
            attributes = f"ID={gene};Name={row.name};biotype={row.biotype}"
            handle.write(columns % ("gene", *span, ".", attributes))
            handle.write(columns % ("mRNA", *span, ".", f"ID={transcript};Parent={gene}"))
            pieces = max(1, (lines_per_gene - 2) // 2)
            for k in range(pieces):
                start = row.start + 1 + k * (9_000 // pieces)
                piece = (start, start + 29)
                handle.write(columns % ("exon", *piece, ".", f"Parent={transcript}"))
                handle.write(columns % ("CDS", *piece, "0", f"ID=c{gene};Parent={transcript}"))


def write_plain_page(pairs: list[tuple[GeneRow, Description]], out: Path) -> None:
    """Write the peer: one table with what the report's table shows, all genes at once."""
    with out.open("w", encoding="utf-8") as handle:
        handle.write("<!doctype html><meta charset=utf-8><table>")
        for row, one in pairs:
            place = f"{row.seqid}:{row.start + 1}-{row.end} {row.strand} {row.biotype}"
            numbers = (f"{one.score:.2f}", f"{one.lift:.2f}", row.length)
            cells = (row.gene_id, place, one.status, one.text, *numbers)
            handle.write("<tr>" + "".join(f"<td>{html.escape(str(cell))}" for cell in cells))


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall seconds and its peak resident memory in MB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss * 1024 / 1e6


LOADED = "return document.readyState === 'complete'"
OPENED = "return document.documentElement.dataset.ready === 'true'"
SEARCH_REPORT = """
const [query, done] = arguments;
const field = document.querySelector("[name=search]"), output = document.querySelector(".count");
const started = performance.now();
new MutationObserver(() => requestAnimationFrame(() => setTimeout(() =>
  done([(performance.now() - started) / 1000, parseInt(output.textContent)]))))
  .observe(output, { childList: true });
field.value = query;
field.dispatchEvent(new Event("input", { bubbles: true }));
"""
SEARCH_PLAIN = """
const [query, done] = arguments;
const started = performance.now();
const words = query.split(" ");
for (const row of document.querySelectorAll("tr")) {
  row.hidden = !words.every((word) => row.textContent.includes(word));
}
const found = document.querySelectorAll("tr:not([hidden])").length;
requestAnimationFrame(() => setTimeout(() => done([(performance.now() - started) / 1000, found])));
"""


def in_chromium(page: Path, ready: str, search: str) -> tuple[float, float]:
    """Return the seconds to open a page and to search it; the search has to find one gene."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(120)
        started = time.perf_counter()
        driver.get(page.as_uri())
        while not driver.execute_script(ready):
            time.sleep(0.005)
        opened = time.perf_counter() - started
        searched, found = driver.execute_async_script(search, SEARCH)
        assert found == 1, f"the search found {found} genes"
    finally:
        driver.quit()
    return opened, searched


def medians(runs: int, measure: Callable[[], tuple[float, ...]]) -> list[float]:
    """Return the median of each figure that ``measure`` gives."""
    return [
        statistics.median(figures)
        for figures in zip(*(measure() for _ in range(runs)), strict=True)
    ]


def main() -> None:
    """Make the input, measure, and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--genes", type=int, default=60_000)
    parser.add_argument("--lines-per-gene", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=1, help="a page can take a minute")
    parser.add_argument("--folder", type=Path, help="keep the files here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        compare(folder, args)


def compare(folder: Path, args: argparse.Namespace) -> None:
    """Measure everything on one synthetic annotation in ``folder``."""
    table, annotation, jsonl = folder / "genes.tsv", folder / "genes.gff3", folder / "d.jsonl"
    pairs = list(made_genes(args.genes))
    rows = [row for row, _ in pairs]
    write_genes_tsv(table, rows)
    write_descriptions(jsonl, (description for _, description in pairs))
    write_gff3(annotation, rows, args.lines_per_gene)
    decorated, report, plain = (folder / n for n in ("out.gff3", "report.html", "plain.html"))
    genescribe = [sys.executable, "-m", "genescribe"]
    texts = ["--descriptions", str(jsonl), "--force", "--out"]
    decorate = [*genescribe, "decorate", "--annotation", str(annotation), *texts, str(decorated)]
    build = [*genescribe, "report", "--genes", str(table), *texts, str(report)]

    for name, command in (("decorate", decorate), ("report", build)):
        seconds, megabytes = medians(args.runs, lambda command=command: measured(command))
        print(f"{name}: {seconds:.2f} s, {megabytes:.0f} MB peak", flush=True)
    write_plain_page(pairs, plain)
    sizes = [path.stat().st_size / 1e6 for path in (report, plain)]
    print(f"size: {sizes[0]:.1f} MB, plain page {sizes[1]:.1f} MB")
    ours = medians(args.runs, lambda: in_chromium(report, OPENED, SEARCH_REPORT))
    peer = medians(args.peer_runs, lambda: in_chromium(plain, LOADED, SEARCH_PLAIN))
    for what, mine, theirs in zip(("open", "search"), ours, peer, strict=True):
        print(f"{what}: {mine:.2f} s, plain page {theirs:.2f} s, ratio {mine / theirs:.3f}")


if __name__ == "__main__":
    main()
