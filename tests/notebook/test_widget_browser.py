"""The widget in JupyterLab, in headless Chromium without a network: by mouse and by key.

Screenshots go to GENESCRIBE_SHOTS, if that is set.
"""

from __future__ import annotations

import json
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("selenium")
pytest.importorskip("jupyterlab")
pytest.importorskip("anywidget")
from selenium.webdriver.common.keys import Keys

from genescribe.artifacts.curation import read_curation
from genescribe.artifacts.descriptions import write_descriptions
from genescribe.artifacts.genes import write_genes_tsv
from support.answering_models import genechat_like
from support.jupyter_browser import Notebook, chromium, server

START = """\
from genescribe.inference import batching
batching.BATCH_TOKENS["cpu"] = 1  # a gene a batch, so that there is time to cancel
from genescribe.widget import AnnotationWidget
widget = AnnotationWidget("examples/example.fa", "examples/example.gff3", out="results")
widget
"""
CONTRAST = """
const widget = document.querySelector('.genescribe');
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b]
  .map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
  .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (let one = node; one; one = one.parentElement) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.length < 4 || colour[3] > 0.5) return colour;
  }
  return [255, 255, 255];
};
const low = [];
for (const node of widget.querySelectorAll('*')) {
  const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  if (!own || !node.checkVisibility() || node.closest(':disabled, svg, option')) continue;
  const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) low.push(`${node.textContent.slice(0, 40)}: ${ratio.toFixed(2)}`);
}
return low;
"""
UNNAMED = """
return [...document.querySelectorAll('.genescribe :is(input, select, textarea, button)')]
  .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel || one.title))
  .map((one) => one.outerHTML.slice(0, 200));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root) -> Path:
    made = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(root / "examples", made / "examples")
    return made


@pytest.fixture(scope="module")
def page(need, folder):
    """A notebook with the widget, shown and not run yet."""
    with server(folder) as address, chromium(need("chromium"), need("chromedriver")) as browser:
        made = Notebook(browser, address, folder, START)
        made.run_cell()
        made.find(".genescribe-message p")
        yield made


def test_cancel_and_resume(page, folder) -> None:
    page.press("Run")
    page.until(lambda: any("genes/min, ETA" in text for text in page.texts(".genescribe")))
    page.shot("running")
    page.press("Cancel")
    assert "of 52 genes are done and kept; Run goes on" in page.says("Stopped")
    part = folder / "results/.genescribe/.descriptions.jsonl.part"
    kept = part.read_text("utf-8").splitlines()
    assert 0 < len(kept) < 53
    assert page.button("Cancel").get_attribute("disabled")
    page.press("Run")
    page.says("Done: ")
    lines = (folder / "results/descriptions.jsonl").read_text("utf-8").splitlines()
    assert set(kept) <= set(lines)
    page.until(lambda: len(page.genes()) == 10)
    page.shot("finished")


def test_kernel_stays_usable_during_a_run(page, folder) -> None:
    cell = page.all(".jp-CodeCell .cm-content")[1]
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    cell.send_keys(
        "widget.inputs.out.widget.value = 'again'; widget.run(); ", Keys.SHIFT, Keys.ENTER
    )
    page.says("Running; the kernel stays free")
    cell = page.all(".jp-CodeCell .cm-content")[2]
    cell.click()
    cell.send_keys("print('still', 'here')", Keys.SHIFT, Keys.ENTER)
    page.until(lambda: "still here" in page.texts(".jp-CodeCell .jp-OutputArea-output")[-1], 20)
    assert "Done" not in page.message()
    page.says("Done")
    page.type("Output folder", "results")
    page.press("Run")
    page.says(str(folder / "results"))


def test_search_sort_and_page(page) -> None:
    page.type("Search", "ribosomal protein")
    page.until(lambda: 0 < len(page.genes()) < 10)
    assert all("ribosomal" in text for text in page.texts(".genes-table td.text"))
    page.type("Search", "no gene says this")
    page.until(lambda: page.genes() == [])
    assert page.texts(".genes-table tbody td") == ["No gene matches."]
    page.type("Search", Keys.BACKSPACE)
    page.until(lambda: len(page.genes()) == 10)
    page.press("Next")
    page.until(lambda: page.genes()[0] == "exg_00110")
    page.press("Score")
    page.until(lambda: page.texts('[aria-sort="descending"]') == ["Score"])
    scores = [float(text) for text in page.texts("td.score")]
    assert scores == sorted(scores, reverse=True)
    focused = page.browser.execute_script("return document.activeElement.textContent")
    assert focused == "Score"  # drawn anew, and the keyboard is still there
    page.press("Score")
    page.until(lambda: page.texts('[aria-sort="ascending"]') == ["Score"])
    page.press("Score")
    page.until(lambda: page.texts("[aria-sort]") == [])


def test_query_of_python_is_shown_and_that_of_the_browser_is_known(page) -> None:
    cell = page.all(".jp-CodeCell .cm-content")[2]
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    cell.send_keys(Keys.CONTROL, "a")
    cell.send_keys(
        "widget.genes.view.query = {'biotype': 'tRNA', 'sort': 'gene_id', 'descending': True}",
        Keys.SHIFT, Keys.ENTER,
    )  # fmt: skip
    page.until(lambda: page.texts("output.count") == ["3 of 53 genes"])
    first, second, _ = page.genes()
    assert first > second
    page.type("Search", first)
    page.until(lambda: page.genes() == [first])
    cell = page.all(".jp-CodeCell .cm-content")[2]
    cell.click()
    cell.send_keys(Keys.CONTROL, "a")
    cell.send_keys(
        "query = widget.genes.view.query; "
        "(query['search'], query['biotype'], query['sort'], len(widget.genes.positions))",
        Keys.SHIFT, Keys.ENTER,
    )  # fmt: skip
    page.until(
        lambda: (
            f"('{first}', 'tRNA', 'gene_id', 1)"
            in page.texts(".jp-CodeCell .jp-OutputArea-output")[-1]
        )
    )
    page.press("Clear")
    page.until(lambda: len(page.genes()) == 10)


def test_gene_is_chosen_by_key(page) -> None:
    row = next(
        found for found in page.all(".genes-table .gene button") if found.text == "exg_00050"
    )
    page.browser.execute_script("arguments[0].focus()", row)
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: any(text.startswith("Gene exg_00050") for text in page.texts("h3")))
    page.find("svg.structure .cds")
    assert page.texts('[aria-current="true"]') == ["exg_00050"]
    page.press("Prompt and model")
    page.until(
        lambda: any("{sequence} {question}; {biotype}:" in text for text in page.texts("dl"))
    )


def test_model_that_takes_no_questions(page) -> None:
    page.type("Model to ask", "genomicllm-92m")
    page.type("Question", "What is it?")
    page.press("Ask")
    assert "installed models that do: tiny" in page.says("genomicllm-92m answers no free questions")
    assert page.texts('.genescribe-message [role="alert"]')


def test_asking(page, folder) -> None:
    spec = genechat_like(folder / "models")
    page.type("Model to ask", str(spec))
    page.until(lambda: "may be wrong" in page.texts(".genescribe-hint")[-1])
    for number, question in enumerate(("What is it?", "And <b>why</b>?"), start=1):
        page.type("Question", question)
        page.press("Ask")
        page.until(lambda number=number: len(page.texts(".chat li")) == number)
    assert question in page.texts(".chat li")[1]
    assert all("prediction, lift" in text for text in page.texts(".chat li small"))
    page.shot("asked")


def test_edit_export_and_reload(page, folder) -> None:
    page.type("Text", "calmodulin <i>by hand</i>")
    page.press("Save edit")
    page.says("exg_00050: edit, kept in curation.tsv")
    page.until(lambda: "calmodulin <i>by hand</i>" in page.texts(".genes-table td.text"))
    page.press("GFF3")
    page.says("Written: ")
    decorated = (folder / "results/export/example.gff3").read_text("utf-8")
    assert "Note=calmodulin <i>by hand</i>;" in decorated
    page.press("TSV")
    page.says("example.tsv")
    page.shot("edited")
    assert [one.gene_id for one in read_curation(folder / "results/curation.tsv")] == ["exg_00050"]

    page.save()
    page.open()  # the kernel lives on, and the page asks it for the widget as it was
    page.says("example.tsv")
    page.until(lambda: "calmodulin <i>by hand</i>" in page.texts(".genes-table td.text"))
    page.run_cell()  # a new widget, as after a restart of the kernel
    page.says("Opened the finished run")
    page.until(lambda: "calmodulin <i>by hand</i>" in page.texts(".genes-table td.text"))


def test_igv(page) -> None:
    pytest.importorskip("igv_notebook")
    page.press("IGV")
    page.find("[id$=igvcontainer]")
    in_igv = (
        "return [...document.querySelectorAll('[id$=igvcontainer], [id$=igvcontainer] *')]"
        ".map((one) => one.shadowRoot?.textContent ?? one.textContent).join(' ')"
    )
    page.until(lambda: "genescribe" in page.browser.execute_script(in_igv))


def test_nothing_is_fetched_from_elsewhere(page) -> None:
    lines = [entry["message"] for entry in page.browser.get_log("browser")]
    assert [line for line in lines if "ERR_NAME_NOT_RESOLVED" in line or "https://" in line] == []


def test_names_and_contrast(page) -> None:
    assert page.browser.execute_script(UNNAMED) == []
    assert page.browser.execute_script(CONTRAST) == []


def test_focus_goes_from_top_to_bottom(page) -> None:
    page.browser.execute_script("arguments[0].focus()", page.field("Genome"))
    tops = []
    for _ in range(14):
        tops.append(page.browser.execute_script(
            "return document.activeElement.getBoundingClientRect().top"
            " - document.querySelector('.genescribe').getBoundingClientRect().top"
        ))  # fmt: skip
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
    assert tops[-1] > tops[0]
    assert all(after > before - 5 for before, after in pairwise(tops))


def test_error_of_a_callback_is_shown(page) -> None:
    cell = page.all(".jp-CodeCell .cm-content")[1]
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    cell.send_keys(Keys.CONTROL, "a")
    cell.send_keys("widget.session.entries = None", Keys.SHIFT, Keys.ENTER)
    page.press("Previous gene")
    page.press("Next gene")
    assert "please report it" in page.says("unexpected TypeError")


def test_fifty_thousand_genes(need, tmp_path, described_gene) -> None:
    pairs = [
        described_gene(f"g{i}", seqid=f"scaffold_{i // 3}", text=f"transporter of kind {i}")
        for i in range(50_000)
    ]
    write_genes_tsv(tmp_path / "genes.tsv", [row for row, _ in pairs])
    write_descriptions(tmp_path / "descriptions.jsonl", [described for _, described in pairs])
    annotation = tmp_path / "genes.gff3"
    annotation.write_text("chrI\tx\tgene\t1\t9\t.\t+\t.\tID=g0\n", encoding="utf-8")
    given = {"path": str(annotation), "sha256": "0" * 64}
    record = {"settings": {"name": "genes"}, "inputs": {"annotation": given}}
    (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    code = (
        "from genescribe.widget import AnnotationWidget\n"
        "widget = AnnotationWidget(out='.')\nwidget\n"
    )
    with server(tmp_path) as address, chromium(need("chromium"), need("chromedriver")) as browser:
        page = Notebook(browser, address, tmp_path, code)
        page.run_cell()
        page.until(lambda: page.texts("output.count") == ["50,000 of 50,000 genes"])
        assert "16,367 more" in page.field("Contig").get_property("textContent")
        before = time.monotonic()
        page.type("Search", "kind 49999")
        page.until(lambda: page.genes() == ["g49999"])
        page.press("Location")
        page.until(lambda: page.texts('[aria-sort="ascending"]') == ["Location"])
        page.press("Clear")
        page.until(lambda: page.genes()[:2] == ["g0", "g1"])
        page.press("Last")
        page.until(lambda: page.genes()[-1] == "g49999")
        assert time.monotonic() - before < 30  # responsive; benchmarks/widget.py measures it
