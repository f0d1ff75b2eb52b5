// Elements without markup in strings: what files hold is only ever text.

export const byId = (id) => document.getElementById(id);

/** Make an element: attributes by name, `on…` for listeners, `data` for data attributes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put children in place of what an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/** Do something that makes elements anew, and have the focus stay where it was. */
export function keepingFocus(render) {
  const active = document.activeElement;
  const key = active?.dataset?.key;
  render();
  if (key === undefined || active.isConnected) return;
  const same = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  (same ?? byId("main")).focus({ preventScroll: true });
}

/** Return a text with a capital first letter and a full stop. */
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;

const COUNT = new Intl.NumberFormat("en-US");

export const count = (number) => COUNT.format(number);

/** Return a share of calls in per cent. */
export function percent(part, whole) {
  if (!whole) return "0%";
  const share = (part / whole) * 100;
  return part === 0 || share >= 9.95 ? `${share.toFixed(0)}%` : share < 0.1 ? "<0.1%" : `${share.toFixed(1)}%`;
}
