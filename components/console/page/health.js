// How each part of this deployment is, and what to do where it is not well.

import { call } from "./api.js";
import { badge, facts, h, prose } from "./dom.js";
import { title as capital, value, words } from "./format.js";
import { unavailable } from "./states.js";

export const title = "Health";
export const lead = "Each part, looked at just now, with the fix where something is wrong.";

const KINDS = { error: "bad", warning: "warn", info: "" };
/** One thing that somebody should know. */
export function finding({ code, severity, message, fix, evidence }) {
  const seen = Object.entries(evidence ?? {});
  return h(
    "div",
    { class: `finding ${KINDS[severity] ?? ""}`.trim() },
    h("p", {}, badge(severity, KINDS[severity]), " ", h("strong", {}, prose(message))),
    fix && h("p", {}, prose(fix)),
    seen.length > 0 && facts(seen.map(([name, thing]) => [capital(name), value(thing)])),
    h("p", { class: "muted small" }, h("code", {}, code)),
  );
}

const STATES = { ok: "fine", degraded: "needs a look", failing: "not working" };

const STATE_KINDS = { ok: "good", degraded: "warn", failing: "bad" };

/** How something is, from `ok` to `failing`. */
function state(status) {
  return badge(STATES[status] ?? words(status), STATE_KINDS[status]);
}

/** One part, with what there is to say of it. */
function part(check, findings) {
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      {},
      h("h2", {}, capital(check.name)),
      h(
        "span",
        { class: "marks" },
        check.latency_ms != null && h("span", { class: "muted small" }, `${check.latency_ms} ms `),
        state(check.status),
      ),
    ),
    findings.filter((one) => one.check === check.name).map(finding),
    facts(Object.entries(check.facts ?? {}).map(([name, thing]) => [capital(name), value(thing)])),
  );
}

/** The parts, those that are not well first. */
function parts({ checks = [], findings = [] }) {
  const order = Object.keys(STATES);
  const sorted = [...checks].sort((a, b) => order.indexOf(b.status) - order.indexOf(a.status));
  return sorted.map((check) => part(check, findings));
}

/** What everybody may know: whether it serves. */
async function summary(signal) {
  const ready = await call("GET", "/v1/health/ready", { signal });
  return h(
    "section",
    { class: "card" },
    h("header", {}, h("h2", {}, "This deployment"), badge(words(ready?.status ?? "ready"), "good")),
    h("p", { class: "muted" }, "Super admins see each part here, with what to do where something is wrong."),
  );
}

export async function show({ me, signal, body, again }) {
  let shown;
  try {
    if (me.admin_role === "super_admin") {
      const report = await call("GET", "/v1/health/detailed", { signal });
      shown = [
        h(
          "p",
          { class: "filter" },
          h("span", {}, "This deployment: ", state(report.status)),
          h("button", { type: "button", class: "quiet", onclick: again }, "Look again"),
        ),
        ...parts(report),
      ];
    } else {
      shown = [await summary(signal)];
    }
  } catch (error) {
    const isMissing = [404, 501].includes(error.status) || error.details?.component === "health";
    if (!isMissing) throw error;
    shown = [
      unavailable(
        "Not available in this version",
        "This deployment has no health component yet; its other views work without it.",
      ),
    ];
  }
  body.replaceChildren(...shown);
}
