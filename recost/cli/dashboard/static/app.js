// The page: asks for a view of what its URL says, shows it, and asks again when files have changed.

import { byId, count, fill, keepingFocus, make, sentence } from "./dom.js";
import { follow, rest } from "./live.js";
import { FILTERS, PERIODS, current, look, moves, onLook, remove, set } from "./look.js";
import { panels } from "./panels.js";

const QUIET_MS = 30_000;
const AGAIN_MS = 60_000;
const PAUSE_MS = 400;
const GONE_MS = 3_000;
const NAMES = { provider: "Provider", endpoint: "Endpoint", model: "Model", tag: "Tag", env: "Environment", project: "Project" };

let view = null;
let asking = null;
let again = false;
let earliest = 0;
let planned = null;
let announced = { at: 0, text: "" };
let missing = null;

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
    if (asked || view === null) problem("The dashboard does not answer. Is `recost dashboard` still running?", 0);
  }
  asking = null;
  byId("main").setAttribute("aria-busy", "false");
  const took = performance.now() - begun;
  earliest = performance.now() + Math.max(PAUSE_MS, 3 * took); // others want to read the files, too
  if (again) {
    again = false;
    refresh();
  }
}

/** Ask again for what is shown: soon, and once. */
function refresh() {
  planned ??= setTimeout(() => {
    planned = null;
    load();
  }, Math.max(0, earliest - performance.now()));
}

function show(found, asked) {
  view = found;
  keepingFocus(() => {
    byId("problem").hidden = true;
    byId("leave").hidden = !found.leave;
    controls();
    chips();
    about();
    const some = !found.empty && (found.total.calls > 0 || Number(found.total.cost_usd.usd) > 0);
    byId("content").hidden = !some;
    byId("empty").hidden = some;
    if (some) panels(view);
    else nothing();
  });
  follow(found.state, refresh, tell);
  announce(asked);
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
          view.folder ? make("p", { class: "note" }, "Watching ", make("code", {}, view.folder), ". RECOST_LOCAL_DIR, or a path after recost dashboard, chooses another folder.") : null,
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
  byId("gone").hidden = true;
  byId("content").hidden = true;
  byId("empty").hidden = true;
  chips();
  if (view === null) view = { projects: [], environments: [] };
  controls();
}

function tell(state) {
  byId("live").dataset.state = state;
  const texts = { live: `Live, ${view?.now ?? ""}`.replace(/, $/, ""), waiting: byId("gone").hidden ? "Reconnecting" : "Not connected", ended: "Not connected" };
  byId("live-text").textContent = texts[state];
  if (state === "live") {
    clearTimeout(missing);
    missing = null;
    byId("gone").hidden = true;
  } else {
    missing ??= setTimeout(gone, state === "ended" ? 0 : GONE_MS);
  }
}

/** Say that what is shown is old; it stays. */
function gone() {
  byId("live-text").textContent = "Not connected";
  const since = view?.now ? ` These figures are from ${view.now}.` : "";
  const ended = byId("live").dataset.state === "ended";
  const how = view?.leave ? "Load it again, or sign in again." : ended ? "Open the address that `recost dashboard` shows." : "Is `recost dashboard` still running?";
  fill(byId("gone"), make("p", {}, `The dashboard does not answer.${since} ${how}`));
  byId("gone").hidden = !byId("problem").hidden;
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
  if (view?.total) panels(view);
}

byId("leave").addEventListener("click", () => {
  fetch(view.leave, { method: "POST", redirect: "manual" }).finally(() => location.assign("/"));
});

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

// Charts are pictures with their colours in them: on paper they are the light ones.
let onScreen = null;
function print() {
  if (onScreen !== null) return;
  onScreen = { theme: document.documentElement.dataset.theme };
  document.documentElement.dataset.theme = "light";
  repaint();
}
function printed() {
  if (onScreen === null) return;
  if (onScreen.theme) document.documentElement.dataset.theme = onScreen.theme;
  else delete document.documentElement.dataset.theme;
  onScreen = null;
  repaint();
}
addEventListener("beforeprint", print);
addEventListener("afterprint", printed);

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
// Before it opens: "toggle" comes later, and would take away what was entered meanwhile.
byId("dates").querySelector("summary").addEventListener("click", () => {
  if (byId("dates").open) return;
  for (const name of ["since", "until"]) {
    const value = current().get(name) ?? "";
    byId("dates-form").elements[name].value = /^\d{4}-\d{2}-\d{2}/.test(value) ? value.slice(0, 10) : "";
  }
});
/** The popover closes as soon as somebody goes elsewhere. */
for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => {
    if (!byId("dates").contains(event.target)) byId("dates").open = false;
  });
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && byId("dates").open) {
    byId("dates").open = false;
    byId("dates").querySelector("summary").focus();
  }
});
for (const name of ["project", "env"]) byId(name).addEventListener("change", (event) => set(name, event.target.value));

document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest();
  else refresh();
});
setInterval(() => {
  if (moves() && !document.hidden) refresh();
}, AGAIN_MS);

onLook(() => load({ asked: true }));
theme();
load({ asked: true });
