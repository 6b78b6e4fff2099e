import { words } from "./words.js";

// Keeps the list up to date while an export is being written.

const SHOWN_MS = 1500;
const HIDDEN_MS = 10_000;

const list = document.querySelector("[data-exports]");
const announcement = document.querySelector("[data-announcement]");

const isBusy = () => list.querySelector("[data-busy]")?.dataset.busy === "true";

function pause() {
  list.querySelector("[data-without-script]")?.remove();
  if (isBusy()) setTimeout(refresh, document.hidden ? HIDDEN_MS : SHOWN_MS);
}

async function refresh() {
  try {
    const response = await fetch(list.dataset.exports);
    if (response.redirected) return location.reload();
    if (response.ok && !list.contains(document.activeElement)) {
      list.innerHTML = await response.text();
      if (!isBusy()) announcement.textContent = words("finished");
    }
  } catch {
    // The server is away for a moment; the next try may find it.
  }
  pause();
}

pause();
