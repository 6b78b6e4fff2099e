// Joins the player, the timeline and the faces: a click or a key moves the video; playhead and boxes follow it.
import { words } from "./words.js";

const player = document.querySelector("[data-player]");
const block = document.querySelector("[data-player-block]");
const stage = document.querySelector("[data-stage]");
const timeline = document.querySelector("[data-timeline]");
const overlay = document.querySelector("[data-boxes]");
const toggle = document.querySelector("[data-boxes-toggle]");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

function clock(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
}

function seek(seconds) {
  const end = Number.isFinite(player.duration) ? player.duration : seconds;
  player.currentTime = Math.min(Math.max(0, seconds), end);
}

for (const link of document.querySelectorAll("a[data-seek]")) {
  link.addEventListener("click", (event) => {
    if (stage.hidden || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    player.pause();
    seek(Number(link.dataset.seek));
    player.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  });
}

// A file that browsers can't play gets a copy that they can, soon after its result.
const ASK_EVERY_MS = 2000;
const coming = document.querySelector("[data-coming]");

function unplayable() {
  stage.hidden = true;
  if (toggle) toggle.disabled = true;
  if (player.dataset.awaits) {
    coming.hidden = false;
    setTimeout(askForCopy, ASK_EVERY_MS);
  } else {
    document.querySelector("[data-unplayable]").hidden = false;
  }
}

async function askForCopy() {
  let waiting = true;
  try {
    const answer = await fetch(player.dataset.awaits, { credentials: "same-origin" });
    waiting = answer.ok ? (await answer.json()).awaits_proxy : answer.status >= 500;
  } catch {
    // The connection is lost for a moment.
  }
  if (waiting) {
    setTimeout(askForCopy, ASK_EVERY_MS);
    return;
  }
  delete player.dataset.awaits;
  coming.hidden = true;
  stage.hidden = false;
  if (toggle) toggle.disabled = false;
  player.src = player.src.split("?")[0];
}

player.addEventListener("error", unplayable);
if (player.error) unplayable();

// What follows the picture that is shown, which while playing only the frame callback knows exactly.
const followers = [];
let shownAt = 0;

function show(seconds) {
  shownAt = seconds;
  for (const follow of followers) follow(seconds);
}

function watchFrames() {
  player.requestVideoFrameCallback((_now, frame) => {
    show(frame.mediaTime);
    watchFrames();
  });
}

function watchClock() {
  show(player.currentTime);
  if (!player.paused && !player.ended) requestAnimationFrame(watchClock);
}

if ("requestVideoFrameCallback" in player) watchFrames();
else for (const name of ["play", "seeked"]) player.addEventListener(name, watchClock);
for (const name of ["seeking", "loadedmetadata"]) player.addEventListener(name, () => show(player.currentTime));

if (timeline) {
  const duration = Number(timeline.dataset.duration);
  const slider = timeline.querySelector("[data-slider]");
  const knob = timeline.querySelector("[data-knob]");
  const heads = timeline.querySelectorAll("[data-head]");

  followers.push((seconds) => {
    const share = Math.min(1, Math.max(0, seconds / duration));
    for (const head of heads) {
      head.setAttribute("x1", 1000 * share);
      head.setAttribute("x2", 1000 * share);
      head.setAttribute("visibility", "visible");
    }
    knob.setAttribute("cx", `${100 * share}%`);
    knob.setAttribute("visibility", "visible");
    slider.setAttribute("aria-valuenow", seconds.toFixed(1));
    slider.setAttribute("aria-valuetext", words("now", { now: clock(seconds), end: clock(duration) }));
  });

  const seekTo = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek((duration * (event.clientX - left)) / width);
  };
  const grab = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    slider.focus({ preventScroll: true });
    seekTo(event);
  };
  const drag = (event) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
  };

  const steps = { ArrowLeft: -0.5, ArrowDown: -0.5, ArrowRight: 0.5, ArrowUp: 0.5, PageDown: -duration / 10, PageUp: duration / 10 };
  const useKey = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in steps) seek(player.currentTime + steps[event.key]);
    else if (event.key === "Home") seek(0);
    else if (event.key === "End") seek(duration);
    else if (event.key === " ") player.paused ? player.play() : player.pause();
    else return;
    event.preventDefault();
  };

  timeline.classList.add("timeline--live");
  const attributes = { role: "slider", tabindex: "0", "aria-label": words("position"), "aria-valuemin": "0", "aria-valuemax": String(duration) };
  for (const [name, value] of Object.entries(attributes)) slider.setAttribute(name, value);
  slider.addEventListener("keydown", useKey);
  for (const plot of [slider, ...timeline.querySelectorAll("[data-plot]")]) {
    plot.addEventListener("pointerdown", grab);
    plot.addEventListener("pointermove", drag);
  }
}

if (block.dataset.strongest) {
  block.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "s" || event.altKey || event.ctrlKey || event.metaKey) return;
    player.pause();
    seek(Number(block.dataset.strongest));
  });
}

// The boxes: drawn for frames that were looked at, moved evenly between two neighbours, and nowhere else.
function readRuns(text) {
  return text.split("|").map((run) => run.split(" ").map((frame) => frame.split(",").map(Number)));
}

function boxAt(runs, seconds, frameS) {
  const run = runs.find((frames) => seconds >= frames[0][0] - frameS / 4 && seconds < frames.at(-1)[0] + 0.9 * frameS);
  if (!run) return null;
  const after = run.findIndex((frame) => frame[0] > seconds);
  if (after < 1) return (after === 0 ? run[0] : run.at(-1)).slice(1);
  const [a, b] = [run[after - 1], run[after]];
  const share = (seconds - a[0]) / (b[0] - a[0]);
  return a.slice(1).map((value, i) => value + share * (b[i + 1] - value));
}

if (overlay) {
  const frameS = 1 / (Number(overlay.dataset.fps) || 25);
  const { width, height } = overlay.viewBox.baseVal;
  const faces = [...overlay.querySelectorAll("[data-runs]")].map((group) => ({ group, runs: readRuns(group.dataset.runs) }));
  let scale = [1, 1];

  const draw = () => {
    const pixel = 1 / (overlay.getScreenCTM()?.a || 1);
    for (const { group, runs } of faces) {
      const box = toggle.checked ? boxAt(runs, shownAt, frameS) : null;
      group.setAttribute("visibility", box ? "visible" : "hidden");
      if (!box) continue;
      const [x, y, w, h] = box.map((value, i) => value * scale[i % 2]);
      for (const rect of group.querySelectorAll("rect")) {
        for (const [name, value] of Object.entries({ x, y, width: w, height: h })) rect.setAttribute(name, value);
      }
      const label = group.querySelector("text");
      const room = y > 22 * pixel;
      const place = { x: x + (room ? 0 : 6 * pixel), y: room ? y - 7 * pixel : y + 20 * pixel, "font-size": 15 * pixel, "stroke-width": 4 * pixel };
      for (const [name, value] of Object.entries(place)) label.setAttribute(name, value);
    }
  };
  // A copy may be smaller than the file, and pixels need not be square: what the browser shows counts.
  const fit = () => {
    if (!player.videoWidth) return;
    overlay.setAttribute("viewBox", `0 0 ${player.videoWidth} ${player.videoHeight}`);
    scale = [player.videoWidth / width, player.videoHeight / height];
    draw();
  };

  followers.push(draw);
  toggle.addEventListener("change", draw);
  window.addEventListener("resize", draw);
  player.addEventListener("loadedmetadata", fit);
  fit();
}

// One face at a time can be picked out: in the picture, in the timeline, among the cards and the evidence.
function pick(track) {
  document.body.classList.toggle("has-pick", track !== null);
  for (const part of document.querySelectorAll("[data-of]")) part.classList.toggle("is-picked", part.dataset.of === track);
  for (const button of document.querySelectorAll("[data-pick]")) button.setAttribute("aria-pressed", String(button.dataset.pick === track));
}

for (const button of document.querySelectorAll("[data-pick]")) {
  button.addEventListener("click", () => pick(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.pick));
}

const heat = document.querySelector("[data-heat]");
if (heat) {
  const mix = () => {
    document.querySelector("[data-evidence]").style.setProperty("--heat", String(heat.value / 100));
    document.querySelector("[data-heat-words]").textContent = `${heat.value} %`;
  };
  heat.addEventListener("input", mix);
  mix();
}

show(player.currentTime);
