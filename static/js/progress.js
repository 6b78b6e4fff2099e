// Keeps the progress of an analysis fresh: often while the page is seen, seldom while it is hidden, less often after errors.
const SEEN_MS = 1500;
const HIDDEN_MS = 10000;
const LONGEST_MS = 30000;
const place = document.getElementById("progress");
const live = document.querySelector("[data-live]");
const connection = document.querySelector("[data-connection]");
let failures = 0;
let timer = 0;
let leaving = false;

// Once: reloaded again while the page comes, it would come twice, and what was clicked in between would be lost.
function leave() {
  if (leaving) return;
  leaving = true;
  window.location.reload();
}

function show(html) {
  place.innerHTML = html;
  const { finished, announcement } = place.firstElementChild.dataset;
  if (finished === "true") leave();
  if (live.textContent !== announcement) live.textContent = announcement;
}

async function refresh() {
  if (leaving) return;
  try {
    const answer = await fetch(place.dataset.url, { credentials: "same-origin" });
    // Deleted, or logged out: the page itself knows what to say.
    if (answer.status === 404 || answer.redirected) {
      leave();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.text());
    failures = 0;
  } catch {
    failures += 1;
  }
  connection.hidden = failures < 2;
  plan();
}

function plan() {
  clearTimeout(timer);
  const usual = document.hidden ? HIDDEN_MS : SEEN_MS;
  timer = setTimeout(refresh, Math.min(LONGEST_MS, usual * 2 ** failures));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) plan();
  else refresh();
});
live.textContent = place.firstElementChild.dataset.announcement;
plan();
