// The budgets of the programs: what is spent, what is left, and what happens at the limit.

import { fill, make, sentence } from "./dom.js";

const NEARLY = 0.8;
const COLUMNS = [
  { title: "spent", text: (row) => row.spent.text, class: "cost" },
  { title: "limit", text: (row) => row.limit?.text ?? "-" },
  { title: "left", text: (row) => row.left?.text ?? "-", hot: (row) => row.used >= 1, warn: (row) => row.used >= NEARLY },
  { title: "used", text: (row) => row.used_text, class: "wide" },
  { title: "resets in", text: (row) => row.resets, class: "wide" },
  { title: "at the limit", text: (row) => row.at_limit, class: "wide" },
];

/** Fill in the table of budgets. It is left out where no program has set one. */
export function budgets(place, content) {
  place.hidden = !content || !(content.rows.length || content.problems.length);
  if (place.hidden) return;
  const head = make("div", { class: "head" }, make("h2", { id: "title-budgets" }, "Budgets"));
  const problems = content.problems.map((text) => make("p", { class: "note warn" }, sentence(text)));
  fill(place, head, content.rows.length ? make("div", { class: "scroll" }, grid(content.rows)) : null, ...problems);
}

function grid(rows) {
  const several = new Set(rows.map((row) => row.source)).size > 1;
  return make(
    "table",
    {},
    make("caption", { class: "unseen" }, "Budgets by the part that is used"),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "budget"), COLUMNS.map((column) => make("th", { scope: "col", class: `right ${column.class ?? ""}` }, column.title)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, name(row, several), COLUMNS.map((column) => cell(column, row))))),
  );
}

function name(row, several) {
  const line = make("span", { class: "share", "aria-hidden": "true" });
  line.style.setProperty("--share", (row.used ?? 0).toFixed(4));
  const under = several ? make("span", { class: "under" }, row.source) : null;
  return make("th", { scope: "row", class: "name" }, row.name, under, line);
}

function cell(column, row) {
  const mood = column.hot?.(row) ? " hot" : column.warn?.(row) ? " warn" : "";
  return make("td", { class: `right ${column.class ?? ""}${mood}` }, column.text(row));
}
