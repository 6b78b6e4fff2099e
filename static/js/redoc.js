// Draws the API's description. The search would need a worker made of text, which the site's policy forbids.
const place = document.getElementById("redoc");

window.Redoc.init(place.dataset.schema, { disableSearch: true, hideLoading: true, scrollYOffset: 0 }, place);
