// One page of genes as a plain table. Texts are only ever text: models wrote some of them.

function cell(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function head(model, page) {
  const row = document.createElement("tr");
  for (const [key, title] of page.columns) {
    const th = document.createElement("th");
    th.scope = "col";
    const sort = cell("button", title);
    sort.type = "button";
    sort.dataset.key = `sort ${key}`;
    sort.title = `sort by ${title.toLowerCase()}`;
    if (page.sort === key) th.setAttribute("aria-sort", page.descending ? "descending" : "ascending");
    sort.addEventListener("click", () => {
      model.set("sort_clicks", [key, model.get("sort_clicks")[1] + 1]);
      model.save_changes();
    });
    th.append(sort);
    row.append(th);
  }
  return row;
}

function gene(model, values, columns) {
  const row = document.createElement("tr");
  const isSelected = values.gene === model.get("selected");
  const select = () => {
    model.set("selected", values.gene);
    model.save_changes();
  };
  for (const [key] of columns) {
    const td = cell(key === "gene" ? "th" : "td", key === "gene" ? "" : values[key]);
    td.className = key;
    if (key === "gene") {
      td.scope = "row";
      const open = cell("button", values.gene);
      open.type = "button";
      open.dataset.key = `gene ${values.gene}`;
      if (isSelected) open.setAttribute("aria-current", "true");
      td.append(open);
      if (values.name) td.append(cell("small", values.name));
    }
    if (key === "status" && values.reason) td.append(cell("small", values.reason.replaceAll("_", " ")));
    row.append(td);
  }
  row.classList.toggle("selected", isSelected);
  row.addEventListener("click", select);
  return row;
}

function render({ model, el }) {
  el.classList.add("genescribe-table");
  const table = document.createElement("table");
  el.append(table);
  const draw = () => {
    const page = model.get("page");
    if (!page.columns) return;
    const focused = table.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const caption = cell("caption", "Genes; choose one to see it below");
    const thead = document.createElement("thead");
    thead.append(head(model, page));
    const tbody = document.createElement("tbody");
    tbody.append(...page.rows.map((values) => gene(model, values, page.columns)));
    if (!page.rows.length) {
      const none = cell("td", "No gene matches.");
      none.colSpan = page.columns.length;
      const row = document.createElement("tr");
      row.append(none);
      tbody.append(row);
    }
    table.replaceChildren(caption, thead, tbody);
    // a page drawn anew must not throw people who use the keyboard out of the table
    if (focused) [...table.querySelectorAll("button")].find((b) => b.dataset.key === focused)?.focus();
  };
  model.on("change:page", draw);
  model.on("change:selected", draw);
  draw();
}

export default { render };
