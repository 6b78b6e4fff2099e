// Ticks all rows of the page at once and says how many are ticked. Without this file the link does the first by itself.
import { words } from "./words.js";

const form = document.querySelector("[data-selection]");
const all = form.querySelector("[data-select-all]");
const status = form.querySelector("[data-selected]");
const boxes = [...form.querySelectorAll("input[name=uuid]")];
const needing = [...form.querySelectorAll("button[type=submit]")];

function show() {
  const count = boxes.filter((box) => box.checked).length;
  all.textContent = words(count === boxes.length ? "selectNone" : "selectAll");
  for (const button of needing) button.disabled = count === 0;
  status.textContent = count ? words("selected", { count }) : "";
}

all.setAttribute("role", "button");
function toggle(event) {
  event.preventDefault();
  const ticked = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !ticked;
  show();
}
all.addEventListener("click", toggle);
all.addEventListener("keydown", (event) => {
  if (event.key === " ") toggle(event);
});
form.addEventListener("change", show);
// A page that comes back from the browser's memory keeps its ticks.
window.addEventListener("pageshow", show);
show();
