// The upload form with a drop zone and a row for each file. Without this file the form still works, for one file.
import { asked, faultOf, megabytes, progressWords, send, unfinished } from "./sending.js";
import { words } from "./words.js";

const AT_ONCE = 2;
const form = document.getElementById("upload");
const part = (name) => form.querySelector(`[data-${name}]`);
const input = form.querySelector("input[type=file]");
const problem = document.getElementById("problem");
const list = part("files");
const rows = new Set();

function complain(title, hint = "") {
  part("problem-title").textContent = title;
  part("problem-hint").textContent = hint;
  part("problem-hint").hidden = !hint;
  problem.hidden = !title;
}

function say(text) {
  part("status").textContent = text;
}

// One file: its place in the list, and what becomes of it. `state` is checking, ready, wrong, waiting, sending, failed, away or done.
class Row {
  constructor(name) {
    this.name = name;
    this.place = document.getElementById("file").content.firstElementChild.cloneNode(true);
    this.part("name").textContent = name;
    for (const of of this.place.querySelectorAll("[data-of]")) of.textContent = ` ${name}`;
    this.part("bar").setAttribute("aria-label", words("uploadedOf", { name }));
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.part("again").addEventListener("click", () => this.wait());
    rows.add(this);
    list.append(this.place);
    list.hidden = false;
  }

  part(name) {
    return this.place.querySelector(`[data-${name}]`);
  }

  show(state, text, fault = null) {
    this.state = state;
    this.part("words").textContent = text;
    this.part("bar").hidden = !["sending", "away"].includes(state);
    this.part("open").hidden = state !== "done";
    this.part("again").hidden = state !== "failed";
    this.part("cancel-word").textContent = words({ sending: "cancel", away: "discard", done: "hide" }[state] || "remove");
    this.part("problem").hidden = !fault;
    this.part("title").textContent = fault ? fault.message : "";
    this.part("hint").textContent = (fault && fault.hint) || "";
  }

  async take(file) {
    this.file = file;
    this.show("checking", megabytes(file.size));
    const fault = await faultOf(file, form);
    if (!rows.has(this)) return;
    this.show(fault ? "wrong" : "ready", fault ? "" : words("ready", { size: megabytes(file.size) }), fault);
    if (this.wanted && !fault) this.wait();
  }

  wait() {
    this.wanted = this.wanted || asked(form);
    this.show("waiting", words("waiting"));
    sendNext();
  }

  start() {
    this.show("sending", words("sending"));
    this.stop = send(form, this.file, this.wanted, {
      onProgress: (sent, total, speed) => {
        this.part("bar").value = (100 * sent) / total;
        this.part("words").textContent = progressWords(sent, total, speed);
      },
      onWait: (sentence) => {
        this.part("words").textContent = sentence;
      },
      onDone: (url) => this.finish(url),
      onProblem: (fault) => {
        // A quota that is full for now is nothing that is wrong with the file.
        this.show(fault.code && !fault.code.startsWith("quota_") ? "wrong" : "failed", "", fault);
        sendNext();
      },
    });
  }

  finish(url) {
    this.done(url);
    say(words("isUploaded", { name: this.name }));
    if (rows.size === 1) window.location.assign(url);
    else sendNext();
  }

  done(url) {
    this.part("open").href = url;
    this.show("done", words("done"));
  }

  // Found in this browser from an earlier visit.
  resumable(earlier) {
    this.earlier = earlier;
    const { received, size, url } = earlier.state;
    // Whoever comes for a new analysis isn't led away from it by an old one.
    if (url) {
      this.done(url);
      return;
    }
    this.wanted = earlier.wanted;
    this.part("bar").value = (100 * received) / size;
    this.show("away", words("away", { sent: megabytes(received), total: megabytes(size) }));
  }

  cancel() {
    const next = this.place.nextElementSibling || this.place.previousElementSibling;
    if (this.state === "sending") this.stop();
    if (this.state === "away") this.earlier.discard();
    say(words("isRemoved", { name: this.name }));
    rows.delete(this);
    this.place.remove();
    list.hidden = rows.size === 0;
    (next ? next.querySelector("[data-cancel]") : input).focus();
    sendNext();
  }
}

function inState(state) {
  return [...rows].filter((row) => row.state === state);
}

function sendNext() {
  const free = AT_ONCE - inState("sending").length;
  for (const row of inState("waiting").slice(0, Math.max(0, free))) row.start();
}

function add(files) {
  complain("");
  for (const file of files) {
    const away = inState("away").find((row) => row.earlier.isOf(file));
    if (away) {
      away.file = file;
      away.wait();
    } else new Row(file.name).take(file);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const underWay = ["checking", "ready", "waiting", "sending"].flatMap(inState);
  complain(underWay.length ? "" : words("choose"));
  for (const row of inState("checking")) row.wanted = asked(form);
  for (const row of inState("ready")) row.wait();
});
function takeChosen() {
  add([...input.files]);
  input.value = "";
}
input.addEventListener("change", takeChosen);
if (input.files.length) takeChosen(); // chosen before this file was here

const zone = part("dropzone");
for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("dropzone--over");
  });
}
for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("dropzone--over"));
zone.addEventListener("drop", (event) => add([...event.dataTransfer.files]));
// A file dropped beside the zone would replace this page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
input.multiple = true;
for (const earlier of await unfinished(form)) new Row(earlier.state.name).resumable(earlier);
