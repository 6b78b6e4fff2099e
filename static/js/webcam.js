// Records a short clip with the camera, shows it, and sends it like any other file.
import { asked, problemOf, progressWords, send } from "./sending.js";
import { words } from "./words.js";

const KINDS = { "video/webm;codecs=vp9": "webm", "video/webm;codecs=vp8": "webm", "video/webm": "webm", "video/mp4": "mp4" };
const BITS_PER_SECOND = 6_000_000;
const PROBLEMS = { NotAllowedError: "notAllowed", NotFoundError: "notFound", NotReadableError: "notReadable" };
const form = document.getElementById("recorder");
const part = (name) => form.querySelector(`[data-${name}]`);
const shortest = Number(form.dataset.shortest);
const longest = Number(form.dataset.longest);
const kind = window.MediaRecorder && Object.keys(KINDS).find((type) => MediaRecorder.isTypeSupported(type));
let stream = null;
let clip = null;
let abort = null;

// What is seen in each state of the page.
const SEEN = {
  off: ["consent", "start"],
  on: ["live", "record"],
  recording: ["live", "stop", "time"],
  recorded: ["preview", "options", "send", "anew"],
  sending: ["preview", "time", "bar", "abort"],
};
const PARTS = new Set(Object.values(SEEN).flat());

function show(state) {
  for (const name of PARTS) part(name).hidden = !SEEN[state].includes(name);
}

function complain({ message, hint = "" }) {
  part("problem-title").textContent = message;
  part("problem-hint").textContent = hint;
  part("problem-hint").hidden = !hint;
  document.getElementById("problem").hidden = !message;
}

function say(text) {
  part("status").textContent = text;
}

function turnOff() {
  for (const track of stream ? stream.getTracks() : []) track.stop();
  stream = null;
  part("live").srcObject = null;
}

async function turnOn() {
  complain({ message: "" });
  if (!kind || !navigator.mediaDevices) {
    complain(problemOf("notHere"));
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  } catch (error) {
    complain(problemOf(PROBLEMS[error.name] || "notStarted"));
    return;
  }
  part("live").srcObject = stream;
  await part("live").play();
  show("on");
  say(words("on"));
  part("record").focus();
}

function record() {
  const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: BITS_PER_SECOND });
  const pieces = [];
  const began = performance.now();
  const tick = () => {
    const seconds = (performance.now() - began) / 1000;
    part("time").textContent = words("time", { now: Math.floor(seconds), longest });
    part("stop").disabled = seconds < shortest;
    if (seconds >= longest) recorder.stop();
  };
  const clock = setInterval(tick, 200);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", () => {
    clearInterval(clock);
    recorded(pieces);
  });
  part("stop").onclick = () => recorder.stop();
  recorder.start();
  show("recording");
  tick();
  say(words("recording"));
}

function recorded(pieces) {
  const type = kind.split(";")[0];
  const moment = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  clip = new File(pieces, `camera-${moment}.${KINDS[kind]}`, { type });
  turnOff();
  part("preview").src = URL.createObjectURL(clip);
  show("recorded");
  say(words("recorded"));
  part("send").focus();
}

function forget() {
  URL.revokeObjectURL(part("preview").src);
  part("preview").removeAttribute("src");
  clip = null;
}

function upload() {
  complain({ message: "" });
  show("sending");
  abort = send(form, clip, asked(form), {
    onProgress: (sent, total, speed) => {
      part("bar").value = (100 * sent) / total;
      part("time").textContent = progressWords(sent, total, speed);
    },
    onWait: (sentence) => {
      part("time").textContent = sentence;
    },
    onDone: (url) => window.location.assign(url),
    onProblem: (problem) => {
      show("recorded");
      complain(problem);
    },
  });
}

part("start").addEventListener("click", turnOn);
part("record").addEventListener("click", record);
part("anew").addEventListener("click", () => {
  forget();
  turnOn();
});
part("abort").addEventListener("click", () => {
  abort();
  show("recorded");
  say(words("stopped"));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (clip) upload();
});
window.addEventListener("pagehide", turnOff);
show("off");
