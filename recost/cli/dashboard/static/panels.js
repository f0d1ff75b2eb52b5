// The figures, the charts and the tables of a view.

import { dataTable, draw, legend } from "./charts.js";
import { byId, count, fill, make, percent, sentence } from "./dom.js";
import { current, drillDown, set } from "./look.js";
import { budgets } from "./budgets.js";
import { table } from "./tables.js";

const SOURCES = [
  ["reported_usd", "reported by the API", "good"],
  ["computed_usd", "computed from usage", "s0"],
  ["estimated_usd", "estimated", "s3"],
  ["unstated_usd", "source not stated", "s7"],
];

/** Fill in everything that has figures. */
export function panels(view) {
  figures(view);
  spend(view);
  latency(view);
  errors(view);
  budgets(byId("budgets"), view.budgets);
  for (const [kind, rows] of Object.entries(view.tables)) table(byId(`table-${kind}`), kind, rows, view);
}

function figures(view) {
  const total = view.total;
  byId("spend").textContent = total.cost_usd.text;
  byId("spend").title = `$${total.cost_usd.usd}`;
  byId("spend-note").textContent = total.change === undefined || total.change === "-" ? span(view) : `${changed(total.change)} the period before (${total.before.text})`;
  byId("calls").textContent = count(total.calls);
  byId("calls-note").textContent = total.bytes_up === null ? "" : `${total.bytes_up.text} sent, ${total.bytes_down.text} received`;
  byId("errors").textContent = total.errors === null ? "-" : count(total.errors);
  byId("errors-note").textContent = total.errors === null ? "Not told apart by model" : `${percent(total.errors, total.calls)} of calls`;
  byId("unpriced").textContent = count(total.unpriced);
  byId("unpriced-note").textContent = total.unpriced ? `${percent(total.unpriced, total.calls)} of calls, not included in the cost` : "Every call has a known price";
  byId("unpriced-card").classList.toggle("warned", total.unpriced > 0);
  sources(total, view);
}

function span(view) {
  const { names } = view.over_time;
  return names.length > 1 ? `${names[0]} to ${names[names.length - 1]}` : (names[0] ?? "");
}

const changed = (change) => (change === "=" ? "same as" : change === "new" ? "new against" : `${change} against`);

function sources(total, view) {
  if (total.reported_usd === null) {
    fill(byId("sources"), make("p", { class: "note" }, sentence(view.sources)));
    return;
  }
  const told = SOURCES.filter(([field]) => Number(total[field].usd) > 0);
  const bar = make("div", { class: "split", "aria-hidden": "true" });
  for (const [field, , mark] of told) {
    const part = make("i", { class: mark });
    part.style.flexGrow = String(Number(total[field].usd) / Number(total.cost_usd.usd));
    bar.append(part);
  }
  const items = told.map(([field, name, mark]) =>
    make("li", {}, make("i", { class: `mark ${mark}` }), make("span", {}, name), make("b", {}, total[field].text)),
  );
  const flat = view.flat ? [make("p", { class: "note", id: "flat" }, view.flat)] : [];
  fill(byId("sources"), told.length ? [bar, make("ul", {}, items), ...flat] : make("p", { class: "note" }, sentence(view.sources)));
}

const MONEY = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });
const axisMoney = (amount) => (amount >= 10_000 ? `$${new Intl.NumberFormat("en-US", { notation: "compact" }).format(amount)}` : `$${MONEY.format(amount)}`);
const axisTime = (ms) => (ms >= 1000 ? `${MONEY.format(ms / 1000)} s` : `${MONEY.format(ms)} ms`);

function spend(view) {
  const { bucket, names, series: found, refused } = view.over_time;
  const by = current().get("by") ?? "provider";
  fill(
    byId("splits"),
    ["provider", "model"].map((name) =>
      make("button", { type: "button", "aria-pressed": String(name === by), onclick: () => set("by", name === "provider" ? null : name), data: { key: `by-${name}` } }, `By ${name}`),
    ),
  );
  const series = found.map((each) => ({
    name: each.name,
    mark: `s${each.colour}`,
    values: each.cost.map((amount) => Number(amount.usd)),
    texts: each.cost.map((amount) => amount.text),
    note: each.total.text,
    filter: each.filter,
  }));
  const text = refused ? sentence(refused) : `Spend per ${bucket}, ${names.length} ${names.length === 1 ? bucket : `${bucket}s`}, ${view.total.cost_usd.text} in all. The table below has each value.`;
  draw(byId("spend-chart"), { kind: "bars", bucket, names, series, value: axisMoney, text });
  legend(byId("spend-legend"), series, drillDown);
  dataTable(byId("spend-data"), `Spend per ${bucket}`, names, series);
}

function latency(view) {
  const { bucket, names, steps } = view.over_time;
  const line = (name, field, mark, dash) => ({
    name,
    mark,
    dash,
    values: steps.map((step) => step?.[field]?.ms ?? null),
    texts: steps.map((step) => step?.[field]?.text ?? null),
    note: view.total[field]?.text,
  });
  const all = [line("p95", "p95_ms", "s1"), line("p50", "p50_ms", "s0", [6, 4])];
  const known = all.some((each) => each.values.some((value) => value !== null));
  const text = known
    ? `Latency per ${bucket}: p50 ${all[1].note}, p95 ${all[0].note} over all calls.`
    : "A breakdown by model or tag does not tell latencies.";
  draw(byId("latency-chart"), { kind: "lines", bucket, names, series: known ? all : [], value: axisTime, text });
  legend(byId("latency-legend"), known ? all : []);
  dataTable(byId("latency-data"), `Latency per ${bucket}`, names, all);
}

function errors(view) {
  const { bucket, names, steps } = view.over_time;
  const known = view.total.errors !== null;
  const one = {
    name: "errors",
    mark: "bad",
    values: steps.map((step) => step?.errors ?? 0),
    texts: steps.map((step) => (step ? `${count(step.errors ?? 0)} of ${count(step.calls)} (${percent(step.errors ?? 0, step.calls)})` : "0")),
    note: known ? count(view.total.errors) : "",
  };
  const text = known ? `Errors per ${bucket}: ${one.note} in all.` : "A breakdown by model does not tell errors.";
  const axis = (value) => (Number.isInteger(value) ? count(value) : "");
  draw(byId("errors-chart"), { kind: "bars", bucket, names, series: known ? [one] : [], value: axis, text });
  legend(byId("errors-legend"), known ? [one] : []);
  dataTable(byId("errors-data"), `Errors per ${bucket}`, names, known ? [one] : []);
}
