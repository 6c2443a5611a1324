"""The report without a browser: its markup, its data block, its charts and MultiQC's table."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
import math
import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genescribe.errors import InputError
from genescribe.records import Reason, Status
from genescribe.report import build_report, plots, provenance, write_multiqc
from genescribe.report.build import CELL_CHARACTERS, STATIC_ROWS
from genescribe.report.entries import REASON_MEANING

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "</style></title></textarea><svg onload=alert(1)>",
    "<!-- <script>",
    "]]></desc><script>alert(1)</script>",
    '" autofocus onfocus="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://example.org","x")',
    "مرحبا \u202eevil\u202c",
    "a\u2028b\u2029c\x00d\x0be",
    "lone surrogate \udce9",
]
RUN = {
    "genescribe_version": "0.1.0",
    "command": "genescribe run --genome a.fa",
    "created": "2026-11-21T07:35:17+00:00",
    "config": {"attribute": "Note", "flank": 0, "generation": {"max_new_tokens": 64}},
    "inputs": {"genome": {"path": "a.fa", "sha256": "ab" * 32}},
    "stages": [{"stage": "extract", "wall_seconds": 1.5}, {"stage": "describe", "device": "cpu"}],
}

unhurried = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and text outside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.raw = [], [], {}
        self._inside = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id", tag)

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data
        else:
            self.texts.append(data)

    def data(self):
        """The columns of the data block."""
        return json.loads(gzip.decompress(base64.b64decode(self.raw["genes-data"])))["columns"]


def unread(gene, reason):
    """The row of a gene that extraction could not use."""
    return dataclasses.replace(gene[0], reason=reason)


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a report of (row, description) pairs and reads it."""

    def make(pairs, run=RUN, title="Test assembly"):
        rows = [row for row, _ in pairs]
        descriptions = {one.gene_id: one for _, one in pairs if one}
        out = tmp_path / "report.html"
        build_report(rows, descriptions, run=run, title=title, out=out)
        return out.read_text(encoding="utf-8")

    return make


def test_every_gene_is_in_the_data_and_the_first_ones_are_in_the_markup(build, described_gene):
    genes = [described_gene(f"gene{i}", start=i, end=i + 9) for i in range(STATIC_ROWS + 50)]
    page = Page(build(genes))
    assert page.data()["gene_id"] == [row.gene_id for row, _ in genes]
    assert page.data()["start"][:3] == [1, 2, 3]  # 1-based closed for people
    assert page.data()["end"][:3] == [9, 10, 11]
    assert f"gene{STATIC_ROWS - 1}" in page.texts
    assert f"gene{STATIC_ROWS}" not in page.texts
    assert any("machine predictions" in text for text in page.texts)


def test_page_loads_nothing_and_its_policy_lets_in_only_its_own_script_and_style(
    build, described_gene
):
    html = build([described_gene()])
    page = Page(html)
    policy = next(
        attrs["content"] for _, attrs in page.tags if "Content-Security" in str(attrs.values())
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], tag
        for name in ("src", "href", "action", "data", "xlink:href"):
            assert attrs.get(name, "#").startswith(("#", "data:,")), (tag, attrs)
    assert not re.search(r"url\(|@import", page.raw["style"])
    assert not re.search(r"^import\b|\bfrom \"", page.raw["script"], re.MULTILINE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(|fetch\(", page.raw["script"])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_wherever_it_comes_from(build, described_gene, hostile):
    calm = Page(build([described_gene()], run={"command": "x"}))
    gene = described_gene(
        hostile, text=hostile, name=f"n{hostile}", product=hostile, seqid=hostile, biotype=hostile,
        model=hostile, transcript_id=hostile,
    )  # fmt: skip
    page = Page(build([gene], run={"command": hostile}, title=hostile))
    names = [tag for tag, _ in page.tags]
    assert set(names) == {tag for tag, _ in calm.tags}
    assert names.count("script") == 2
    assert names.count("svg") == [tag for tag, _ in calm.tags].count("svg")
    for column in ("gene_id", "text", "product", "seqid", "biotype", "model"):
        assert page.data()[column] == [hostile]


@unhurried
@given(text=st.text(max_size=60))
def test_any_text_arrives_unchanged_in_the_data(tmp_path_factory, described_gene, text):
    row, description = described_gene(text=text)
    out = tmp_path_factory.mktemp("report") / "r.html"
    build_report([row], {row.gene_id: description}, run={}, title=text, out=out)
    assert Page(out.read_text(encoding="utf-8")).data()["text"] == [text]


def test_long_text_is_cut_in_the_table_and_whole_in_the_data(build, described_gene):
    page = Page(build([described_gene(text="x" * 10_000)]))
    assert "x" * CELL_CHARACTERS + "…" in page.texts
    assert page.data()["text"] == ["x" * 10_000]
    assert f"const CELL_CHARACTERS = {CELL_CHARACTERS};" in page.raw["script"]


def test_same_input_gives_same_bytes(build, described_gene, monkeypatch):
    genes = [described_gene(f"g{i}", score=i / 7, lift=i - 3.0) for i in range(7)]
    first = build(genes)
    monkeypatch.setattr(time, "time", lambda: 1e9)  # the clock must not matter
    assert build(genes) == first


def test_gene_without_sequence_counts_as_skipped_without_a_description(build, described_gene):
    row = unread(described_gene("short", length=0, gc=math.nan), Reason.TOO_SHORT)
    page = Page(build([described_gene(), (row, None)]))
    assert page.data()["status"] == ["described", "skipped"]
    assert page.data()["reason"] == ["", "too_short"]
    assert page.data()["gc"] == [0.44, None]
    assert page.data()["score"] == [0.71, None]
    assert REASON_MEANING[Reason.TOO_SHORT] in page.texts


def test_genes_and_descriptions_that_do_not_belong_together_are_refused(build, described_gene):
    row, description = described_gene("a")
    with pytest.raises(InputError, match=r"1 genes have no description \(first: a\)"):
        build([(row, None)])
    stranger = unread(described_gene("b"), Reason.NO_SEQUENCE)
    with pytest.raises(InputError, match=r"1 descriptions are of genes .*\(first: a\)"):
        build([(stranger, description)])


def test_report_of_genes_without_any_text(build, described_gene):
    row = unread(described_gene(), Reason.BIOTYPE_EXCLUDED)
    page = Page(build([(row, None)], run={}))
    assert "No gene has a text." in page.texts
    assert "No run record was given to the report." in page.texts


def test_every_reason_is_explained():
    assert set(REASON_MEANING) == set(Reason) - {Reason.NONE}


def test_form_controls_have_labels_and_tables_have_scopes(build, described_gene):
    page = Page(build([described_gene()]))
    labelled = {attrs["for"] for tag, attrs in page.tags if tag == "label"}
    for tag, attrs in page.tags:
        if tag in ("input", "select"):
            assert attrs["id"] in labelled
        if tag == "th":
            assert attrs["scope"] in ("col", "row")
        if tag == "svg":
            assert attrs["role"] == "img"
            assert attrs["aria-labelledby"]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


# ---- charts ------------------------------------------------------------------------------------


@unhurried
@given(
    values=st.lists(
        st.tuples(st.sampled_from(Status), st.floats(-1e6, 1e6)), min_size=1, max_size=200
    )
)
def test_histogram_counts_every_value_once(values):
    chart = plots.histogram("h", "Lift", values)
    for column, head in enumerate(chart.columns[1:], start=1):
        counted = sum(int(row[column].replace(",", "")) for row in chart.rows)
        assert counted == sum(head in ("Genes", one.value.capitalize()) for one, _ in values)
    assert len(chart.columns) == 2 + len({status for status, _ in values})
    assert len(chart.rows) <= plots.BINS + 2


def test_histogram_bins_are_round_and_hold_what_they_say():
    values = [(Status.DESCRIBED, value) for value in (0.0, 0.04, 0.05, 0.98, 1.0)]
    chart = plots.histogram("h", "Score", values, span=(0.0, 1.0))
    table = {row[0]: row[1] for row in chart.rows}
    assert len(table) == 20
    assert table["0.00 to 0.05"] == "2"
    assert table["0.05 to 0.10"] == "1"
    assert table["0.95 to 1.00"] == "2"


def test_axis_of_a_histogram_holds_the_bulk_of_the_values():
    values = [(Status.DESCRIBED, 1.07), (Status.UNCERTAIN, 3.02)]
    chart = plots.histogram("h", "Lift", values)
    assert chart.rows[0][0] == "1.0 to 1.1"
    assert chart.rows[-1][0] == "3.0 to 3.1"


def test_one_extreme_value_does_not_flatten_the_histogram():
    values = [(Status.DESCRIBED, float(i % 100)) for i in range(1000)]
    chart = plots.histogram("h", "Length", [*values, (Status.DESCRIBED, 10_000.0)])
    assert chart.rows[-1][0].startswith("≥")
    assert len([row for row in chart.rows if row[1] != "0"]) > 10


def test_bars_keep_order_and_totals():
    groups = {"chr2": {Status.DESCRIBED: 1200, Status.FAILED: 3}, "chr1": {Status.SKIPPED: 4}}
    chart = plots.by_group("b", "contig", groups)
    assert chart.title == "Genes by contig"
    assert chart.columns == ("Contig", "Described", "Skipped", "Failed", "Genes")
    assert chart.rows == (
        ("chr2", "1,200", "0", "3", "1,203"),
        ("chr1", "0", "4", "0", "4"),
    )
    assert chart.svg.count("<rect") == 3
    assert "chr2: 1,200 described" in chart.svg


def test_many_contigs_become_the_largest_and_the_rest(build, described_gene):
    genes = [described_gene(f"g{i}.{j}", seqid=f"c{i}") for i in range(30) for j in range(i + 1)]
    page = Page(build(genes))
    assert "10 other" in page.texts
    assert "c29: 30 described" in page.texts
    assert "c9: 10 described" not in page.texts


# ---- run record --------------------------------------------------------------------------------


def test_run_record_becomes_tables():
    tables = {table.caption: table for table in provenance.tables(RUN)}
    assert ("genescribe version", "0.1.0") in tables["Run"].rows
    assert ("Generation · max new tokens", "64") in tables["Config"].rows
    assert tables["Inputs"].heads == ("Name", "Path", "SHA-256")
    assert tables["Inputs"].rows == [("genome", "a.fa", "ab" * 32)]
    assert tables["Stages"].heads == ("Stage", "Wall time (s)", "Device")
    assert tables["Stages"].rows == [("extract", "1.5", "–"), ("describe", "–", "cpu")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@unhurried
@given(run=st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_any_run_record_can_be_shown(run):
    for table in provenance.tables(run):
        for cells in table.rows:
            assert len(cells) == (len(table.heads) or 2)
            assert all(isinstance(cell, str) for cell in cells)


# ---- several models ----------------------------------------------------------------------------


def two_models(described_gene):
    """Genes of a calibrated and of another model, and their run record."""
    genes = [
        described_gene("dna", model="dna@1", score=0.71),
        described_gene(
            "rna", model="rna@2", score=0.64, calibrated=False, length=1024, truncated=5321
        ),
    ]
    models = [{"name": "dna", "identity": "dna@1"}, {"name": "rna", "identity": "rna@2"}]
    return genes, {"model": models}


def test_scores_that_are_not_calibrated_are_named_so(build, described_gene):
    genes, run = two_models(described_gene)
    both = build(genes, run=run)
    assert Page(both).texts.count("not calibrated") == 1  # at the one gene of that model
    assert "calibrated on genes" not in both
    assert "Median score (calibrated for some models only)" in Page(both).texts
    alone = Page(build(genes[1:], run=run))
    assert {"Median score (not calibrated)", "Score (not calibrated)"} <= set(alone.texts)
    calibrated = build(genes[:1], run=run)
    assert "not calibrated" not in " ".join(Page(calibrated).texts)


def test_every_model_stands_in_the_provenance(build, described_gene):
    genes, run = two_models(described_gene)
    texts = Page(build(genes, run=run)).texts
    assert texts.count("dna@1") == texts.count("rna@2") == 2  # under the title, and there
    assert {"Model dna", "Model rna"} <= set(texts)


def test_a_truncated_gene_says_so(build, described_gene):
    page = Page(build(two_models(described_gene)[0]))
    assert page.texts.count("5,321 nt left out") == 1
    assert page.data()["truncated"] == [0, 5321]


# ---- MultiQC -----------------------------------------------------------------------------------


def test_multiqc_table(tmp_path, described_gene):
    genes = [described_gene(f"g{i}", score=i / 10, lift=float(i)) for i in range(3)]
    skipped = unread(described_gene("s"), Reason.MOSTLY_N)
    out = tmp_path / "genescribe_mqc.tsv"
    write_multiqc(
        [*(row for row, _ in genes), skipped],
        {one.gene_id: one for _, one in genes},
        "my\tsample",
        out,
    )
    lines = out.read_text().splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert header[:2] == ["# id: 'genescribe'", "# plot_type: 'generalstats'"]
    names, values = (line.split("\t") for line in lines[len(header) :])
    assert dict(zip(names, values, strict=True)) == {
        "Sample": "my sample", "genes": "4", "described": "3", "uncertain": "0", "skipped": "1",
        "failed": "0", "median_score": "0.1000", "median_lift": "1.0000",
    }  # fmt: skip
    assert {f"#   {name}:" for name in names[1:]} <= set(header)
    assert "#     description: 'Median score, 0 to 1, of the genes that have a text'" in header


def test_multiqc_table_of_a_model_without_calibration(tmp_path, described_gene):
    row, found = two_models(described_gene)[0][1]
    out = tmp_path / "genescribe_mqc.tsv"
    write_multiqc([row], {"rna": found}, "s", out)
    assert "'Median score (not calibrated), 0 to 1," in out.read_text()
