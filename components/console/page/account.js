// Who you are.

import { call, switchWorkspace } from "./api.js";
import { announce, badge, facts, h } from "./dom.js";
import { role, time, words } from "./format.js";

export const title = "You";
export const lead = "Who scaigate takes you for, and where you act.";

export async function show({ me, signal, body, reload, attempt }) {
  const { workspaces, current_workspace_id: current } = await call("GET", "/v1/me/workspaces", { signal });
  const place = h("div", {});
  const choose = (workspace) =>
    attempt(
      async () => {
        await switchWorkspace(workspace.workspace_id);
        await reload();
        announce(`You act in ${workspace.name} now.`);
      },
      place,
      null,
      signal,
    );
  const row = (workspace) =>
    h(
      "li",
      {},
      h("span", { class: "name" }, workspace.name),
      h(
        "span",
        { class: "marks" },
        badge(words(workspace.role)),
        workspace.workspace_id === current
          ? badge("you are here", "accent")
          : h(
              "button",
              { type: "button", class: "quiet", "aria-label": `Act here: ${workspace.name}`, onclick: () => choose(workspace) },
              "Act here",
            ),
      ),
    );
  const ends = me.session?.expires_at && time(new Date(me.session.expires_at * 1000).toISOString());
  body.replaceChildren(
    h(
      "section",
      { class: "card" },
      h("header", {}, h("h2", {}, me.display_name), badge(role(me.admin_role), me.admin_role ? "accent" : "")),
      facts([
        ["E-mail address", me.email],
        ["Tenant", h("code", {}, me.tenant_id)],
        ["Subject", h("code", {}, me.sub)],
        ["Issuer", h("code", {}, me.iss)],
        ["Groups", me.groups?.length ? me.groups.join(", ") : null],
        ["Session token", ends && h("span", {}, "renewed by itself; this one ends ", ends)],
      ]),
    ),
    h("h2", {}, "Workspaces"),
    place,
    h("ul", { class: "rows" }, workspaces.map(row)),
  );
}
