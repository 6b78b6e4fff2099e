// What scripts say. The page holds its sentences, in its language, as data attributes of the element "words".
const sentences = document.getElementById("words").dataset;

// `values` take the places of {names} in the sentence.
export function words(name, values = {}) {
  return sentences[name].replace(/\{(\w+)\}/g, (_place, key) => values[key]);
}
