"""Milliseconds that the widget's table takes with 50,000 genes, against pandas.

    python benchmarks/widget.py
    python benchmarks/widget.py --browser   # also in JupyterLab, in headless Chromium

The widget's table is searched, sorted and paged in the browser, so only ``--browser`` measures
that: from the click or the key to the new page of the table. The peer is what people do without
the widget, in the kernel alone: a DataFrame of the same genes, searched with ``str.contains`` in
every column, sorted with ``sort_values``, a page of it made into HTML.
"""
# ruff: noqa: E402  (the library lies beside this folder)

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from genescribe import open_results
from genescribe.artifacts.descriptions import write_descriptions
from genescribe.artifacts.genes import write_genes_tsv
from genescribe.records import Description, GeneRow, Reason, Status
from genescribe.widget import AnnotationWidget

WORDS = [
    "protein", "kinase", "ribosomal", "mitochondrial", "membrane", "required", "for", "assembly",
    "of", "the", "complex", "transcription", "factor", "putative", "hypothetical", "conserved",
]  # fmt: skip
SEARCHES = ("kinase assembly", "ribosomal", "gene00019", "chr7", "nam4")
HEADS = ("Predicted description", "Predicted description", "Score", "Gene", "Location")
TIMES = 5
FIRST_SCREEN = """
import time
times = [time.perf_counter()]
from genescribe.widget import AnnotationWidget
times.append(time.perf_counter())
AnnotationWidget()
times.append(time.perf_counter())
print(f"{times[1] - times[0]:.2f} {times[2] - times[1]:.2f}")
"""
MEASURED = """
const [label, text, done] = [arguments[0], arguments[1], arguments[arguments.length - 1]];
const table = document.querySelector('.genes-table table'), before = table.innerText;
const started = performance.now();
new MutationObserver((_, observer) => {
  if (table.innerText === before) return;
  observer.disconnect();
  done(performance.now() - started);
}).observe(table, {childList: true, subtree: true});
const all = (selector) => [...document.querySelectorAll(`.genescribe ${selector}`)];
const named = (one) => one.firstChild?.textContent.trim() === label;
if (text === null) {
  all('button').find(named).click();
} else {
  const search = all('label').find(named).control;
  search.value = text;
  for (const kind of ['input', 'change']) search.dispatchEvent(new Event(kind, {bubbles: true}));
}
"""


def write_run(folder: Path, genes: int) -> None:
    """Write what a finished run of made-up genes would have left."""
    rng = random.Random(0)
    rows, descriptions, lines = [], [], ["##gff-version 3"]
    for number in range(genes):
        gene_id, start = f"gene{number:06d}", number * 1000
        biotype = "protein_coding" if number % 10 else "tRNA"
        made = GeneRow(
            gene_id, f"chr{number % 20}", start, start + 900, "+", biotype, f"nam{number}",
            "some product", 1, f"{gene_id}.t1", 1, "cds", 900, 0, 0.44, "0" * 64, Reason.NONE,
        )  # fmt: skip
        rows.append(made)
        text, score = " ".join(rng.choices(WORDS, k=15)), round(rng.random(), 4)
        descriptions.append(
            Description(
                gene_id, text, Status.DESCRIBED, Reason.NONE, score, 1.0, 20, "tiny@0", "tiny-1"
            )
        )
        place = f"chr{number % 20}\tx\tgene\t{start + 1}\t{start + 900}"
        lines.append(f"{place}\t.\t+\t.\tID={gene_id}")
    write_genes_tsv(folder / "genes.tsv", rows)
    write_descriptions(folder / "descriptions.jsonl", descriptions)
    annotation = folder / "genes.gff3"
    annotation.write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"name": "genes", "organism": None, "attribute": "Note", "ascii": False}
    settings |= {"write_uncertain": False, "sorted_copy": False}
    given = {"path": str(annotation), "sha256": "0" * 64}
    record = {"settings": settings, "inputs": {"annotation": given}}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")


def first_screen() -> None:
    """Measure what a fresh kernel takes until the empty panels can be shown."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SCREEN],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    imported, shown = done.stdout.split()
    print(f"import {imported} s, then the first screen {shown} s")


def milliseconds(act: Callable[[int], object]) -> float:
    """Return the median time of ``act``, which is told how often it was called before."""
    taken = []
    for number in range(TIMES):
        started = time.perf_counter()
        act(number)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def in_kernel(folder: Path) -> None:
    """Measure what opening a run takes, and the peer."""
    started = time.perf_counter()
    genes = AnnotationWidget(out=folder).genes
    taken, size = 1000 * (time.perf_counter() - started), len(genes.view.genes)
    print(f"open {taken:,.0f} ms; {size / 1e6:.1f} MB go to the browser, once")
    genes.session.wait()  # for the annotation, which is read in the background
    frame = open_results(folder)

    def search(number: int) -> object:
        cells = frame.astype(str).apply(
            lambda column: column.str.contains(SEARCHES[number], case=False, regex=False)
        )
        return frame[cells.any(axis=1)][:10].to_html()

    def sort(number: int) -> object:
        return frame.sort_values("text", ascending=number % 2 == 0)[:10].to_html()

    def page(number: int) -> object:
        return frame[10 * number : 10 * number + 10].to_html()

    for what, act in (("search", search), ("sort", sort), ("page", page)):
        print(f"{what} with pandas: {milliseconds(act):,.1f} ms")


def in_browser(folder: Path) -> None:
    """Measure from the click to the new page of the table."""
    from support.jupyter_browser import Notebook, chromium, server

    code = "from genescribe.widget import AnnotationWidget\nAnnotationWidget(out='.')"
    programs = [shutil.which(name) or name for name in ("chromium", "chromedriver")]
    with server(folder) as address, chromium(*programs) as browser:
        notebook = Notebook(browser, address, folder, code)
        started = time.perf_counter()
        notebook.run_cell()
        notebook.until(lambda: len(notebook.genes()) == 10)
        print(f"from running the cell to the table {time.perf_counter() - started:.1f} s")
        browser.set_script_timeout(60)
        pages = [browser.execute_async_script(MEASURED, "Next", None) for _ in range(10)]
        sorts = [browser.execute_async_script(MEASURED, head, None) for head in HEADS]
        found = [browser.execute_async_script(MEASURED, "Search", text) for text in SEARCHES]
    for what, taken in (("page change", pages), ("sort", sorts), ("search", found)):
        middle = statistics.median(taken)
        print(f"{what} in the browser: median {middle:.0f} ms, worst {max(taken):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=50_000)
    parser.add_argument("--browser", action="store_true", help="also measure in JupyterLab")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genescribe.") as folder:
        write_run(Path(folder), args.genes)
        first_screen()
        in_kernel(Path(folder))
        if args.browser:
            in_browser(Path(folder))


if __name__ == "__main__":
    main()
