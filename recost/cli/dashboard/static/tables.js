// Tables of who spends what: a name drills down, figures stand to the right.

import { count, fill, make, sentence } from "./dom.js";
import { drillDown, look, set } from "./look.js";

const TITLES = { provider: "Providers", model: "Models", endpoint: "Endpoints", route: "Routes", tag: "Tags" };
const HEADS = { provider: "provider", model: "model", endpoint: "endpoint", route: "route" };
const HINTS = {
  model: "No models are told apart in these calls.",
  route: "No routes yet: the FastAPI, Flask and Django integrations tell which route makes a call.",
  tag: "No tags yet: recost.tag(tenant=\"acme\") around calls tells who they are made for.",
};

/** Return why a table is empty: what was never recorded is another thing than what these calls lack. */
function hint(kind, view) {
  if (kind === "route" && view.tags.includes("route")) return "None of these calls has a route.";
  if (kind === "tag" && view.tag !== null) return `None of these calls has the tag ${view.tag}.`;
  return HINTS[kind];
}

const MANY = 0.05;

const money = (cell) => (cell === null ? null : cell.text);
const number = (cell) => (cell === null ? null : count(cell));
const COLUMNS = [
  { title: "calls", text: (row) => number(row.calls) },
  { title: "errors", text: (row) => number(row.errors), hot: (row) => row.errors > MANY * row.calls, class: "wide errors" },
  { title: "p50", text: (row) => money(row.p50_ms), class: "p50" },
  { title: "p95", text: (row) => money(row.p95_ms), class: "wide p95" },
  { title: "unpriced", text: (row) => number(row.unpriced), only: (total) => total.unpriced > 0, warn: (row) => row.unpriced > 0 },
  { title: "cost", text: (row) => money(row.cost_usd), class: "cost" },
  { title: "share", text: (row) => row.share ?? "", class: "wide" },
];

/** Fill in the table of one kind. */
export function table(place, kind, content, view) {
  const head = make("div", { class: "head" }, make("h2", { id: `title-${kind}` }, TITLES[kind]), kind === "tag" ? chooser(view) : null);
  if (content === null) return fill(place, head, make("p", { class: "nothing" }, hint(kind, view)));
  if (content.refused) return fill(place, head, make("p", { class: "nothing" }, sentence(content.refused)));
  const unnamed = content.rows.filter(counts).every((row) => row.names.every((name) => name === null));
  if (unnamed && HINTS[kind]) return fill(place, head, make("p", { class: "nothing" }, hint(kind, view)));
  const scroll = make("div", { class: "scroll" }, grid(kind, content, view));
  fill(place, head, scroll, more(kind, content));
  fit(scroll);
  fitting.observe(place);
}

const fitting = new ResizeObserver((entries) => {
  for (const { target } of entries) fit(target.querySelector(".scroll"));
});

/** Leave out the columns that matter least, until the cost and its share have room. */
function fit(scroll) {
  if (scroll === null) return;
  for (const left of ["", "p50", "p50 p95", "p50 p95 errors"]) {
    scroll.dataset.left = left;
    if (scroll.scrollWidth <= scroll.clientWidth) return;
  }
}

function chooser(view) {
  const names = view.tags;
  if (view.tag === null) return null;
  const options = names.map((name) => make("option", { value: name, selected: name === view.tag }, name));
  const select = make("select", { onchange: (event) => set("tagname", event.target.value), data: { key: "tagname" } }, options);
  return make("label", { class: "choice" }, make("span", {}, "Tag"), select);
}

function grid(kind, content, view) {
  const columns = COLUMNS.filter(
    (column) => (column.only?.(content.total) ?? true) && content.rows.some((row) => column.text(row) !== null),
  );
  const title = kind === "tag" ? view.tag : HEADS[kind];
  const cells = (row) => columns.map((column) => cell(column, row));
  return make(
    "table",
    {},
    make("caption", { class: "unseen" }, `${TITLES[kind]} by cost`),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, title), columns.map((column) => make("th", { scope: "col", class: `right ${column.class ?? ""}` }, column.title)))),
    make(
      "tbody",
      {},
      content.rows.filter(counts).map((row) => make("tr", {}, name(kind, row), cells(row))),
      content.rest ? make("tr", { class: "rest" }, make("th", { scope: "row" }, content.rest.groups === 1 ? "1 other" : `${count(content.rest.groups)} others`), cells(content.rest)) : null,
    ),
    make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "total"), cells(content.total))),
  );
}

/** Whether there is anything to see: a breakdown may leave nothing of a metric but its bytes. */
const counts = (row) => row.calls !== 0 || row.unpriced !== 0 || Number(row.cost_usd.usd) !== 0;

function cell(column, row) {
  const text = column.text(row) ?? "-";
  const mood = column.hot?.(row) ? " hot" : column.warn?.(row) ? " warn" : "";
  return make("td", { class: `right ${column.class ?? ""}${mood}` }, text);
}

function name(kind, row) {
  const shown = row.shown[row.shown.length - 1];
  const under = row.shown.length > 1 ? make("span", { class: "under" }, row.shown[0]) : null;
  const line = make("span", { class: "share", "aria-hidden": "true" });
  line.style.setProperty("--share", row.width.toFixed(4));
  const inside = row.filters
    ? make(
        "button",
        { type: "button", class: "drill", title: "Show these calls only", onclick: () => drillDown(row.filters), data: { key: `${kind}-${row.filters}` } },
        shown,
      )
    : make("span", { class: "plain" }, shown);
  return make("th", { scope: "row", class: "name" }, inside, under, line);
}

function more(kind, content) {
  const whole = new URLSearchParams(location.search).getAll("whole").includes(kind);
  if (!content.rest && !whole) return null;
  const flip = () =>
    look((asked) => {
      const others = asked.getAll("whole").filter((each) => each !== kind);
      asked.delete("whole");
      (whole ? others : [...others, kind]).forEach((each) => asked.append("whole", each));
    });
  const text = whole ? "Show fewer" : `Show all ${TITLES[kind].toLowerCase()}`;
  return make("button", { type: "button", class: "quiet more", onclick: flip, data: { key: `whole-${kind}` } }, text);
}
