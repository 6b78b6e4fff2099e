// Joins the player and the timeline: a click or a key moves the video, and the playhead follows it.
const player = document.querySelector("[data-player]");
const timeline = document.querySelector("[data-timeline]");
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
    if (player.hidden || event.metaKey || event.ctrlKey || event.shiftKey) return;
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
  player.hidden = true;
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
  player.hidden = false;
  player.src = `${player.getAttribute("src")}?copy`;
}

player.addEventListener("error", unplayable);
if (player.error) unplayable();

if (timeline) {
  const duration = Number(timeline.dataset.duration);
  const slider = timeline.querySelector("[data-slider]");
  const knob = timeline.querySelector("[data-knob]");
  const heads = timeline.querySelectorAll("[data-head]");

  const showTime = () => {
    const share = Math.min(1, Math.max(0, player.currentTime / duration));
    for (const head of heads) {
      head.setAttribute("x1", 1000 * share);
      head.setAttribute("x2", 1000 * share);
      head.setAttribute("visibility", "visible");
    }
    knob.setAttribute("cx", `${100 * share}%`);
    knob.setAttribute("visibility", "visible");
    slider.setAttribute("aria-valuenow", player.currentTime.toFixed(1));
    slider.setAttribute("aria-valuetext", `${clock(player.currentTime)} of ${clock(duration)}`);
  };

  const seekTo = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek((duration * (event.clientX - left)) / width);
    slider.focus({ preventScroll: true });
  };

  const steps = { ArrowLeft: -0.5, ArrowDown: -0.5, ArrowRight: 0.5, ArrowUp: 0.5, PageDown: -duration / 10, PageUp: duration / 10 };
  const useKey = (event) => {
    if (event.key in steps) seek(player.currentTime + steps[event.key]);
    else if (event.key === "Home") seek(0);
    else if (event.key === "End") seek(duration);
    else if (event.key === " ") player.paused ? player.play() : player.pause();
    else return;
    event.preventDefault();
  };

  timeline.classList.add("timeline--live");
  const attributes = { role: "slider", tabindex: "0", "aria-label": "Position in the video", "aria-valuemin": "0", "aria-valuemax": String(duration) };
  for (const [name, value] of Object.entries(attributes)) slider.setAttribute(name, value);
  slider.addEventListener("keydown", useKey);
  slider.addEventListener("click", seekTo);
  for (const plot of timeline.querySelectorAll("[data-plot]")) plot.addEventListener("click", seekTo);
  for (const name of ["timeupdate", "seeking", "seeked", "loadedmetadata"]) player.addEventListener(name, showTime);
  showTime();
  for (const words of document.querySelectorAll("[data-with-script]")) words.hidden = false;
}
