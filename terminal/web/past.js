// The charts of the last days.

import { ask } from "./ask.js";
import { chart, linear, logarithmic } from "./chart.js";
import { age, at, redraw } from "./dom.js";

const LATENCIES = [
  [0.1, "0.1 s"], [1, "1 s"], [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [86_400, "1 d"], [604_800, "7 d"],
];
const SHARES = { share: (value) => value, ticks: [0, 0.5, 1] };
const RESIZE_MS = 200;

export async function showPast() {
  const chosen = document.querySelector('#past input[name="span"]:checked');
  const told = await ask("GET", `/v1/history?hours=${chosen.value}&step=${chosen.dataset.step}`);
  const place = document.querySelector("#past .charts");
  const width = Math.round(parseFloat(getComputedStyle(place).gridTemplateColumns));
  redraw(place, { told, width }, charts);
}

export function watchPast(show) {
  at("past").addEventListener("change", show);
  let waiting = null;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, RESIZE_MS);
  });
}

function charts({ told: { step_s: stepS, hours, now, stretches }, width }) {
  const to = Date.parse(now);
  const place = { from: to - hours * 3_600_000, to, step: stepS * 1000, width };
  const points = (value) =>
    stretches.map((each) => [Date.parse(each.start), value(each)]).filter(([, found]) => found !== null && found !== undefined);
  return [reads(stretches, place, points), queue(place, points), latency(place, points)];
}

function reads(stretches, place, points) {
  const names = [...new Set(stretches.flatMap(({ readers }) => Object.keys(readers)))].sort();
  const series = names.map((name) => ({ name, points: points(({ readers }) => readers[name]?.success) }));
  const text = (share) => `${Math.round(share * 100)} %`;
  return chart({ ...place, title: "Share of cards read", series, scale: SHARES, text });
}

function queue(place, points) {
  const series = [{ name: "waiting", points: points((each) => each.queue) }];
  const most = Math.max(0, ...series[0].points.map(([, value]) => value));
  const text = (count) => String(Math.round(count));
  return chart({ ...place, title: "Entries waiting, at most", series, scale: linear(most), text, area: true });
}

function latency(place, points) {
  const series = [
    { name: "mean", points: points((each) => each.latency_mean_s) },
    { name: "longest", points: points((each) => each.latency_most_s) },
  ];
  const most = Math.max(0, ...series[1].points.map(([, value]) => value));
  const scale = logarithmic(LATENCIES, most);
  return chart({ ...place, title: "From sale to ledger", series, scale, text: age });
}
