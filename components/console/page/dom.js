// Elements without markup in strings: text is always text.

/**
 * Makes an element. `on…` attributes are listeners; attributes that are false, null or undefined are left
 * out, and so are such children.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...given(children));
  return element;
}

function given(children) {
  return children.flat().filter((child) => child !== false && child != null);
}

/** Puts children in the place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren(...given(children));
}

/** A list of terms and what they are; pairs without a value are left out, and so is a list without pairs. */
export function facts(pairs, kind = "") {
  const shown = pairs.filter(([, value]) => value != null && value !== "" && value !== false);
  if (shown.length === 0) return null;
  return h(
    "dl",
    { class: `facts ${kind}`.trim() },
    shown.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/** A word with a meaning: `good`, `warn`, `bad`, `accent`, or none. */
export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}`.trim() }, text);
}

/** A text whose names of settings, commands and addresses stand between backticks. */
export function prose(text) {
  return String(text)
    .split("`")
    .map((part, at) => (at % 2 === 1 ? h("code", {}, part) : part));
}

/** Says something to whoever listens instead of looking. */
export function announce(text) {
  const place = document.getElementById("announcement");
  place.textContent = "";
  // A text that is there again is not read again.
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}
