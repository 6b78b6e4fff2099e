// Draws the API's description, and proves to the site that what is tried out comes from its own page.
const place = document.getElementById("swagger");

window.SwaggerUIBundle({
  url: place.dataset.schema,
  dom_id: "#swagger",
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor: (request) => {
    if (request.method && request.method !== "GET") request.headers["X-CSRFToken"] = place.dataset.proof;
    return request;
  },
});
