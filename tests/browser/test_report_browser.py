"""The report in headless Chromium, with the network cut: what people do with it, by mouse and key.

Screenshots of the page in both colour schemes and widths go to GENESCRIBE_SHOTS, if that is set.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest

from genescribe.records import Reason, Status
from genescribe.report import build_report
from genescribe.report.build import STATIC_ROWS

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

GENES = 450
HOSTILE = {
    "markup": "</script><img src=x onerror=alert(1)><svg onload=alert(2)>",
    "formula": '=HYPERLINK("http://example.org","x")',
    "comment": "<!-- <script> -->\u2028 مرحبا \u202e",
    "long": "kinase " * 1500,
}
LAPTOP, PHONE = (1366, 768), (390, 844)


@pytest.fixture(scope="module")
def start(need):
    """Return a function that starts a Chromium that cannot reach any network."""
    started = []

    def make(size=LAPTOP, *, javascript=True, downloads=None):
        options = webdriver.ChromeOptions()
        options.binary_location = need("chromium")
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--hide-scrollbars",
        ):
            options.add_argument(argument)
        preferences = {"download.default_directory": str(downloads)} if downloads else {}
        if not javascript:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(need("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        started.append(driver)
        resize(driver, size)
        return driver

    yield make
    for driver in started:
        driver.quit()


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(start, downloads):
    """One browser for the tests that only use the page."""
    return start(downloads=downloads)


@pytest.fixture(scope="module")
def path(tmp_path_factory, described_gene):
    """A report of genes on three contigs, some of them with hostile texts."""
    genes = [described_gene(name, text=text, seqid="chr1") for name, text in HOSTILE.items()]
    for i in range(GENES - len(genes)):
        changes = {"seqid": f"chr{1 + i % 3}", "start": 1000 * i, "end": 1000 * i + 900}
        changes["name"] = f"nam{i}"
        if i % 10 == 3:
            changes |= {"status": Status.UNCERTAIN, "reason": Reason.LOW_LIFT, "lift": -0.2}
        elif i % 10 == 7:
            changes |= {"biotype": "tRNA", "status": Status.FAILED, "text": "", "score": None}
            changes |= {"reason": Reason.OUT_OF_MEMORY, "lift": None}
        else:
            changes |= {"text": f"protein number {i} of the list", "score": i / GENES}
        genes.append(described_gene(f"gene{i}", **changes))
    return write_report(tmp_path_factory.mktemp("report") / "report.html", genes)


@pytest.fixture
def page(browser, path):
    """The report, opened afresh."""
    return open_report(browser, path)


def write_report(out, genes):
    rows = [row for row, _ in genes]
    build_report(
        rows, {one.gene_id: one for _, one in genes}, run={}, title="Test assembly", out=out
    )
    return out


def resize(driver, size):
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def open_report(driver, path):
    driver.get(path.as_uri())
    until(driver, lambda: driver.execute_script("return document.documentElement.dataset.ready"))
    return driver


def until(driver, condition):
    return WebDriverWait(driver, 20, poll_frequency=0.02).until(lambda _: condition())


def count(page):
    return int(page.find_element(By.CSS_SELECTOR, ".count").text.split()[0].replace(",", ""))


def until_count(page, expected):
    until(page, lambda: count(page) == expected)


def fill(page, name, value):
    field = page.find_element(By.NAME, name)
    field.clear()
    field.send_keys(value)


def choose(page, name, label):
    Select(page.find_element(By.NAME, name)).select_by_visible_text(label)


def texts(page, selector):
    script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
    return page.execute_script(script, f"#genes-table tbody {selector}")


def column(page, number):
    """The texts of one column of the page shown; 1 is the gene."""
    return texts(page, f"tr > :nth-child({number})")


def gene_ids(page):
    return texts(page, ".open")


def colour(page):
    return page.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_opens_without_requests_or_complaints(page):
    assert count(page) == GENES
    assert gene_ids(page)[0] == "markup"
    assert len(gene_ids(page)) == 25
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.get_log("browser") == []


def test_policy_stops_a_script_that_is_not_the_reports_own(page):
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.intruder = 1';"
        "document.body.append(s);"
    )
    assert page.execute_script("return window.intruder") is None
    assert "Content Security Policy" in page.get_log("browser")[0]["message"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gene123", 1),
        ("NAM12", 11),  # nam12 and nam120 to nam129, whatever the case
        ("number list protein", 357),  # all words, in any order
        ("chr2:1001-1900", 1),
        ("out_of_memory", 44),
        ("nothing has this", 0),
        ("onerror=alert(1)", 1),
    ],
)
def test_search_covers_all_columns_of_all_genes(page, query, expected):
    fill(page, "search", query)
    until_count(page, expected)


def test_sort_by_column_and_back(page):
    head = page.find_element(By.CSS_SELECTOR, "th[data-sort=score]")
    head.find_element(By.TAG_NAME, "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    scores = [float(text) for text in column(page, 5)]
    assert scores == sorted(scores, reverse=True)
    head.find_element(By.TAG_NAME, "button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 5)[0] == "0.00"  # genes without a score come last either way
    page.find_element(By.CSS_SELECTOR, "th[data-sort=gene_id] button").click()
    assert head.get_attribute("aria-sort") is None
    assert gene_ids(page)[2:5] == ["gene0", "gene1", "gene2"]  # natural, so not gene10
    choose(page, "sort", "order of the input")
    until(page, lambda: gene_ids(page)[0] == "markup")


def test_filters_add_up_and_clear(page):
    choose(page, "status", "uncertain (45)")
    until_count(page, 45)
    choose(page, "seqid", "chr2 (149)")
    until_count(page, 15)
    assert set(column(page, 3)) == {"uncertain\nlow lift"}
    page.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    until_count(page, GENES)
    choose(page, "biotype", "tRNA (44)")
    until_count(page, 44)
    fill(page, "score", "0.1")  # genes without a score do not pass a minimum
    until_count(page, 0)
    choose(page, "biotype", "any")
    fill(page, "score", "0.9")
    fill(page, "lift", "0")
    until_count(page, 33)
    assert min(float(text) for text in column(page, 5)) >= 0.9


def test_paging(page):
    def shown():
        return page.find_element(By.CSS_SELECTOR, ".pager span").text

    def press(step):
        page.find_element(By.CSS_SELECTOR, f"[data-page={step}]").click()

    assert shown() == "Page 1 of 18"
    press("next")
    assert gene_ids(page)[0] == "gene21"
    press("last")
    assert gene_ids(page)[-1] == "gene445"
    press("next")  # stays: there is no further page
    assert shown() == "Page 18 of 18"
    press("previous")
    press("first")
    assert gene_ids(page)[0] == "markup"
    choose(page, "size", "500")
    assert len(gene_ids(page)) == GENES


def test_gene_detail_by_keyboard(page):
    first = page.find_element(By.CSS_SELECTOR, "#genes-table .open")
    first.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP)
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    opener = page.switch_to.active_element
    assert opener.text == "gene0"
    opener.send_keys(Keys.ENTER)
    dialog = page.find_element(By.ID, "detail")
    assert dialog.is_displayed()
    assert dialog.find_element(By.ID, "detail-title").text == "gene0"
    for fact in (
        "protein number 0 of the list", "pyruvate kinase", "chr1:1-900 (+)", "1,503 nt", "44.0 %",
        "cds", "gene0_mRNA", "tiny@0123456789ab", "describe-1", "1.240 nats per token",
    ):  # fmt: skip
        assert fact in dialog.text
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert dialog.find_element(By.ID, "detail-title").text == "gene3"
    assert "hardly more likely" in dialog.text
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda: not dialog.is_displayed())
    assert page.switch_to.active_element == opener


def test_gene_detail_by_mouse(page):
    page.find_element(By.CSS_SELECTOR, "#genes-table tbody tr:nth-child(6) td.text").click()
    assert page.find_element(By.ID, "detail-title").text == "gene1"
    page.find_element(By.CSS_SELECTOR, "[data-detail=previous]").click()
    assert page.find_element(By.ID, "detail-title").text == "gene0"
    page.find_element(By.CSS_SELECTOR, "[data-detail=close]").click()
    assert not page.find_element(By.ID, "detail").is_displayed()


def test_what_the_model_did_not_read_and_an_uncalibrated_score_are_marked(
    browser, tmp_path, described_gene
):
    changes = {"length": 1024, "truncated": 5321, "calibrated": False}
    genes = [described_gene("plain"), described_gene("long", **changes)]
    page = open_report(browser, write_report(tmp_path / "report.html", genes))
    plain, long = page.find_elements(By.CSS_SELECTOR, "#genes-table tbody tr")
    assert "0.71\nnot calibrated" in long.text
    assert "1,024 nt\n5,321 nt left out" in long.text
    assert "not calibrated" not in plain.text
    assert "left out" not in plain.text
    long.find_element(By.TAG_NAME, "button").click()
    facts = page.find_element(By.ID, "detail-facts").text
    assert "0.710 (not calibrated)" in facts
    assert "1,024 nt (5,321 nt left out to fit the model)" in facts


def test_hostile_texts_stay_text(page):
    choose(page, "size", "500")
    for index, (name, text) in enumerate(HOSTILE.items()):
        button = page.find_elements(By.CSS_SELECTOR, "#genes-table .open")[index]
        assert button.text == name
        page.execute_script("arguments[0].click()", button)
        assert page.find_element(By.ID, "detail-text").get_property("textContent") == text
        page.find_element(By.CSS_SELECTOR, "[data-detail=close]").click()
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, svg[onload], [onerror]") == []
    assert page.get_log("browser") == []  # an alert would also have failed the steps above


def test_csv_of_the_current_filter(page, downloads):
    choose(page, "seqid", "chr1 (153)")
    fill(page, "search", "o")
    page.find_element(By.CSS_SELECTOR, "th[data-sort=gene_id] button").click()
    until(page, lambda: count(page) == 153)
    page.find_element(By.ID, "csv").click()
    file = downloads / "genescribe.csv"
    until(page, file.exists)
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfgene_id,")
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = {row["gene_id"]: row for row in csv.DictReader(handle)}
    assert list(rows)[:4] == ["comment", "formula", "gene0", "gene3"]
    assert len(rows) == 153
    assert rows["formula"]["text"] == "'" + HOSTILE["formula"]  # no spreadsheet runs it
    assert rows["markup"]["text"] == HOSTILE["markup"]
    assert rows["long"]["text"] == HOSTILE["long"]
    assert (rows["gene3"]["lift"], rows["gene3"]["strand"]) == ("-0.2", "+")  # numbers stay
    assert (rows["gene3"]["start"], rows["gene3"]["end"]) == ("3001", "3900")


def test_without_javascript_the_first_genes_can_be_read(start, path):
    page = start(javascript=False)
    page.get(path.as_uri())
    rows = page.find_elements(By.CSS_SELECTOR, "#genes-table tbody tr")
    assert len(rows) == STATIC_ROWS
    assert "protein number 0 of the list" in rows[len(HOSTILE)].text
    text = page.find_element(By.TAG_NAME, "body").text
    assert f"JavaScript is off: these are the first {STATIC_ROWS} of {GENES} genes" in text
    assert "machine predictions" in text
    assert "Download CSV" not in text
    assert page.find_elements(By.CSS_SELECTOR, "svg rect")


def test_light_and_dark(page):
    def prefer(scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        page.refresh()

    prefer("light")
    light = colour(page)
    page.find_element(By.ID, "theme").click()
    dark = colour(page)
    assert light != dark
    prefer("dark")
    assert colour(page) == dark
    page.find_element(By.ID, "theme").click()
    assert colour(page) == light


CONTRAST = """
const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const luminance = (rgb) => rgb.match(/[\\d.]+/g).slice(0, 3).map(Number).map(channel)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const opaque = (rgb) => rgb.startsWith("rgb(");
const background = (e) => {
  const own = getComputedStyle(e).backgroundColor;
  return opaque(own) || !e.parentElement ? own : background(e.parentElement);
};
const low = [];
for (const e of document.querySelectorAll("body *")) {
  const written = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!written || !e.checkVisibility() || e.closest("script, style")) continue;
  const style = getComputedStyle(e);
  const [a, b] = [e.namespaceURI.includes("svg") ? style.fill : style.color, background(e)]
    .map(luminance).sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.outerHTML.slice(0, 80));
}
return low;
"""  # WCAG 2.2, "contrast (minimum)": 4.5 to 1 (relative luminance as defined there)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_fits_the_screen_and_has_contrast(start, browser, path, size, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    resize(browser, size)
    page = open_report(browser, path)
    widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
    assert page.execute_script(widths) == [size[0], size[0]]
    assert page.execute_script(CONTRAST) == []
    name = f"{'phone' if size == PHONE else 'laptop'}_{scheme}"
    screenshot(page, name)
    page.find_element(By.CSS_SELECTOR, "#genes-table .open").send_keys(Keys.ENTER)
    assert page.execute_script(widths) == [size[0], size[0]]
    assert page.execute_script(CONTRAST) == []
    screenshot(page, f"{name}_detail")
    resize(browser, LAPTOP)


def screenshot(page, name):
    if folder := os.environ.get("GENESCRIBE_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.save_screenshot(f"{folder}/{name}.png")


def test_fifty_thousand_genes_on_many_contigs(browser, tmp_path, described_gene):
    genes = [
        described_gene(f"g{i}", seqid=f"scaffold_{i // 3}", text=f"transporter of kind {i}")
        for i in range(50_000)
    ]
    path = write_report(tmp_path / "large.html", genes)
    assert path.stat().st_size < 15e6
    page = open_report(browser, path)
    assert count(page) == 50_000
    assert "16,367 more" in page.find_element(By.NAME, "seqid").get_property("textContent")
    before = time.monotonic()
    fill(page, "search", "kind 49999")
    until_count(page, 1)
    page.find_element(By.CSS_SELECTOR, "th[data-sort=location] button").click()
    assert time.monotonic() - before < 30  # responsive at all; benchmarks/report.py measures it
