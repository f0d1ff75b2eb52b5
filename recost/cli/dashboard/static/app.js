// The page: asks for a view of what its URL says, shows it, and asks again when files have changed.

import { dataTable, draw, legend } from "./charts.js";
import { byId, count, fill, keepingFocus, make, percent, sentence } from "./dom.js";
import { follow, rest } from "./live.js";
import { FILTERS, PERIODS, current, drillDown, look, moves, onLook, remove, set } from "./look.js";
import { table } from "./tables.js";

const QUIET_MS = 30_000;
const AGAIN_MS = 60_000;
const PAUSE_MS = 400;
const SOURCES = [
  ["reported_usd", "reported by the API", "good"],
  ["computed_usd", "computed from usage", "s0"],
  ["estimated_usd", "estimated per call", "s3"],
  ["unstated_usd", "source not stated", "s7"],
];
const NAMES = { provider: "Provider", endpoint: "Endpoint", model: "Model", tag: "Tag", env: "Environment", project: "Project" };

let view = null;
let asking = null;
let again = false;
let announced = { at: 0, text: "" };

async function load({ asked = false } = {}) {
  if (asking !== null) {
    if (!asked) {
      again = true;
      return;
    }
    asking.abort();
  }
  const begun = performance.now();
  const mine = new AbortController();
  asking = mine;
  byId("main").setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`api/view${location.search}`, { signal: mine.signal, cache: "no-store" });
    const found = response.headers.get("content-type")?.includes("json") ? await response.json() : { error: await response.text() };
    if (mine !== asking) return;
    if (response.ok) show(found, asked);
    else problem(found.error, response.status);
  } catch (error) {
    if (error.name === "AbortError") return;
    tell("waiting");
    if (view === null) problem("The dashboard does not answer. Is `recost dashboard` still running?", 0);
  }
  asking = null;
  byId("main").setAttribute("aria-busy", "false");
  if (again) {
    again = false;
    setTimeout(load, Math.max(PAUSE_MS, 3 * (performance.now() - begun)));
  }
}

function show(found, asked) {
  view = found;
  keepingFocus(() => {
    byId("problem").hidden = true;
    controls();
    chips();
    about();
    const some = !found.empty && (found.total.calls > 0 || Number(found.total.cost_usd.usd) > 0);
    byId("content").hidden = !some;
    byId("empty").hidden = some;
    if (some) content();
    else nothing();
  });
  follow(found.state, load, tell);
  announce(asked);
}

function content() {
  figures();
  spend();
  latency();
  errors();
  for (const [kind, rows] of Object.entries(view.tables)) table(byId(`table-${kind}`), kind, rows, view);
}

function figures() {
  const total = view.total;
  byId("spend").textContent = total.cost_usd.text;
  byId("spend").title = `$${total.cost_usd.usd}`;
  byId("spend-note").textContent = total.change === undefined ? span() : `${changed(total.change)} the period before (${total.before.text})`;
  byId("calls").textContent = count(total.calls);
  byId("calls-note").textContent = total.bytes_up === null ? "" : `${total.bytes_up.text} sent, ${total.bytes_down.text} received`;
  byId("errors").textContent = total.errors === null ? "-" : count(total.errors);
  byId("errors-note").textContent = total.errors === null ? "Not told apart by model" : `${percent(total.errors, total.calls)} of calls`;
  byId("unpriced").textContent = count(total.unpriced);
  byId("unpriced-note").textContent = total.unpriced ? `${percent(total.unpriced, total.calls)} of calls; their cost is in no figure` : "Every call has a known price";
  byId("unpriced-card").classList.toggle("warned", total.unpriced > 0);
  sources(total);
}

function span() {
  const { names } = view.over_time;
  return names.length > 1 ? `${names[0]} to ${names[names.length - 1]}` : (names[0] ?? "");
}

const changed = (change) => (change === "=" ? "same as" : change === "new" ? "new against" : `${change} against`);

function sources(total) {
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
  const items = told.map(([field, text, mark]) =>
    make("li", {}, make("i", { class: `mark ${mark}` }), make("span", {}, text), make("b", {}, total[field].text)),
  );
  fill(byId("sources"), told.length ? [bar, make("ul", {}, items)] : make("p", { class: "note" }, "Nothing was charged"));
}

const MONEY = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });
const axisMoney = (amount) => (amount >= 10_000 ? `$${new Intl.NumberFormat("en-US", { notation: "compact" }).format(amount)}` : `$${MONEY.format(amount)}`);
const axisTime = (ms) => (ms >= 1000 ? `${MONEY.format(ms / 1000)} s` : `${MONEY.format(ms)} ms`);

function spend() {
  const { bucket, names, series: found, refused } = view.over_time;
  const by = current().get("by") ?? "provider";
  fill(
    byId("splits"),
    ["provider", "model"].map((name) =>
      make("button", { type: "button", "aria-pressed": String(name === by), onclick: () => set("by", name === "provider" ? null : name), data: { key: `by-${name}` } }, `By ${name}`),
    ),
  );
  const series = found.map((each, index) => ({
    name: each.name,
    mark: each.others ? "s7" : `s${index % 7}`,
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

function latency() {
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

function errors() {
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

function controls() {
  const asked = current();
  const since = asked.get("since");
  fill(
    byId("periods"),
    PERIODS.map(([value, text, title]) => {
      const pressed = (since ?? null) === value && !asked.has("until");
      const choose = () =>
        look((to) => {
          to.delete("until");
          if (value) to.set("since", value);
          else to.delete("since");
        });
      return make("button", { type: "button", title, "aria-label": title, "aria-pressed": String(pressed), onclick: choose, data: { key: `period-${value}` } }, text);
    }),
  );
  choice("project", "All projects", view.projects ?? []);
  choice("env", "All environments", view.environments ?? []);
}

function choice(name, all, names) {
  const chosen = current().getAll(name);
  const value = chosen.length === 1 ? chosen[0] : "";
  const known = [...new Set([...names.map((each) => each.replace(/[\\*]/g, "\\$&")), ...(value ? [value] : [])])];
  const options = known.map((each) => make("option", { value: each, selected: each === value }, each.replace(/\\([\\*])/g, "$1") || "(blank)"));
  fill(byId(name), make("option", { value: "", selected: !value }, chosen.length > 1 ? `${chosen.length} chosen` : all), options);
}

function chips() {
  const asked = current();
  const found = FILTERS.flatMap((name) => asked.getAll(name).map((value) => chip(NAMES[name], value, () => remove(name, value))));
  const period = [asked.get("since"), asked.get("until")];
  if (asked.has("until") || (asked.has("since") && !PERIODS.some(([value]) => value === asked.get("since")))) {
    const text = `${period[0] ?? "the beginning"} to ${period[1] ?? "now"}`;
    found.unshift(chip("Period", text, () => look((to) => ["since", "until"].forEach((name) => to.delete(name)))));
  }
  if (found.length > 1) found.push(make("button", { type: "button", class: "quiet", onclick: clear, data: { key: "clear" } }, "Clear all"));
  fill(byId("chips"), found);
  byId("chips").hidden = !found.length;
}

function chip(name, value, away) {
  return make(
    "button",
    { type: "button", class: "chip", title: "Remove this filter", "aria-label": `${name} ${value}: remove this filter`, onclick: away, data: { key: `chip-${name}-${value}` } },
    make("span", {}, `${name} `, make("b", {}, value)),
    make("span", { class: "cross", "aria-hidden": "true" }, "×"),
  );
}

function clear() {
  look((asked) => [...FILTERS, "since", "until"].forEach((name) => asked.delete(name)));
}

function nothing() {
  const filtered = !view.empty;
  fill(
    byId("empty"),
    make("h2", {}, filtered ? "No calls match" : "Nothing recorded yet"),
    filtered
      ? [make("p", {}, "No recorded call is in this period and meets all filters."), make("p", {}, make("button", { type: "button", class: "primary", onclick: clear }, "Show all calls"))]
      : [
          make("p", {}, "This page fills itself as soon as the first calls are recorded. Put this at the start of a program and run it:"),
          make("pre", { tabindex: "0" }, make("code", {}, "import recost\nrecost.init()")),
          make("p", {}, "Or see it with calls to a local server, no keys needed:"),
          make("pre", { tabindex: "0" }, make("code", {}, "recost demo")),
          make("p", { class: "note" }, "Watching ", make("code", {}, view.folder), ". RECOST_LOCAL_DIR, or a path after recost dashboard, chooses another folder."),
        ],
  );
}

function about() {
  if (view.empty) return fill(byId("about"), `recost ${view.version}`);
  const bad = [[view.bad_lines, "line"], [view.bad_metrics, "metric"]].filter(([number]) => number);
  const left = bad.map(([number, what]) => `${count(number)} ${what}${number > 1 ? "s" : ""}`).join(" and ");
  return fill(
    byId("about"),
    make("p", {}, `Times are ${view.zone}. Latencies are means of the windows' percentiles, weighted by calls.`),
    left ? make("p", { class: "warn" }, `${left} that could not be read; recost report -v names them.`) : null,
    make("p", {}, `recost ${view.version}`),
  );
}

function problem(text, status) {
  fill(
    byId("problem"),
    make("p", {}, sentence(text.trim())),
    status === 400 ? make("button", { type: "button", class: "primary", onclick: () => look((asked) => [...asked.keys()].forEach((name) => asked.delete(name))) }, "Clear all filters") : null,
  );
  byId("problem").hidden = false;
  byId("content").hidden = true;
  byId("empty").hidden = true;
  chips();
  if (view === null) view = { projects: [], environments: [] };
  controls();
}

function tell(state) {
  byId("live").dataset.state = state;
  const texts = { live: `Live, ${view?.now ?? ""}`.replace(/, $/, ""), waiting: "Reconnecting", ended: "Ended" };
  byId("live-text").textContent = texts[state];
}

/** Say the total to screen readers: at once when it was asked for, else now and then. */
function announce(asked) {
  if (byId("live").dataset.state === "live") tell("live");
  if (view.empty) return;
  const text = `${view.total.cost_usd.text} spent, ${count(view.total.calls)} calls`;
  if (text === announced.text || (!asked && Date.now() - announced.at < QUIET_MS)) return;
  announced = { at: Date.now(), text };
  byId("announce").textContent = text;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

function theme() {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen ? chosen === "dark" : dark.matches;
  byId("theme").textContent = isDark ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", isDark ? "Use light colours" : "Use dark colours");
  return isDark;
}

function repaint() {
  theme();
  if (view?.total) content();
}

byId("theme").addEventListener("click", () => {
  const chosen = theme() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("recost-theme", chosen);
  } catch (error) {
    console.info("recost: the browser keeps no settings", error.name);
  }
  keepingFocus(repaint);
});
dark.addEventListener("change", repaint);

byId("dates-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = new FormData(event.target);
  look((to) => {
    for (const name of ["since", "until"]) {
      if (asked.get(name)) to.set(name, asked.get(name));
      else to.delete(name);
    }
  });
  byId("dates").open = false;
});
byId("dates").addEventListener("toggle", () => {
  for (const name of ["since", "until"]) {
    const value = current().get(name) ?? "";
    byId("dates-form").elements[name].value = /^\d{4}-\d{2}-\d{2}/.test(value) ? value.slice(0, 10) : "";
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("dates").open) {
    byId("dates").open = false;
    byId("dates").querySelector("summary").focus();
  }
});
for (const name of ["project", "env"]) byId(name).addEventListener("change", (event) => set(name, event.target.value));

document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest();
  else load();
});
setInterval(() => {
  if (moves() && !document.hidden) load();
}, AGAIN_MS);

onLook(() => load({ asked: true }));
theme();
load({ asked: true });
