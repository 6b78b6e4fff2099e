// The upload form with a drop zone, a check of the size beforehand, and a progress bar. Without this file the form still works.
const form = document.getElementById("upload");
const part = (name) => form.querySelector(`[data-${name}]`);
const input = form.querySelector("input[type=file]");
const problem = document.getElementById("problem");
const bar = document.getElementById("sent");
const limit = Number(form.dataset.maxBytes);
let sending = null;

// In the units that the limit is set in: 1 MB is 1,048,576 bytes.
function megabytes(bytes) {
  if (bytes < 1048576) return `${Math.max(1, Math.round(bytes / 1024))} kB`;
  return `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)} MB`;
}

function complain(title, hint = "") {
  part("problem-title").textContent = title;
  part("problem-hint").textContent = hint;
  part("problem-hint").hidden = !hint;
  problem.hidden = !title;
}

function check(file) {
  if (!file) return ["Choose a video file first.", ""];
  if (file.size === 0) return ["The file is empty.", "Check that the file was saved completely."];
  if (file.size > limit) {
    return [`The file is larger than the limit: ${megabytes(file.size)} of ${megabytes(limit)}.`, "Cut out the part in doubt and upload that."];
  }
  return null;
}

function showChosen() {
  const file = input.files[0];
  part("chosen").hidden = !file;
  part("chosen").textContent = file ? `${megabytes(file.size)} of at most ${megabytes(limit)}` : "";
  complain(...((file && check(file)) || [""]));
}

function setSending(request) {
  sending = request;
  part("progress").hidden = !request;
  part("abort").hidden = !request;
  part("submit").disabled = Boolean(request);
  input.disabled = Boolean(request);
}

function showSent(event) {
  const share = event.lengthComputable ? Math.round((100 * event.loaded) / event.total) : 0;
  bar.value = share;
  part("progress-words").textContent =
    share < 100 ? `Uploading: ${share} %, ${megabytes(event.loaded)} of ${megabytes(event.total)}` : "Uploaded. The site checks the file.";
  if (share % 25 === 0) part("status").textContent = `${share} % uploaded`;
}

function answered(request) {
  const answer = request.response;
  if (request.status === 201) {
    window.location.assign(answer.url);
    return;
  }
  setSending(null);
  if (answer && answer.message) complain(answer.message, answer.hint);
  else if (request.status === 413) complain("The file is larger than the limit.");
  else complain("The upload failed.", "You may have been logged out: reload this page, then try again.");
}

function send(body) {
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", showSent);
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => {
    setSending(null);
    complain("The connection was lost during the upload.", "Check your connection and try again.");
  });
  request.addEventListener("abort", () => {
    setSending(null);
    part("status").textContent = "The upload was stopped.";
  });
  setSending(request);
  request.send(body);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const wrong = check(input.files[0]);
  if (wrong) complain(...wrong);
  else {
    complain("");
    send(new FormData(form));
  }
});
input.addEventListener("change", showChosen);
part("abort").addEventListener("click", () => sending && sending.abort());

const zone = part("dropzone");
for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("dropzone--over");
  });
}
for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("dropzone--over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  if (sending || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  showChosen();
});
// A file dropped beside the zone would replace this page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
for (const words of document.querySelectorAll("[data-with-script]")) words.hidden = false;
