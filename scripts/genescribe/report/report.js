// The interactive half of the report. Texts of models and annotations enter the page only as
// text nodes; nothing here parses HTML, loads anything or stores anything.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const integers = new Intl.NumberFormat("en");
  const natural = new Intl.Collator("en", { numeric: true });
  const SEARCHED = ["gene_id", "name", "location", "biotype", "status", "reason", "text",
    "product", "transcript_id"];
  const CELL_CHARACTERS = 400; // of a text in the table, as in the rows that the page came with
  const MOST_OPTIONS = 300; // of a filter; an assembly may have tens of thousands of contigs
  const DEBOUNCE_MS = 120;

  let columns = {}; // name -> one value per gene
  let meanings = {}; // reason -> sentence
  const view = { rows: [], page: 0, sort: "", descending: false, open: -1 };

  // ---- data -------------------------------------------------------------------------------

  async function unpack(base64) {
    const binary = atob(base64);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  function remembered(compute) {
    const known = new Map();
    return (key) => {
      if (!known.has(key)) known.set(key, compute(key));
      return known.get(key);
    };
  }

  const searchText = remembered((row) =>
    SEARCHED.map((name) => columns[name][row]).join("\n").toLowerCase());

  // Numbers sort as they are, texts by their rank in natural order (chr2 before chr10); what a
  // gene lacks is null.
  const sortKeys = remembered((name) => {
    const values = columns[name];
    if (values.every((value) => value === null || typeof value === "number")) return values;
    const distinct = [...new Set(values)].sort(natural.compare);
    const ranks = new Map(distinct.map((value, rank) => [value, value === "" ? null : rank]));
    return values.map((value) => ranks.get(value));
  });

  function comparator(name, descending) {
    const keys = sortKeys(name);
    const sign = descending ? -1 : 1;
    return (a, b) => {
      if (keys[a] === keys[b]) return a - b;
      if (keys[a] === null) return 1; // last in either direction
      if (keys[b] === null) return -1;
      return sign * (keys[a] - keys[b]);
    };
  }

  function matcher() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const equal = ["status", "biotype", "seqid"].map((name) => [columns[name], byId(name).value])
      .filter(([, option]) => option !== "");
    const least = ["score", "lift"].map((name) => [columns[name], byId(name).valueAsNumber])
      .filter(([, bound]) => !Number.isNaN(bound));
    return (row) =>
      equal.every(([values, option]) => `=${values[row]}` === option) &&
      least.every(([values, bound]) => values[row] !== null && values[row] >= bound) &&
      words.every((word) => searchText(row).includes(word));
  }

  // ---- page -------------------------------------------------------------------------------

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children); // strings become text nodes
    return element;
  }

  const fixed = (value, digits) => (value === null ? "" : value.toFixed(digits));
  const spaced = (code) => code.replaceAll("_", " ");
  const isolated = (text) => make("bdi", {}, text); // right-to-left names stay in their place

  const leftOut = (row) => `${integers.format(columns.truncated[row])} nt left out`;
  const isUncalibrated = (row) => columns.calibrated[row] === "no";

  function geneCell(row) {
    const { gene_id: ids, name: names } = columns;
    const button = make("button", { type: "button", class: "open", "aria-haspopup": "dialog" },
      isolated(ids[row]));
    const cell = make("th", { scope: "row" }, button);
    if (names[row] && names[row] !== ids[row]) cell.append(make("small", {}, isolated(names[row])));
    return cell;
  }

  function statusLine(row) {
    const parts = [make("span", { class: `dot ${columns.status[row]}` }), columns.status[row]];
    if (columns.reason[row]) parts.push(make("small", {}, spaced(columns.reason[row])));
    return parts;
  }

  function tableRow(row, index) {
    const text = columns.text[row];
    const shown = text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text;
    const place = `${columns.start[row]}-${columns.end[row]} ${columns.strand[row]}`;
    return make("tr", { "data-index": index },
      geneCell(row),
      make("td", {}, isolated(columns.seqid[row]), make("small", {}, place),
        make("small", {}, isolated(columns.biotype[row]))),
      make("td", {}, ...statusLine(row)),
      make("td", { class: "text" }, make("div", { class: "clamp", dir: "auto" }, shown)),
      make("td", { class: "number", "data-label": "score" }, fixed(columns.score[row], 2),
        ...(isUncalibrated(row) ? [make("small", {}, "not calibrated")] : [])),
      make("td", { class: "number", "data-label": "lift" }, fixed(columns.lift[row], 2)),
      make("td", { class: "number" },
        columns.length[row] ? `${integers.format(columns.length[row])} nt` : "",
        ...(columns.truncated[row] ? [make("small", {}, leftOut(row))] : [])));
  }

  function pageCount() {
    return Math.max(1, Math.ceil(view.rows.length / Number(byId("size").value)));
  }

  function showPage(page) {
    const size = Number(byId("size").value);
    const last = pageCount() - 1;
    view.page = Math.min(Math.max(page, 0), last);
    const first = view.page * size;
    const shown = view.rows.slice(first, first + size);
    byId("table").tBodies[0].replaceChildren(
      ...shown.map((row, offset) => tableRow(row, first + offset)));
    byId("page").textContent =
      `Page ${integers.format(view.page + 1)} of ${integers.format(last + 1)}`;
    for (const button of document.querySelectorAll("[data-page]")) {
      const ends = { first: 0, previous: 0, next: last, last };
      button.setAttribute("aria-disabled", view.page === ends[button.dataset.page]);
    }
  }

  function markSorted() {
    for (const head of document.querySelectorAll("th[data-sort]")) {
      if (head.dataset.sort !== view.sort) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    }
    byId("sort").value = view.sort;
  }

  function refresh() {
    const all = columns.gene_id.keys();
    view.rows = [...all].filter(matcher());
    if (view.sort) view.rows.sort(comparator(view.sort, view.descending));
    const total = integers.format(columns.gene_id.length);
    byId("count").textContent = `${integers.format(view.rows.length)} of ${total} genes`;
    markSorted();
    showPage(0);
  }

  function sortBy(name) {
    const numeric = sortKeys(name) === columns[name];
    view.descending = view.sort === name ? !view.descending : numeric; // the most first
    view.sort = name;
    refresh();
  }

  // ---- one gene ---------------------------------------------------------------------------

  function facts(row) {
    const at = (name) => columns[name][row];
    const rest = at("truncated") ? ` (${leftOut(row)} to fit the model)` : "";
    const raw = isUncalibrated(row) ? " (not calibrated)" : "";
    return [
      ["Name", at("name")],
      ["Location", `${at("location")} (${at("strand")})`],
      ["Biotype", at("biotype")],
      ["Score", at("score") === null ? "" : `${fixed(at("score"), 3)}${raw}`],
      ["Lift", at("lift") === null ? "" : `${fixed(at("lift"), 3)} nats per token`],
      ["Sequence read", at("view")],
      ["Length", at("length") ? `${integers.format(at("length"))} nt${rest}` : ""],
      ["GC", at("length") && at("gc") !== null ? `${(100 * at("gc")).toFixed(1)} %` : ""],
      ["Transcripts", String(at("transcripts"))],
      ["Transcript read", at("transcript_id")],
      ["Exons", String(at("exons"))],
      ["Model", at("model")],
      ["Prompt", at("prompt")],
    ].filter(([, value]) => value !== "");
  }

  function showGene(index) {
    view.open = Math.min(Math.max(index, 0), view.rows.length - 1);
    const row = view.rows[view.open];
    byId("detail-title").replaceChildren(isolated(columns.gene_id[row]));
    byId("detail-status").replaceChildren(...statusLine(row));
    const meaning = meanings[columns.reason[row]];
    if (meaning) byId("detail-status").append(make("small", {}, meaning));
    byId("detail-text").textContent = columns.text[row] || "none";
    byId("detail-product").textContent = columns.product[row] || "none";
    byId("detail-facts").replaceChildren(...facts(row).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, isolated(value)))));
    setDisabled("previous", view.open === 0);
    setDisabled("next", view.open === view.rows.length - 1);
    if (!byId("detail").open) byId("detail").showModal();
    byId("detail").scrollTop = 0;
  }

  function setDisabled(step, disabled) {
    document.querySelector(`[data-detail=${step}]`).setAttribute("aria-disabled", disabled);
  }

  // ---- CSV --------------------------------------------------------------------------------

  // Spreadsheets run cells that begin like this, even quoted ones, as formulas (OWASP, "CSV
  // Injection"); an apostrophe makes them text. Numbers and the strand stay as they are.
  const FORMULA = /^[=+\-@\t\r\n＝＋－＠]./su;

  function csvCell(value) {
    if (value === null || typeof value === "number") return value === null ? "" : String(value);
    const safe = FORMULA.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; // RFC 4180
  }

  function csvText() {
    const names = Object.keys(columns).filter((name) => name !== "location");
    const lines = view.rows.map((row) => names.map((name) => csvCell(columns[name][row])).join(","));
    return [names.join(","), ...lines, ""].join("\r\n");
  }

  function downloadCsv() {
    const mark = "\uFEFF"; // without it spreadsheets do not read UTF-8
    const url = URL.createObjectURL(new Blob([mark, csvText()], { type: "text/csv" }));
    make("a", { href: url, download: "genescribe.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  // ---- controls ---------------------------------------------------------------------------

  function fillFilter(name) {
    const counts = new Map();
    for (const value of columns[name]) counts.set(value, (counts.get(value) ?? 0) + 1);
    const ordered = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
    const shown = ordered.slice(0, MOST_OPTIONS).sort(natural.compare);
    const options = shown.map((value) => make("option", { value: `=${value}` },
      `${value || "none"} (${integers.format(counts.get(value))})`));
    byId(name).append(...options);
    if (ordered.length > MOST_OPTIONS) {
      const rest = integers.format(ordered.length - MOST_OPTIONS);
      byId(name).append(make("option", { disabled: "" }, `${rest} more: use the search`));
    }
  }

  function makeSortable(head) {
    const button = make("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => sortBy(head.dataset.sort));
    head.replaceChildren(button);
  }

  function debounced(action) {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(action, DEBOUNCE_MS);
    };
  }

  function connectFilters() {
    const form = byId("filters");
    const refreshSoon = debounced(refresh);
    form.addEventListener("input", refreshSoon);
    form.addEventListener("change", refreshSoon);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      view.sort = "";
      setTimeout(refresh); // after the browser has emptied the fields
    });
    byId("sort").addEventListener("change", (event) => {
      view.sort = "";
      if (event.target.value) sortBy(event.target.value);
    });
    byId("csv").addEventListener("click", downloadCsv);
  }

  function connectTable() {
    const body = byId("table").tBodies[0];
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && getSelection().isCollapsed) showGene(Number(row.dataset.index));
    });
    body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const neighbour = step && event.target.closest("tr")[step];
      if (!neighbour) return;
      event.preventDefault();
      neighbour.querySelector("button").focus();
    });
    byId("size").addEventListener("change", () => showPage(0));
    for (const button of document.querySelectorAll("[data-page]")) {
      button.addEventListener("click", () => {
        const pages = { first: 0, previous: view.page - 1, next: view.page + 1, last: pageCount() };
        showPage(pages[button.dataset.page]);
      });
    }
  }

  function connectDetail() {
    const dialog = byId("detail");
    const act = {
      close: () => dialog.close(),
      previous: () => showGene(view.open - 1),
      next: () => showGene(view.open + 1),
    };
    for (const button of dialog.querySelectorAll("[data-detail]")) {
      button.addEventListener("click", act[button.dataset.detail]);
    }
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // the backdrop
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") act.previous();
      if (event.key === "ArrowRight") act.next();
    });
  }

  function connectTheme() {
    const button = byId("theme");
    const root = document.documentElement;
    const show = (dark) => {
      button.setAttribute("aria-pressed", dark);
      button.textContent = dark ? "Light" : "Dark";
    };
    show(matchMedia("(prefers-color-scheme: dark)").matches);
    button.addEventListener("click", () => {
      const dark = button.getAttribute("aria-pressed") !== "true";
      root.dataset.theme = dark ? "dark" : "light";
      show(dark);
    });
    button.hidden = false;
  }

  async function start() {
    connectTheme();
    if (typeof DecompressionStream === "undefined") {
      byId("trouble").hidden = false;
      return;
    }
    ({ columns, meanings } = await unpack(byId("genes-data").textContent));
    columns.location = columns.seqid.map((seqid, row) =>
      `${seqid}:${columns.start[row]}-${columns.end[row]}`);
    for (const name of ["status", "biotype", "seqid"]) fillFilter(name);
    for (const head of document.querySelectorAll("th[data-sort]")) makeSortable(head);
    connectFilters();
    connectTable();
    connectDetail();
    for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
    refresh();
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
