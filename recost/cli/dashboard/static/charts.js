// Charts: uPlot, with bars of equal steps; each has a text and a table beside it.

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { fill, make } from "./dom.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const FONT = "12px system-ui, sans-serif";
const LABEL_PX = 72;
const FEW = 40; // steps, each of which has a point
const AXIS_PX = 64;
const drawn = new Map();
const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = drawn.get(target);
    if (chart && target.clientWidth && chart.width !== target.clientWidth) {
      chart.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  }
});

/** Return a colour of the style sheet as the canvas takes it. */
function colour(name) {
  const probe = make("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const day = (name) => `${MONTHS[Number(name.slice(5, 7)) - 1]} ${Number(name.slice(8, 10))}`;

/** Return what stands under a step on the axis. */
function label(bucket, name) {
  if (bucket === "month") return `${MONTHS[Number(name.slice(5, 7)) - 1]} ${name.slice(0, 4)}`;
  if (bucket === "minute") return name.slice(11);
  if (bucket === "hour") return name.endsWith("00:00") ? day(name) : name.slice(11);
  return day(name);
}

/** Return every n-th step, so that their labels have room, and always the last. */
function splits(bucket, names) {
  return (plot) => {
    const room = Math.max(1, Math.floor(plot.bbox.width / devicePixelRatio / LABEL_PX));
    const nice = { minute: [1, 5, 10, 15, 30], hour: [1, 2, 3, 6, 12, 24], day: [1, 2, 7, 14, 28] }[bucket] ?? [1, 2, 3, 6, 12];
    const every = nice.find((each) => names.length / each <= room) ?? Math.ceil(names.length / room);
    const offset = bucket === "hour" ? (every - (Number(names[0]?.slice(11, 13)) % every)) % every : 0;
    const last = names.length - 1;
    const found = names.map((_, index) => index).filter((index) => index >= offset && (index - offset) % every === 0);
    const step = plot.bbox.width / devicePixelRatio / names.length;
    while (found.length && (last - found[found.length - 1]) * step < LABEL_PX) found.pop();
    return [...found, last];
  };
}

/** Return the room to the right that the last label needs beyond its step. */
function overhang(bucket, names, width) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = FONT;
  const text = pen.measureText(label(bucket, names[names.length - 1])).width;
  return Math.max(8, Math.ceil((text - (width - AXIS_PX) / names.length) / 2) + 2);
}

function tooltip(title, rows) {
  const box = make("div", { class: "tip", hidden: true });
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: (plot) => {
        const index = plot.cursor.idx;
        const lines = index === null || index === undefined ? [] : rows(index);
        box.hidden = !lines.length;
        if (box.hidden) return;
        fill(
          box,
          make("strong", {}, title(index)),
          lines.map(({ name, text, mark }) =>
            make("div", {}, make("i", { class: `mark ${mark}` }), make("span", {}, name), make("b", {}, text)),
          ),
        );
        const left = plot.valToPos(index, "x");
        const right = left + box.offsetWidth + 16 > plot.over.clientWidth;
        const at = right ? left - box.offsetWidth - 12 : left + 12;
        box.style.transform = `translate(${Math.max(-40, at)}px, 4px)`;
      },
    },
  };
}

/**
 * Draw a chart in place of what was there.
 *
 * `kind` is "bars", which are stacked, or "lines"; `series` have a name, a mark (the class of their colour),
 * values and texts; `value` formats what stands on the axis.
 */
export function draw(place, { kind, bucket, names, series, value, text }) {
  const blank = !names.length || !series.length;
  place.classList.toggle("blank", blank);
  const { clientWidth: width, clientHeight: height } = place; // on paper it is as high as the chart in it
  drawn.get(place)?.destroy();
  drawn.delete(place);
  place.parentElement.querySelector("details").hidden = blank;
  if (blank) {
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
    fill(place, make("p", { class: "nothing" }, text));
    return;
  }
  fill(place);
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", text);
  const options = {
    width,
    height,
    padding: [8, (plot) => overhang(bucket, names, plot.width), 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: kind === "lines" } },
    scales: { x: { time: false, range: () => [-0.5, names.length - 0.5] }, y: { range: (_, __, top) => [0, top > 0 ? top * 1.05 : 1] } },
    axes: axes(bucket, names, value),
    series: [{}, ...(kind === "bars" ? bars(series) : lines(series, names.length))],
    plugins: [
      tooltip(
        (index) => names[index],
        (index) =>
          series
            .map((each) => ({ name: each.name, text: each.texts[index], mark: each.mark, shown: each.values[index] }))
            .filter((each) => each.text !== null && (each.shown || series.length < 3)),
      ),
    ],
  };
  const data = kind === "bars" ? stacked(series) : series.map((each) => each.values);
  drawn.set(place, new uPlot(options, [names.map((_, index) => index), ...data], place));
  watcher.observe(place);
}

function axes(bucket, names, value) {
  const muted = colour("muted");
  const grid = { stroke: colour("line"), width: 1 };
  const font = FONT;
  return [
    {
      stroke: muted,
      font,
      grid: { show: false },
      ticks: { show: false },
      gap: 8,
      size: 32,
      splits: splits(bucket, names),
      values: (_, found) => found.map((index) => label(bucket, names[index])),
    },
    { stroke: muted, font, grid, ticks: { show: false }, size: AXIS_PX, space: 40, values: (_, found) => found.map(value) },
  ];
}

/** The highest sums first: each lower one is drawn over the foot of the one before. */
function stacked(series) {
  const sums = [];
  series.forEach((each, row) => sums.push(each.values.map((value, index) => value + (row ? sums[row - 1][index] : 0))));
  return sums.reverse();
}

function bars(series) {
  const paths = uPlot.paths.bars({ size: [0.72, 48] });
  return [...series].reverse().map(({ mark }) => {
    const fillColour = colour(mark);
    return { paths, fill: fillColour, stroke: fillColour, width: 0, points: { show: false } };
  });
}

function lines(series, steps) {
  return series.map(({ mark, dash, values }) => {
    const stroke = colour(mark);
    const points = steps < FEW ? null : { filter: () => ends(values) };
    return { stroke, width: 2, dash, points: { show: true, size: 6, width: 0, fill: stroke, ...points } };
  });
}

/** Return the steps at which a line begins or ends: a value on its own has no line at all. */
function ends(values) {
  const known = (index) => (values[index] ?? null) !== null;
  return [...values.keys()].filter((index) => known(index) && !(known(index - 1) && known(index + 1)));
}

/** Fill in what each colour means; entries with filters are buttons. */
export function legend(place, series, drill) {
  fill(
    place,
    series.map(({ name, mark, note, filter }) => {
      const inside = [make("i", { class: `mark ${mark}` }), make("span", { class: "name" }, name), note ? make("b", {}, note) : null];
      if (!filter) return make("li", {}, make("span", { class: "entry" }, inside));
      const button = { type: "button", class: "entry", title: `Show ${name} only`, onclick: () => drill([filter]), data: { key: `legend-${filter}` } };
      return make("li", {}, make("button", button, inside));
    }),
  );
}

/** Fill in a chart's content as a table. */
export function dataTable(place, caption, names, series) {
  fill(
    place,
    make(
      "table",
      {},
      make("caption", { class: "unseen" }, caption),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "time"), series.map((each) => make("th", { scope: "col", class: "right" }, each.name)))),
      make(
        "tbody",
        {},
        names.map((name, index) =>
          make("tr", {}, make("th", { scope: "row" }, name), series.map((each) => make("td", { class: "right" }, each.texts[index] ?? "-"))),
        ),
      ),
    ),
  );
}
