// Word of what has changed, while somebody looks at the page.

let source = null;
let seen = "";

/** Listen from a state of the files on; `changed` is called for another one, `told` with how it goes. */
export function follow(state, changed, told) {
  seen = state;
  if (source !== null || document.hidden) return;
  const opened = new EventSource(`api/events?seen=${encodeURIComponent(seen)}`);
  source = opened;
  opened.addEventListener("open", () => told("live"));
  opened.addEventListener("change", (event) => {
    if (event.data !== seen) changed();
  });
  opened.addEventListener("error", () => {
    if (opened !== source) return;
    const ended = opened.readyState === EventSource.CLOSED;
    if (ended) rest();
    told(ended ? "ended" : "waiting");
  });
}

/** Stop listening. */
export function rest() {
  source?.close();
  source = null;
}
