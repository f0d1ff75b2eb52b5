// What is looked at is in the page's URL: back, reload and bookmarks come for free.

export const FILTERS = ["provider", "endpoint", "model", "tag", "env", "project"];
export const PERIODS = [
  ["1h", "1h", "Last hour"],
  ["last-24-hours", "24h", "Last 24 hours"],
  ["last-7-days", "7d", "Last 7 days"],
  ["last-30-days", "30d", "Last 30 days"],
  ["this-month", "Month", "This month"],
  [null, "All", "All time"],
];
const RELATIVE = /^(\d+[mhdw]|today|this-week|this-month|last-\d+-(days|hours))$/;

const listeners = [];

export const current = () => new URLSearchParams(location.search);

/** Call a function whenever something else is looked at. */
export function onLook(listener) {
  listeners.push(listener);
}

/** Look at something else: `change` gets the parameters. */
export function look(change) {
  const asked = current();
  change(asked);
  const query = asked.toString();
  if (query === current().toString()) return;
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  listeners.forEach((listener) => listener());
}

addEventListener("popstate", () => listeners.forEach((listener) => listener()));

/** Add filters; those that are there stay. */
export function drillDown(filters) {
  look((asked) => {
    for (const [name, value] of filters) {
      if (!asked.getAll(name).includes(value)) {
        if (name !== "tag") asked.delete(name); // narrower, not wider
        asked.append(name, value);
      }
    }
  });
}

/** Set a parameter, or take it away. */
export function set(name, value) {
  look((asked) => (value ? asked.set(name, value) : asked.delete(name)));
}

/** Take one of a parameter's values away. */
export function remove(name, value) {
  look((asked) => {
    const others = asked.getAll(name).filter((each) => each !== value);
    asked.delete(name);
    others.forEach((each) => asked.append(name, each));
  });
}

/** Whether the period goes on as time passes. */
export function moves() {
  const asked = current();
  return RELATIVE.test(asked.get("since") ?? "");
}
