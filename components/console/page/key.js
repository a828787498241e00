// With what your tenant speaks to ScaiGrid.

import { call } from "./api.js";
import { badge, facts, h } from "./dom.js";

export const title = "ScaiGrid key";
export const lead = "Whether your tenant has a key of its own for ScaiGrid. The key itself is never shown.";

export async function show({ me, signal, body }) {
  const status = await call("GET", "/v1/tenants/me/scaigrid_credentials", { signal });
  body.replaceChildren(
    h(
      "section",
      { class: "card" },
      h(
        "header",
        {},
        h("h2", {}, "Key of ", h("code", {}, me.tenant_id)),
        status.configured ? badge("set", "good") : badge("not set", "warn"),
      ),
      status.configured
        ? facts([
            ["Key", status.masked_key && h("code", {}, status.masked_key)],
            ["Used for", status.base_url && h("code", {}, status.base_url)],
          ])
        : h("p", {}, "Calls to ScaiGrid are made with each person’s own token, or not at all."),
      h(
        "p",
        { class: "muted small" },
        "A tenant admin sets or replaces it with ",
        h("code", {}, "POST /v1/tenants/me/scaigrid_credentials"),
        " and removes it with ",
        h("code", {}, "DELETE"),
        ".",
      ),
    ),
  );
}
