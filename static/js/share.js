// A button that copies the new link. Without this file the link can be selected and copied by hand.
import { words } from "./words.js";

const address = document.querySelector("[data-address]");
const button = document.querySelector("[data-copy]");
const status = document.querySelector("[data-copied]");

// The clipboard's own interface is missing where the site is not served over https.
async function copied() {
  address.select();
  if (!navigator.clipboard) return document.execCommand("copy");
  try {
    await navigator.clipboard.writeText(address.value);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

button.addEventListener("click", async () => {
  status.textContent = words((await copied()) ? "copied" : "notCopied");
});
button.hidden = false;
