// Keys of the queue, which work while the focus is in it: J and K move, X ticks. Enter is the link's own.
const list = document.querySelector("[data-queue]");
const rows = [...list.children];

list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const here = rows.findIndex((row) => row.contains(event.target));
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  if (step) rows[Math.min(Math.max(0, here + step), rows.length - 1)].querySelector("a").focus();
  else if (event.key.toLowerCase() === "x") rows[here].querySelector("input[type=checkbox]").click();
});
