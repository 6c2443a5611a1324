// The table of genes in the notebook: its data, query and selection are traits of a widget.
import { Genes, GenesTable, unpack } from "./genes_table.js";

// What people decided: gene id -> [decision, text to write, "" for the model's own].
function reviewed(columns, predicted, reviews) {
  const rows = new Map(columns.gene_id.map((id, row) => [id, row]));
  const [review, text] = [predicted.map(() => ""), [...predicted]];
  for (const [id, [decision, edited]] of Object.entries(reviews)) {
    review[rows.get(id)] = decision;
    if (edited) text[rows.get(id)] = edited;
  }
  return { review, text };
}

function draw(model, el, columns) {
  const predicted = columns.text;
  const known = () => reviewed(columns, predicted, model.get("reviews"));
  const rowOf = (id) => columns.gene_id.indexOf(id);
  const genes = new Genes({ ...columns, ...known() });
  let sent = null; // the rows that the kernel knows
  const table = new GenesTable(el, genes, {
    query: model.get("query"),
    selected: rowOf(model.get("selected")),
    onOpen(row) {
      model.set("selected", columns.gene_id[row]);
      model.save_changes();
    },
    onShow({ query, rows }) {
      model.set("query", { ...query });
      if (rows !== sent) model.set("shown", new DataView(Uint32Array.from(rows).buffer));
      sent = rows;
      model.save_changes();
    },
  });
  return {
    reviews() {
      genes.replace(known());
      table.update();
    },
    query() {
      const query = model.get("query");
      if (JSON.stringify(query) !== JSON.stringify(table.query)) table.ask(query);
    },
    selected: () => table.select(rowOf(model.get("selected"))),
  };
}

async function render({ model, el }) {
  el.classList.add("genes-table");
  let follow = {};
  const start = async () => {
    const packed = model.get("genes");
    if (!packed.byteLength) return;
    const { columns } = await unpack(packed);
    if (packed === model.get("genes")) follow = { packed, ...draw(model, el, columns) };
  };
  model.on("change:genes", start);
  for (const name of ["reviews", "query", "selected"]) {
    model.on(`change:${name}`, () => { // of the genes on show, not of those that are yet to be drawn
      if (follow.packed === model.get("genes")) follow[name]?.();
    });
  }
  await start();
}

export default { render };
