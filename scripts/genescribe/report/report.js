// What the report has around its table of genes: one gene in full, the CSV, light and dark.
import { Genes, GenesTable, fixed, isUncalibrated, isolated, leftOut, make, statusLine, thousands,
  unpack } from "./genes_table.js";

const byId = (id) => document.getElementById(id);

// ---- one gene -----------------------------------------------------------------------------

function facts(columns, row) {
  const at = (name) => columns[name][row];
  const rest = at("truncated") ? ` (${leftOut(columns, row)} to fit the model)` : "";
  const raw = isUncalibrated(columns, row) ? " (not calibrated)" : "";
  return [
    ["Name", at("name")],
    ["Location", `${at("location")} (${at("strand")})`],
    ["Biotype", at("biotype")],
    ["Score", at("score") === null ? "" : `${fixed(at("score"), 3)}${raw}`],
    ["Lift", at("lift") === null ? "" : `${fixed(at("lift"), 3)} nats per token`],
    ["Sequence read", at("view")],
    ["Length", at("length") ? `${thousands(at("length"))} nt${rest}` : ""],
    ["GC", at("length") && at("gc") !== null ? `${(100 * at("gc")).toFixed(1)} %` : ""],
    ["Transcripts", String(at("transcripts"))],
    ["Transcript read", at("transcript_id")],
    ["Exons", String(at("exons"))],
    ["Model", at("model")],
    ["Prompt", at("prompt")],
  ].filter(([, value]) => value !== "");
}

// Shows a gene of the table in the dialog, and from there its neighbours.
class Detail {
  constructor(meanings) {
    this.meanings = meanings; // reason -> sentence
    this.dialog = byId("detail");
    const act = {
      close: () => this.dialog.close(),
      previous: () => this.show(this.index - 1),
      next: () => this.show(this.index + 1),
    };
    for (const button of this.dialog.querySelectorAll("[data-detail]")) {
      button.addEventListener("click", act[button.dataset.detail]);
    }
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // the backdrop
    });
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") act.previous();
      if (event.key === "ArrowRight") act.next();
    });
  }

  open(table, row) {
    this.table = table;
    this.show(table.rows.indexOf(row));
  }

  show(index) {
    const { rows, genes: { columns } } = this.table;
    this.index = Math.min(Math.max(index, 0), rows.length - 1);
    const row = rows[this.index];
    byId("detail-title").replaceChildren(isolated(columns.gene_id[row]));
    byId("detail-status").replaceChildren(...statusLine(columns, row));
    const meaning = this.meanings[columns.reason[row]];
    if (meaning) byId("detail-status").append(make("small", {}, meaning));
    byId("detail-text").textContent = columns.text[row] || "none";
    byId("detail-product").textContent = columns.product[row] || "none";
    byId("detail-facts").replaceChildren(...facts(columns, row).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, isolated(value)))));
    this.disable("previous", this.index === 0);
    this.disable("next", this.index === rows.length - 1);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  disable(step, disabled) {
    this.dialog.querySelector(`[data-detail=${step}]`).setAttribute("aria-disabled", disabled);
  }
}

// ---- CSV ----------------------------------------------------------------------------------

// Spreadsheets run cells that begin like this, even quoted ones, as formulas (OWASP, "CSV
// Injection"); an apostrophe makes them text. Numbers and the strand stay as they are.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]./su;

function csvCell(value) {
  if (value === null || typeof value === "number") return value === null ? "" : String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; // RFC 4180
}

function csvText({ rows, genes: { columns } }) {
  const names = Object.keys(columns).filter((name) => name !== "location");
  const lines = rows.map((row) => names.map((name) => csvCell(columns[name][row])).join(","));
  return [names.join(","), ...lines, ""].join("\r\n");
}

function addCsv(table) {
  const button = make("button", { type: "button", class: "genes-control", id: "csv",
    "aria-describedby": "csv-note" }, "Download CSV");
  button.addEventListener("click", () => {
    const mark = "\uFEFF"; // without it spreadsheets do not read UTF-8
    const url = URL.createObjectURL(new Blob([mark, csvText(table)], { type: "text/csv" }));
    make("a", { href: url, download: "genescribe.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
  table.actions.append(button);
}

// ---- page ---------------------------------------------------------------------------------

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

function bytesOf(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function start() {
  connectTheme();
  if (typeof DecompressionStream === "undefined") {
    byId("trouble").hidden = false;
    return;
  }
  const { columns, meanings } = await unpack(bytesOf(byId("genes-data").textContent));
  const detail = new Detail(meanings);
  const table = new GenesTable(byId("genes-table"), new Genes(columns), {
    opener: { "aria-haspopup": "dialog" },
    onOpen: (row) => detail.open(table, row),
  });
  addCsv(table);
  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  document.documentElement.dataset.ready = "true";
}

start();
