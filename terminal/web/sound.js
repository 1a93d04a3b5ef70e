// What is heard across a counter: a few short tones, told apart by their tune, not by pitch alone. No file is loaded.

const KEPT_AS = "tilld.sound"; // remembered by this browser
const TUNES = {
  read: [[880, 0, 0.09], [1175, 0.1, 0.16]], // two notes up: a card is known
  sale: [[784, 0, 0.08], [988, 0.09, 0.08], [1319, 0.18, 0.22]], // three up: points are recorded
  trouble: [[330, 0, 0.18], [262, 0.22, 0.34]], // two long ones down: something must be done
};
const LOUDNESS = 0.22;

let context = null;
let wanted = localStorage.getItem(KEPT_AS) !== "off";

// Browsers let a page sound only after somebody has touched it.
export function wake() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
}

export const isOn = () => wanted;

export function toggle() {
  wanted = !wanted;
  localStorage.setItem(KEPT_AS, wanted ? "on" : "off");
  if (wanted) play("read");
}

export function play(name) {
  if (!wanted || context?.state !== "running") return;
  for (const [hertz, start, length] of TUNES[name]) note(hertz, context.currentTime + start, length);
}

function note(hertz, start, length) {
  const tone = context.createOscillator();
  const level = context.createGain();
  tone.type = "triangle";
  tone.frequency.value = hertz;
  level.gain.setValueAtTime(0, start);
  level.gain.linearRampToValueAtTime(LOUDNESS, start + 0.012); // without a ramp it clicks
  level.gain.exponentialRampToValueAtTime(0.001, start + length);
  tone.connect(level).connect(context.destination);
  tone.start(start);
  tone.stop(start + length);
}
