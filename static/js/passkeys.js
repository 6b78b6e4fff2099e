// Says on the page what the library's script only tells the console, and what this browser can't do.
const CANCELLED = "No passkey was used. Try again, or go another way.";
const MISSING = "This browser can’t use passkeys here: they need https and a name in place of a bare IP address.";

const words = document.createElement("p");
words.className = "alert";
words.setAttribute("role", "alert");

function say(text) {
  words.textContent = text;
  document.querySelector(".account h1").after(words);
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  say(window.PublicKeyCredential ? CANCELLED : MISSING);
});
