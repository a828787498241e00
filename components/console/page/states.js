// What is shown where there is nothing to show: not yet, nothing at all, not for you, or not working.

import { facts, h, prose } from "./dom.js";

/** Something is on its way. */
export function loading(text = "Loading…") {
  return h("p", { class: "state loading" }, text);
}

/** There is nothing, and that is fine. */
export function empty(title, text) {
  return h("section", { class: "card state empty" }, h("h2", {}, title), h("p", { class: "muted" }, text));
}

/** A part that this deployment does not have. */
export function unavailable(title, text) {
  return h("section", { class: "card state" }, h("h2", {}, title), h("p", { class: "muted" }, text));
}

function reference(failure) {
  const details = Object.keys(failure.details).length > 0 && JSON.stringify(failure.details, null, 2);
  return h(
    "details",
    {},
    h("summary", {}, "For whoever runs this"),
    facts([
      ["Code", h("code", {}, failure.code)],
      ["Request", failure.requestId && h("code", {}, failure.requestId)],
    ]),
    details && h("pre", { tabindex: "0" }, details),
  );
}

/** Somebody else may see this. */
function forbidden(failure) {
  const required = failure.details.required;
  return h(
    "section",
    { class: "card state forbidden" },
    h("h2", {}, "This is not for your role"),
    h("p", {}, prose(failure.message)),
    Array.isArray(required) &&
      h("p", { class: "muted" }, `Whoever may see it has one of these roles: ${required.join(", ").replaceAll("_", " ")}.`),
    h("p", { class: "muted" }, prose(failure.fix)),
    reference(failure),
  );
}

/** What went wrong, what to do, and a way to try again. */
export function failed(failure, retry) {
  if (failure.status === 403) return forbidden(failure);
  return h(
    "section",
    { class: "card state failed" },
    h("h2", {}, prose(failure.message)),
    h("p", {}, prose(failure.fix)),
    retry && h("p", { class: "actions" }, h("button", { type: "button", class: "quiet", onclick: retry }, "Try again")),
    reference(failure),
  );
}
