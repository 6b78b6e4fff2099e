// Says on the page what the library's script only tells the console, and what this browser can't do.
import { words } from "./words.js";

const place = document.createElement("p");
place.className = "alert";
place.setAttribute("role", "alert");

function say(text) {
  place.textContent = text;
  document.querySelector(".account h1").after(place);
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  say(words(window.PublicKeyCredential ? "cancelled" : "missing"));
});
