// A chart of time as SVG, with the same values as a table for whoever does not see it. No library.
// A series: { name, points: [[unix ms, value]] }; where a stretch has no value the line breaks. `width` is in pixels.

import { make } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const EDGE = { top: 12, right: 10, bottom: 24, left: 52 };
const ROOM = 62; // a label and its distance to the next

const hourly = { hour: "2-digit", minute: "2-digit" };
const clock = new Intl.DateTimeFormat("en-GB", hourly);
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });
const whole = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", ...hourly });

// `scale` is made by `linear` or `logarithmic`; `text` turns a value into words.
export function chart({ title, series, from, to, step, width, scale, text, area = false }) {
  const x = (at) => EDGE.left + ((at - from) / (to - from)) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - scale.share(value) * (HEIGHT - EDGE.top - EDGE.bottom);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
  for (const tick of scale.ticks) picture.append(...rule(y(tick), (scale.text ?? text)(tick), width));
  for (const tick of times(from, to, width)) picture.append(...notch(x(tick), label(tick, to - from)));
  series.forEach(({ points }, n) => {
    for (const run of runs(points, step)) picture.append(...drawn(run, n, x, y, area, step));
  });
  const reading = make("p", { class: "reading" }, summary(series, text));
  follow(picture, reading, { series, from, to, step, text, width });
  const caption = make("figcaption", {}, make("h3", {}, title), legend(series), reading);
  return make("figure", { class: "chart" }, caption, picture, table(title, series, text));
}

export function linear(most) {
  const nice = niceAbove(most);
  return { share: (value) => Math.min(1, value / nice), ticks: [0, nice / 2, nice] };
}

// For what spans from a moment to days; everything below `least` lies on the ground.
// `marks` are [value, words], as many as `most` needs.
export function logarithmic(marks, most) {
  const needed = Math.max(3, marks.findIndex(([value]) => value >= most) + 1 || marks.length);
  const words = new Map(marks.slice(0, needed));
  const ticks = [...words.keys()];
  const least = Math.log(ticks[0]);
  const span = Math.log(ticks.at(-1)) - least;
  const share = (value) => Math.max(0, Math.min(1, (Math.log(Math.max(value, ticks[0])) - least) / span));
  return { share, ticks, text: (tick) => words.get(tick) };
}

function niceAbove(most) {
  if (most <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= most);
}

function times(from, to, width) {
  const room = Math.max(2, Math.floor(width / ROOM));
  const hours = [1, 2, 3, 4, 6, 12, 24, 48].find((each) => (to - from) / 3_600_000 / each <= room) ?? 48;
  const first = new Date(from);
  first.setMinutes(0, 0, 0);
  first.setHours(Math.ceil((first.getHours() + 1) / hours) * hours);
  const found = [];
  for (let at = first.getTime(); at <= to; at += hours * 3_600_000) found.push(at);
  return found;
}

const label = (at, span) => (span > 2 * 86_400_000 ? day : clock).format(at);

function runs(points, step) {
  const found = [];
  for (const [at, value] of points) {
    const last = found.at(-1);
    if (last && at - last.at(-1)[0] <= 2 * step) last.push([at, value]);
    else found.push([[at, value]]);
  }
  return found;
}

function drawn(run, n, x, y, area, step) {
  const line = run.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  const kind = `series s${n % 6}`;
  if (run.length === 1 && !area) {
    const [[at, value]] = run;
    return [svg("circle", { class: `${kind} dot`, cx: x(at), cy: y(value), r: 2.5 })];
  }
  if (!area) return [svg("polyline", { class: kind, points: line.join(" ") })];
  const steps = run.flatMap(([at, value]) => [`${x(at)},${y(value)}`, `${x(at + step)},${y(value)}`]);
  const ground = [`${x(run.at(-1)[0] + step)},${y(0)}`, `${x(run[0][0])},${y(0)}`];
  return [
    svg("polygon", { class: `${kind} filled`, points: [...steps, ...ground].join(" ") }),
    svg("polyline", { class: kind, points: steps.join(" ") }),
  ];
}

function rule(height, words, width) {
  const line = svg("line", { class: "rule", x1: EDGE.left, x2: width - EDGE.right, y1: height, y2: height });
  const text = svg("text", { class: "tick", x: EDGE.left - 8, y: height + 4, "text-anchor": "end" });
  text.textContent = words;
  return [line, text];
}

function notch(left, words) {
  const line = svg("line", { class: "rule", x1: left, x2: left, y1: HEIGHT - EDGE.bottom, y2: HEIGHT - EDGE.bottom + 4 });
  const text = svg("text", { class: "tick", x: left, y: HEIGHT - 6, "text-anchor": "middle" });
  text.textContent = words;
  return [line, text];
}

function legend(series) {
  return make("ul", { class: "legend" }, ...series.map(({ name }, n) => make("li", { class: `s${n % 6}` }, name)));
}

const newest = ({ name, points }, text) => (points.length ? `${name}: ${text(points.at(-1)[1])}` : null);

function summary(series, text) {
  const said = series.map((each) => newest(each, text)).filter(Boolean);
  return said.length ? `Newest – ${said.join(", ")}` : "Nothing yet.";
}

// The pointer reads the values of a moment.
function follow(picture, reading, { series, from, to, step, text, width }) {
  const rest = reading.textContent;
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width) * width;
    const at = from + ((share - EDGE.left) / (width - EDGE.left - EDGE.right)) * (to - from);
    const said = series.map(({ name, points }) => {
      const near = points.findLast(([begun]) => begun <= at && at < begun + 2 * step);
      return near ? `${name}: ${text(near[1])}` : null;
    });
    reading.textContent = `${whole.format(at)} – ${said.filter(Boolean).join(", ") || "nothing"}`;
  });
  picture.addEventListener("pointerleave", () => (reading.textContent = rest));
}

function table(title, series, text) {
  const moments = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => b - a);
  const heading = make("tr", {}, make("th", { scope: "col" }, "From"), ...series.map(({ name }) => make("th", { scope: "col" }, name)));
  const values = series.map(({ points }) => new Map(points));
  const rows = moments.map((at) =>
    make(
      "tr", {}, make("th", { scope: "row" }, whole.format(at)),
      ...values.map((value) => make("td", {}, value.has(at) ? text(value.get(at)) : "–")),
    ),
  );
  const body = make("table", {}, make("caption", { class: "unseen" }, title), make("thead", {}, heading), make("tbody", {}, ...rows));
  const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, as a table` }, body);
  return make("details", {}, make("summary", { "data-name": `table ${title}` }, "As a table"), scroll);
}

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
