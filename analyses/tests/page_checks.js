// What a test asks of a page, as functions of `checks`. Each returns words about what is wrong.
window.checks = {
  // WCAG 2.0, 2.1 and 2.2, A and AA. The rule about targets is off by default.
  accessibility() {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
    return checks.violations({ runOnly: tags, rules: { "target-size": { enabled: true } } });
  },

  // What other colours can change of that; nothing else is different in the dark.
  colours() {
    return checks.violations({ runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } });
  },

  async violations(options) {
    const found = await axe.run({ ...options, resultTypes: ["violations"] });
    const places = (rule) => rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 120));
    return found.violations.map((rule) => `${rule.id}: ${places(rule).join(" | ")}`);
  },

  // A box or a button of a form may be small where its label is not.
  smallTargets(least) {
    const kinds = "button, summary, select, input, textarea, a.button, nav a, [role=slider], [role=button]";
    const isSmall = ({ width, height }) => width < least || height < least;
    return [...document.querySelectorAll(kinds)]
      .filter((part) => part.checkVisibility({ visibilityProperty: true }) && part.clientWidth > 1)
      .filter((part) => [part, ...(part.labels || [])].every((place) => isSmall(place.getBoundingClientRect())))
      .map((part) => `${part.outerHTML.slice(0, 120)} is ${part.clientWidth} x ${part.clientHeight}`);
  },

  // The part that has the focus, or null. The browser draws the video's focus around its own buttons.
  focused() {
    const part = document.activeElement;
    if (part === document.body) return null;
    const style = getComputedStyle(part);
    const box = part.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const inView = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    part.dataset.order ??= String(document.querySelectorAll("[data-order]").length);
    const isVideo = part.tagName === "VIDEO";
    return { order: part.dataset.order, isVideo, html: part.outerHTML.slice(0, 120), shown: isVideo || (outlined && inView) };
  },

  // How far the page moved by itself since it was opened. Asked last: it may move late.
  shift() {
    return new Promise((done) => {
      let sum = 0;
      const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
      new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(sum), 20);
    });
  },

  moving() {
    const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
    const moves = (style) =>
      style.scrollBehavior === "smooth" || lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration));
    return [...document.querySelectorAll("*")].filter((part) => moves(getComputedStyle(part))).map((part) => part.outerHTML.slice(0, 120));
  },
};
