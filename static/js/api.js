// Puts a viewer in place of the list once it is asked for: each is several times as large as any page.
import { words } from "./words.js";

const outline = document.getElementById("outline");
const status = document.querySelector("[data-status]");
const buttons = [...document.querySelectorAll("[data-viewer]")];
const drawn = {};

function drawSwagger(place) {
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    dom_id: "#swagger",
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    // Proves to the site that what is tried out comes from its own page.
    requestInterceptor: (request) => {
      if (request.method && request.method !== "GET") request.headers["X-CSRFToken"] = place.dataset.proof;
      return request;
    },
  });
}

// Redoc would ask another site for its maker's logo. Its search would need a worker made of text, which the policy forbids.
function drawRedoc(place) {
  const images = HTMLImageElement.prototype;
  images.setAttribute = function (name, value) {
    if (name === "src" && new URL(value, location).origin !== location.origin) return;
    Element.prototype.setAttribute.call(this, name, value);
  };
  const src = Object.getOwnPropertyDescriptor(images, "src");
  Object.defineProperty(images, "src", { ...src, set(value) { this.setAttribute("src", value); } });
  window.Redoc.init(place.dataset.schema, { disableSearch: true, hideLoading: true, scrollYOffset: 0 }, place);
}

const draw = { swagger: drawSwagger, redoc: drawRedoc };

function loaded(element, properties) {
  return new Promise((resolve, reject) => {
    element.addEventListener("load", resolve);
    element.addEventListener("error", reject);
    document.head.append(Object.assign(element, properties));
  });
}

// Whether it stands there.
async function load(place) {
  const { script, style } = place.dataset;
  const parts = [loaded(document.createElement("script"), { src: script })];
  if (style) parts.push(loaded(document.createElement("link"), { rel: "stylesheet", href: style }));
  status.textContent = words("loading");
  try {
    await Promise.all(parts);
    draw[place.id](place);
    status.textContent = "";
    return true;
  } catch {
    status.textContent = words("failed");
    return false;
  }
}

// The viewer of this name, or the list again where it is shown already.
async function show(name) {
  const pressed = buttons.find((button) => button.dataset.viewer === name);
  let isShown = pressed.getAttribute("aria-pressed") === "false";
  if (isShown) {
    drawn[name] ??= load(document.getElementById(name));
    isShown = await drawn[name];
    if (!isShown) delete drawn[name];
  }
  for (const button of buttons) {
    const isThis = isShown && button === pressed;
    button.setAttribute("aria-pressed", isThis);
    document.getElementById(button.dataset.viewer).hidden = !isThis;
  }
  outline.hidden = isShown;
}

for (const button of buttons) button.addEventListener("click", () => show(button.dataset.viewer));
// A link into Swagger, as it makes them itself.
if (location.hash.startsWith("#/")) show("swagger");
