// What ScaiKey has delivered, and what was refused.

import { call, query } from "./api.js";
import { announce, badge, facts, fill, h } from "./dom.js";
import { time, words } from "./format.js";
import { empty } from "./states.js";

export const title = "Webhooks";
export const lead = "What ScaiKey has told of its directory, the latest first.";

const PER_PAGE = 50;

const OUTCOMES = { applied: "good", refused: "bad" };

export async function show({ signal, body, attempt }) {
  const list = h("div", { class: "stack" });
  const outcome = h(
    "select",
    { name: "outcome" },
    [["", "All"], ["refused", "Refused only"], ["duplicate", "Repeated only"]].map(([value, text]) => h("option", { value }, text)),
  );
  let page = 1;

  async function read(isByPerson) {
    const parameters = query({ outcome: outcome.value, page, per_page: PER_PAGE });
    const found = await call("GET", `/v1/admin/webhooks/deliveries${parameters}`, { signal });
    if (isByPerson) announce(`${found.total} deliveries`);
    const last = Math.max(1, Math.ceil(found.total / PER_PAGE));
    const rows =
      found.deliveries.length > 0
        ? h("ul", { class: "rows" }, found.deliveries.map(row))
        : empty("Nothing was delivered", "If ScaiKey should have told something, check the webhook’s address and secret there.");
    fill(
      list,
      h(
        "section",
        { class: "card" },
        facts([
          ["Last received", time(found.last_received_at) ?? "never"],
          ["Last refused", time(found.last_refused_at) ?? "never"],
          ["Kept", String(found.total)],
        ]),
      ),
      rows,
      last > 1 &&
        h(
          "div",
          { class: "pages" },
          h("button", { type: "button", class: "quiet", disabled: page <= 1, onclick: () => turn(-1) }, "Previous"),
          h("span", { class: "muted small" }, `Page ${page} of ${last}`),
          h("button", { type: "button", class: "quiet", disabled: page >= last, onclick: () => turn(1) }, "Next"),
        ),
    );
  }
  const refresh = () => attempt(() => read(true), list, refresh, signal);
  const turn = (by) => {
    page += by;
    refresh();
  };
  outcome.addEventListener("change", () => {
    page = 1;
    refresh();
  });

  await read(false);
  body.replaceChildren(
    h(
      "div",
      { class: "filter" },
      h("label", {}, h("span", {}, "Outcome"), outcome),
      h("button", { type: "button", class: "quiet", onclick: refresh }, "Look again"),
    ),
    list,
  );
}

function row(delivery) {
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("p", { class: "name" }, delivery.event_type ?? "Nobody we know of"),
      h(
        "p",
        { class: "muted small" },
        time(delivery.received_at),
        delivery.tenant_id && ` · ${delivery.tenant_id}`,
        delivery.event_id && [" · ", h("code", {}, delivery.event_id)],
      ),
    ),
    h(
      "div",
      { class: "marks" },
      delivery.count > 1 && h("span", { class: "muted small" }, `${delivery.count} times`),
      delivery.code && h("code", {}, delivery.code),
      badge(words(delivery.outcome), OUTCOMES[delivery.outcome]),
    ),
  );
}
