// Sends a file in pieces (vendor/tus-js-client), so that it goes on after a broken connection, a reload or a restart.
import { words } from "./words.js";

const PIECE_BYTES = 4 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 5000, 10000, 20000, 30000, 30000];
const SPEED_OVER_MS = 4000;
const METADATA_MS = 5000;

// A sentence and what to do about it.
export function problemOf(name, values) {
  return { message: words(name, values), hint: words(`${name}Hint`) };
}

// In the units that the limit is set in: 1 MB is 1,048,576 bytes.
export function megabytes(bytes) {
  if (bytes < 1048576) return `${Math.max(1, Math.round(bytes / 1024))} kB`;
  return `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)} MB`;
}

function span(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function asked(form) {
  const { backbone, stability } = form.elements;
  return { backbone: backbone ? backbone.value : "", stability: stability.checked ? "true" : "false" };
}

// What is wrong with a file, as far as the browser can tell; null where nothing is.
export async function faultOf(file, form) {
  const { maxBytes, maxDuration, extensions } = form.dataset;
  const name = file.name.toLowerCase();
  if (file.size === 0) return problemOf("empty");
  if (file.size > Number(maxBytes)) {
    return problemOf("tooLarge", { size: megabytes(file.size), limit: megabytes(Number(maxBytes)) });
  }
  if (!file.type.startsWith("video/") && !extensions.split(",").some((extension) => name.endsWith(extension))) {
    return problemOf("notVideo");
  }
  const seconds = await lengthOf(file);
  if (seconds > Number(maxDuration)) {
    return problemOf("tooLong", { length: span(seconds), limit: span(Number(maxDuration)) });
  }
  return null;
}

// In seconds; 0 where the browser can't tell.
function lengthOf(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  const told = new Promise((resolve) => {
    video.addEventListener("loadedmetadata", () => resolve(Number.isFinite(video.duration) ? video.duration : 0));
    video.addEventListener("error", () => resolve(0));
    setTimeout(resolve, METADATA_MS, 0);
  });
  video.preload = "metadata";
  video.src = address;
  return told.finally(() => {
    video.removeAttribute("src");
    video.load(); // or the browser may go on reading from an address that is gone
    URL.revokeObjectURL(address);
  });
}

function keyOf(form, file, wanted) {
  return ["truthlens", form.dataset.owner, wanted.backbone, wanted.stability, file.size, file.lastModified, file.name].join(":");
}

function problemIn(response) {
  try {
    const problem = JSON.parse(response.getBody());
    return problem.message ? problem : null;
  } catch {
    return null;
  }
}

// Bytes a second over the last few seconds; 0 before it is known.
class Speed {
  samples = [];

  add(bytes) {
    const now = performance.now();
    this.samples.push({ now, bytes });
    while (now - this.samples[0].now > SPEED_OVER_MS) this.samples.shift();
    const [first] = this.samples;
    return now > first.now ? (1000 * (bytes - first.bytes)) / (now - first.now) : 0;
  }
}

export function progressWords(sent, total, speed) {
  if (sent >= total) return words("allSent");
  const values = { share: Math.floor((100 * sent) / total), sent: megabytes(sent), total: megabytes(total) };
  if (speed <= 0) return words("sent", values);
  return words("sentAtSpeed", { ...values, speed: megabytes(speed), left: span((total - sent) / speed) });
}

// Sends `file`, going on where an earlier attempt stopped. `told` has
// onProgress(sent, total, speed), onWait(sentence) where the connection broke, onDone(url), onProblem(problem).
// Gives back a function that stops it and has the site forget what it got.
export function send(form, file, wanted, told) {
  const speed = new Speed();
  let stopped = false;
  let answer = null;
  const upload = new tus.Upload(file, {
    endpoint: form.dataset.uploads,
    chunkSize: PIECE_BYTES,
    retryDelays: RETRY_MS,
    removeFingerprintOnSuccess: true,
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    metadata: { filename: file.name, ...wanted },
    fingerprint: async () => keyOf(form, file, wanted),
    // Otherwise an upload that is only out of reach for somebody logged out would be begun anew.
    onAfterResponse: (request, response) => {
      answer = response;
      if (response.getStatus() === 403) throw new Error("logged out");
    },
    onShouldRetry: (error) => {
      const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
      const isRefused = answer && (answer.getStatus() === 403 || problemIn(answer));
      if (stopped || isRefused || (status >= 400 && status < 500 && status !== 409 && status !== 423)) return false;
      told.onWait(words("interrupted"));
      return true;
    },
    onUploadUrlAvailable: () => {
      if (stopped) discard();
    },
    onProgress: (sent, total) => {
      answer = null;
      told.onProgress(sent, total, speed.add(sent));
    },
    onSuccess: ({ lastResponse }) => told.onDone(lastResponse.getHeader("Analysis-Location")),
    onError: () => {
      if (!stopped) told.onProblem(answer ? problemIn(answer) || problemOf("refused") : problemOf("lost"));
    },
  });
  upload.findPreviousUploads().then((earlier) => {
    if (stopped) return;
    if (earlier.length) upload.resumeFromPreviousUpload(earlier[0]);
    upload.start();
  });
  // Before its address is known, the site can't be told to forget it.
  const discard = () => upload.abort(true).catch(() => {});
  return () => {
    stopped = true;
    if (upload.url) discard();
  };
}

// Uploads of this person that this browser began and didn't finish, each with what the site knows of it.
export async function unfinished(form) {
  const storage = tus.defaultOptions.urlStorage;
  const found = [];
  for (const entry of await storage.findAllUploads()) {
    if (!entry.urlStorageKey.startsWith(`tus::truthlens:${form.dataset.owner}:`)) continue;
    const forget = () => storage.removeUpload(entry.urlStorageKey);
    const state = await stateOf(entry.uploadUrl);
    if (state && (state.open || state.url)) found.push(new Unfinished(form, entry, state, forget));
    if (!state || !state.open) forget();
  }
  return found;
}

async function stateOf(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

class Unfinished {
  constructor(form, entry, state, forget) {
    const { backbone, stability } = entry.metadata;
    Object.assign(this, { form, entry, state, forget, wanted: { backbone, stability } });
  }

  isOf(file) {
    return this.entry.urlStorageKey.startsWith(`tus::${keyOf(this.form, file, this.wanted)}::`);
  }

  async discard() {
    this.forget();
    await tus.Upload.terminate(this.entry.uploadUrl, { headers: { "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value } }).catch(() => {});
  }
}
