// Records a short clip with the camera, shows it, and sends it like any other file.
import { asked, progressWords, send } from "./sending.js";

const KINDS = { "video/webm;codecs=vp9": "webm", "video/webm;codecs=vp8": "webm", "video/webm": "webm", "video/mp4": "mp4" };
const BITS_PER_SECOND = 6_000_000;
const PROBLEMS = {
  NotAllowedError: ["The browser didn’t allow the camera.", "Allow it for this site, most often beside the address, then press the button again."],
  NotFoundError: ["No camera was found.", "Connect one, then press the button again."],
  NotReadableError: ["The camera can’t be used.", "Another program may be using it. Close that, then press the button again."],
};
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

function complain(title, hint = "") {
  part("problem-title").textContent = title;
  part("problem-hint").textContent = hint;
  part("problem-hint").hidden = !hint;
  document.getElementById("problem").hidden = !title;
}

function say(words) {
  part("status").textContent = words;
}

function turnOff() {
  for (const track of stream ? stream.getTracks() : []) track.stop();
  stream = null;
  part("live").srcObject = null;
}

async function turnOn() {
  complain("");
  if (!kind || !navigator.mediaDevices) {
    complain("This browser can’t record here.", "Browsers give the camera to pages at https addresses only. Record the clip with another program and upload the file.");
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  } catch (error) {
    complain(...(PROBLEMS[error.name] || ["The camera didn’t start.", "Check that it works in another program."]));
    return;
  }
  part("live").srcObject = stream;
  await part("live").play();
  show("on");
  say("The camera is on.");
  part("record").focus();
}

function record() {
  const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: BITS_PER_SECOND });
  const pieces = [];
  const began = performance.now();
  const tick = () => {
    const seconds = (performance.now() - began) / 1000;
    part("time").textContent = `${Math.floor(seconds)} of ${longest} s`;
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
  say("Recording.");
}

function recorded(pieces) {
  const type = kind.split(";")[0];
  const moment = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  clip = new File(pieces, `camera-${moment}.${KINDS[kind]}`, { type });
  turnOff();
  part("preview").src = URL.createObjectURL(clip);
  show("recorded");
  say("Recorded. The camera is off.");
  part("send").focus();
}

function forget() {
  URL.revokeObjectURL(part("preview").src);
  part("preview").removeAttribute("src");
  clip = null;
}

function upload() {
  complain("");
  show("sending");
  abort = send(form, clip, asked(form), {
    onProgress: (sent, total, speed) => {
      part("bar").value = (100 * sent) / total;
      part("time").textContent = progressWords(sent, total, speed);
    },
    onDone: (url) => window.location.assign(url),
    onProblem: ({ message, hint }) => {
      show("recorded");
      complain(message, hint);
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
  say("The upload was stopped.");
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (clip) upload();
});
window.addEventListener("pagehide", turnOff);
form.hidden = false;
show("off");
