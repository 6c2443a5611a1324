// The table of genes of the report and of the notebook: search, filters, sorting and pages. Texts
// of models and annotations enter a page only as text nodes; nothing here parses HTML, loads
// anything or stores anything.

const integers = new Intl.NumberFormat("en");
const natural = new Intl.Collator("en", { numeric: true });
const SEARCHED = ["gene_id", "name", "location", "biotype", "status", "reason", "text", "product",
  "transcript_id", "review"];
const CELL_CHARACTERS = 400; // of a text in the table, as in the rows that the report comes with
const MOST_OPTIONS = 300; // of a filter; an assembly may have tens of thousands of contigs
const DEBOUNCE_MS = 120;

// ---- data ---------------------------------------------------------------------------------

// Return the columns of all genes from gzipped JSON.
export async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function memoized(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}

// Numbers sort as they are, texts by their rank in natural order (chr2 before chr10); what a gene
// lacks is null.
function sortKeys(values) {
  if (values.every((value) => value === null || typeof value === "number")) return values;
  const distinct = [...new Set(values)].sort(natural.compare);
  const ranks = new Map(distinct.map((value, rank) => [value, value === "" ? null : rank]));
  return values.map((value) => ranks.get(value));
}

// All genes: `columns` maps a name to one value per gene; a row is the number of a gene.
export class Genes {
  constructor(columns) {
    const { seqid, start, end } = columns;
    const location = seqid.map((name, row) => `${name}:${start[row]}-${end[row]}`);
    this.columns = { ...columns, location };
    this.replace({});
  }

  // Put whole columns in the place of those that were there.
  replace(columns) {
    Object.assign(this.columns, columns);
    const searched = SEARCHED.filter((name) => this.has(name)).map((name) => this.columns[name]);
    this.words = memoized((row) => searched.map((one) => one[row]).join("\n").toLowerCase());
    this.keys = memoized((name) => sortKeys(this.columns[name]));
  }

  has(name) {
    return name in this.columns;
  }

  isNumeric(name) {
    return this.keys(name) === this.columns[name];
  }

  // Return the rows that pass a query (see GenesTable), in its order.
  select(query) {
    const rows = [...this.columns.gene_id.keys()].filter(this.matcher(query));
    return query.sort ? rows.sort(this.comparator(query.sort, query.descending)) : rows;
  }

  matcher(query) {
    const conditions = (names) => names.filter((name) => query[name] !== null && this.has(name))
      .map((name) => [this.columns[name], query[name]]);
    const equal = conditions(Object.keys(FILTERS));
    const least = conditions(Object.keys(MINIMA));
    const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
    return (row) =>
      equal.every(([values, option]) => values[row] === option) &&
      least.every(([values, bound]) => values[row] !== null && values[row] >= bound) &&
      words.every((word) => this.words(row).includes(word));
  }

  comparator(name, descending) {
    const keys = this.keys(name);
    const sign = descending ? -1 : 1;
    return (a, b) => {
      if (keys[a] === keys[b]) return a - b;
      if (keys[a] === null) return 1; // last in either direction
      if (keys[b] === null) return -1;
      return sign * (keys[a] - keys[b]);
    };
  }
}

// ---- words and cells ------------------------------------------------------------------------

export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children); // strings become text nodes
  return element;
}

export const thousands = (value) => integers.format(value);
export const fixed = (value, digits) => (value === null ? "" : value.toFixed(digits));
export const isolated = (text) => make("bdi", {}, text); // right-to-left names stay in place

const small = (...children) => make("small", {}, ...children);

export function statusLine({ status, reason }, row) {
  const parts = [make("span", { class: `status-dot ${status[row]}` }), status[row]];
  if (reason[row]) parts.push(small(reason[row].replaceAll("_", " ")));
  return parts;
}

export const leftOut = (columns, row) => `${thousands(columns.truncated[row])} nt left out`;
export const isUncalibrated = (columns, row) => columns.calibrated[row] === "no";

function textCell({ text }, row) {
  const whole = text[row];
  const shown = whole.length > CELL_CHARACTERS ? `${whole.slice(0, CELL_CHARACTERS)}…` : whole;
  return [make("div", { class: "clamp", dir: "auto" }, shown)];
}

// Column -> head, class, and what stands in a gene's cell. Review only where the data have it.
const COLUMNS = {
  gene_id: ["Gene", "gene", null], // a button, see GenesTable
  location: ["Location", "location", (columns, row) => [
    isolated(columns.seqid[row]),
    small(`${columns.start[row]}-${columns.end[row]} ${columns.strand[row]}`),
    small(isolated(columns.biotype[row]))]],
  status: ["Status", "status", statusLine],
  text: ["Predicted description", "text", textCell],
  score: ["Score", "number score", (columns, row) => [fixed(columns.score[row], 2),
    ...(isUncalibrated(columns, row) ? [small("not calibrated")] : [])]],
  lift: ["Lift", "number lift", (columns, row) => [fixed(columns.lift[row], 2)]],
  length: ["Length", "number length", (columns, row) => [
    columns.length[row] ? `${thousands(columns.length[row])} nt` : "",
    ...(columns.truncated[row] ? [small(leftOut(columns, row))] : [])]],
  review: ["Review", "review", (columns, row) => [columns.review[row]]],
};
const FILTERS = { status: "Status", biotype: "Biotype", seqid: "Contig", review: "Review" };
const NAMELESS = { review: "not reviewed" }; // what an empty value is called in a filter
const MINIMA = { score: "Score at least", lift: "Lift at least" };
const SORTS = { gene_id: "gene", name: "name", location: "location", biotype: "biotype",
  status: "status", reason: "reason", text: "description", score: "score", lift: "lift",
  length: "length", gc: "GC", exons: "exons", review: "review" };
const SIZES = [10, 25, 50, 100, 500];
const SIZE = 25;
const EVERYTHING = { search: "", status: null, biotype: null, seqid: null, review: null,
  score: null, lift: null, sort: "", descending: false, page: 0 };

// ---- table ----------------------------------------------------------------------------------

// Draws the genes into `root`. `query` says which genes in which order: the keys of EVERYTHING and
// `size` of a page, any of which may be left out; null lets all genes pass. `rows` are the genes that pass.
// `onOpen(row)` is called when a gene is chosen, `onShow(table)` when another query or page is
// shown. `opener` are more attributes of the buttons that choose a gene.
export class GenesTable {
  constructor(root, genes, { query = {}, selected = -1, opener = {}, onOpen, onShow = () => {} }) {
    Object.assign(this, { genes, selected, opener, onOpen, onShow });
    this.columns = Object.keys(COLUMNS).filter((name) => genes.has(name));
    this.fields = {};
    this.count = make("output", { class: "count", role: "status" });
    this.actions = make("div", { class: "actions" }, this.count,
      make("button", { type: "reset", class: "genes-control" }, "Clear"));
    this.head = make("tr", {}, ...this.columns.map((name) => this.headCell(name)));
    this.body = make("tbody", {});
    const caption = make("caption", {}, "Genes and their predicted descriptions; coordinates are " +
      "1-based and closed, as in GFF3");
    root.replaceChildren(this.form(),
      make("table", {}, caption, make("thead", {}, this.head), this.body), this.pager());
    this.connectBody();
    this.fillFilters();
    this.ask(query);
  }

  // Show the genes that pass a query; pages keep their size.
  ask(query) {
    this.query = { ...EVERYTHING, size: this.query?.size ?? SIZE, ...query };
    this.rows = this.genes.select(this.query);
    for (const [name, field] of Object.entries(this.fields)) setField(field, this.query[name]);
    const total = thousands(this.genes.columns.gene_id.length);
    this.count.textContent = `${thousands(this.rows.length)} of ${total} genes`;
    this.markSorted();
    this.turn(this.query.page);
  }

  // Show a page of the genes that pass; the nearest one that there is.
  turn(page) {
    const { size } = this.query;
    const last = Math.max(1, Math.ceil(this.rows.length / size)) - 1;
    this.query.page = Math.min(Math.max(page, 0), last);
    const first = this.query.page * size;
    const shown = this.rows.slice(first, first + size);
    const focused = document.activeElement?.closest("tr")?.dataset.row;
    const hadFocus = this.body.contains(document.activeElement);
    this.body.replaceChildren(...shown.map((row) => this.geneRow(row)));
    const none = make("td", { colspan: this.columns.length }, "No gene matches.");
    if (!shown.length) this.body.append(make("tr", {}, none));
    // a page drawn anew must not throw people who use the keyboard out of the table
    if (hadFocus) this.body.querySelector(`[data-row="${focused}"] button`)?.focus();
    this.page.textContent = `Page ${thousands(this.query.page + 1)} of ${thousands(last + 1)}`;
    const ends = { first: 0, previous: 0, next: last, last };
    for (const [step, button] of Object.entries(this.steps)) {
      button.setAttribute("aria-disabled", this.query.page === ends[step]);
    }
    this.onShow(this);
  }

  // Mark a gene as the chosen one, and show its page.
  select(row) {
    this.selected = row;
    const page = Math.floor(this.rows.indexOf(row) / this.query.size);
    if (page >= 0 && page !== this.query.page) this.turn(page);
    for (const one of this.body.rows) this.markSelected(one);
  }

  // Draw again, on the same page, after columns of the genes were replaced.
  update() {
    const query = this.formQuery();
    this.fillFilters();
    this.ask(query);
  }

  // ---- its parts ----

  form() {
    const field = (name, label, control) => {
      this.fields[name] = control;
      control.name = name;
      control.className = "genes-control";
      return make("p", {}, make("label", {}, small(label), control));
    };
    const select = (options) => make("select", {}, ...options.map(([value, label]) =>
      make("option", { value }, label)));
    const has = ([name]) => this.genes.has(name);
    const filters = Object.entries(FILTERS).filter(has).map(([name, label]) =>
      field(name, label, select([["", "any"]])));
    const minima = Object.entries(MINIMA).map(([name, label]) =>
      field(name, label, make("input", { type: "number", step: "0.05", inputmode: "decimal" })));
    const sorts = select([["", "order of the input"], ...Object.entries(SORTS).filter(has)]);
    const form = make("form", { role: "search", "aria-label": "Filter genes" },
      field("search", "Search", make("input", { type: "search", autocomplete: "off",
        spellcheck: "false", placeholder: "Gene, name, location, words of the description …" })),
      make("div", { class: "filters" }, ...filters, ...minima, field("sort", "Sort by", sorts)),
      this.actions);
    const soon = debounced(() => this.askForm());
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => // asks after the browser has emptied the fields
      setTimeout(() => this.ask({})));
    return form;
  }

  // Return the query that stands in the form, which may be newer than the one on show.
  formQuery() {
    const values = Object.entries(this.fields).map(([name, field]) => [name, fieldValue(field)]);
    return { ...this.query, ...Object.fromEntries(values) };
  }

  askForm() {
    const query = this.formQuery();
    if (Object.keys(query).every((name) => query[name] === this.query[name])) return;
    if (query.sort !== this.query.sort) query.descending = this.startsDescending(query.sort);
    this.ask({ ...query, page: 0 });
  }

  pager() {
    const steps = {
      first: () => 0, previous: () => this.query.page - 1,
      next: () => this.query.page + 1, last: () => Infinity,
    };
    this.page = make("span", {});
    this.steps = {};
    for (const [step, there] of Object.entries(steps)) {
      const label = step[0].toUpperCase() + step.slice(1);
      const button = make("button", { type: "button", class: "genes-control", "data-page": step }, label);
      button.addEventListener("click", () => this.turn(there()));
      this.steps[step] = button;
    }
    const { first, previous, next, last } = this.steps;
    const size = make("select", { name: "size", class: "genes-control" }, ...SIZES.map((one) =>
      make("option", {}, one)));
    this.fields.size = size;
    size.addEventListener("change", () => this.askForm());
    return make("div", { class: "pager" },
      make("nav", { "aria-label": "Pages of the table" }, first, previous, this.page, next, last),
      make("p", {}, make("label", {}, small("Rows"), size)));
  }

  fillFilters() {
    for (const name of Object.keys(FILTERS).filter((one) => this.genes.has(one))) {
      const counts = new Map();
      for (const value of this.genes.columns[name]) counts.set(value, (counts.get(value) ?? 0) + 1);
      const ordered = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
      const shown = ordered.slice(0, MOST_OPTIONS).sort(natural.compare);
      const options = shown.map((value) => make("option", { value: `=${value}` },
        `${value || (NAMELESS[name] ?? "none")} (${thousands(counts.get(value))})`));
      if (ordered.length > MOST_OPTIONS) {
        const rest = thousands(ordered.length - MOST_OPTIONS);
        options.push(make("option", { disabled: "" }, `${rest} more: use the search`));
      }
      this.fields[name].replaceChildren(make("option", { value: "" }, "any"), ...options);
    }
  }

  headCell(name) {
    const [title, kind] = COLUMNS[name];
    const button = make("button", { type: "button" }, title);
    button.addEventListener("click", () => this.sortBy(name));
    return make("th", { scope: "col", class: kind, "data-sort": name }, button);
  }

  startsDescending(name) {
    return name !== "" && this.genes.isNumeric(name); // the most first
  }

  // Sort by a column; again: the other way round; once more: the order of the input.
  sortBy(name) {
    const { sort, descending } = this.query;
    const query = { ...this.formQuery(), page: 0 };
    const starts = this.startsDescending(name);
    if (sort !== name) this.ask({ ...query, sort: name, descending: starts });
    else if (descending === starts) this.ask({ ...query, descending: !starts });
    else this.ask({ ...query, sort: "", descending: false });
  }

  markSorted() {
    for (const cell of this.head.cells) {
      if (cell.dataset.sort !== this.query.sort) cell.removeAttribute("aria-sort");
      else cell.setAttribute("aria-sort", this.query.descending ? "descending" : "ascending");
    }
  }

  geneRow(row) {
    const { columns } = this.genes;
    const made = make("tr", { "data-row": row });
    for (const name of this.columns) {
      const [, kind, cell] = COLUMNS[name];
      made.append(name === "gene_id" ? this.geneCell(row)
        : make("td", { class: kind, "data-label": name }, ...cell(columns, row)));
    }
    this.markSelected(made);
    return made;
  }

  geneCell(row) {
    const { gene_id: ids, name: names } = this.genes.columns;
    const button = make("button", { type: "button", class: "open", ...this.opener },
      isolated(ids[row]));
    const cell = make("th", { scope: "row", class: "gene" }, button);
    if (names[row] && names[row] !== ids[row]) cell.append(small(isolated(names[row])));
    return cell;
  }

  markSelected(element) {
    const isSelected = element.dataset.row === String(this.selected);
    element.classList.toggle("selected", isSelected);
    element.querySelector("button")?.setAttribute("aria-current", isSelected);
  }

  connectBody() {
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr")?.dataset.row;
      if (row !== undefined && getSelection().isCollapsed) this.onOpen(Number(row));
    });
    this.body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const neighbour = step && event.target.closest("tr")[step];
      if (!neighbour) return;
      event.preventDefault();
      neighbour.querySelector("button").focus();
    });
  }
}

function debounced(action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, DEBOUNCE_MS);
  };
}

// Filters write "=" before their value, since a gene's biotype may be empty and "" is "any".
function fieldValue(field) {
  if (field.type === "number") return Number.isNaN(field.valueAsNumber) ? null : field.valueAsNumber;
  if (field.name === "size") return Number(field.value);
  if (field.name in FILTERS) return field.value === "" ? null : field.value.slice(1);
  return field.value;
}

function setField(field, value) {
  if (fieldValue(field) === value) return; // also keeps the cursor where it is
  const written = field.name in FILTERS && value !== null ? `=${value}` : `${value ?? ""}`;
  field.value = written;
  if (field.value === written) return;
  field.append(make("option", { value: written }, `${value}`)); // not among the commonest
  field.value = written;
}
