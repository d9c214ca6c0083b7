"use strict";
// Sorts and filters the tables of a page in place. All rows are in the page, nothing is fetched.
(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const element = (name, properties, ...inside) => {
    const created = Object.assign(document.createElement(name), properties);
    created.append(...inside);
    return created;
  };

  // Return the text of a cell without its second line.
  const value = (row, index) => {
    const first = row.cells[index].firstChild;
    return first && first.nodeType === Node.TEXT_NODE ? first.nodeValue.trim() : "";
  };

  const order = (row, index) => row.cells[index].dataset.order ?? value(row, index);

  // Cells without a value come last in both directions.
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * collator.compare(a, b);
  };

  const sortable = (table, body, head, index) => {
    const button = element("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const keyed = [...body.rows].map((row) => [order(row, index), row]);
      keyed.sort(([a], [b]) => compare(a, b, rising ? 1 : -1));
      body.append(...keyed.map(([, row]) => row));
    });
  };

  const filterable = (table, body) => {
    const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
    if (rows.length < 4) return; // a short table needs no controls
    const search = element("input", { type: "search", autocomplete: "off" });
    const count = element("output", {});
    count.setAttribute("aria-live", "polite");
    const choices = [];
    const filters = element("div", { className: "filters" }, element("label", {}, "Filter", search));
    filters.setAttribute("role", "search");
    filters.setAttribute("aria-label", table.caption.textContent);
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (!head.classList.contains("choice")) return;
      const values = [...new Set(rows.map(({ row }) => value(row, index)))].filter(Boolean).sort(collator.compare);
      if (values.length < 2) return;
      const select = element("select", {}, element("option", { value: "" }, "all"));
      select.append(...values.map((text) => element("option", { value: text }, text)));
      choices.push([select, index]);
      filters.append(element("label", {}, head.textContent, select));
    });
    filters.append(count);
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        const fits = words.every((word) => text.includes(word)) &&
          choices.every(([select, index]) => !select.value || select.value === value(row, index));
        row.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown} of ${rows.length}`;
    };
    filters.addEventListener("input", apply);
    apply();
    table.parentElement.before(filters);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("table.rows")) {
      const body = table.tBodies[0];
      filterable(table, body);
      [...table.tHead.rows[0].cells].forEach((head, index) => sortable(table, body, head, index));
    }
  });
})();
