// Users and their roles.

import { call, query } from "./api.js";
import { announce, badge, h } from "./dom.js";
import { role, time, words } from "./format.js";
import { empty, failed, loading } from "./states.js";

export const title = "People";
export const lead = "Everybody in the mirror of ScaiKey’s directory, and who administers what.";

const PER_PAGE = 25;

const SOURCES = { manual: "given by hand", group: "by a group", bootstrap: "named in the settings" };

const STATES = { ACTIVE: "good", SUSPENDED: "warn", INACTIVE: "warn", DELETED: "bad" };

export async function show(context) {
  const { me, body } = context;
  const isSuper = me.admin_role === "super_admin";
  const asked = { search: "", status: "", page: 1 };
  const list = h("div", { class: "stack" });
  const search = h("input", { type: "search", name: "search", autocomplete: "off", maxlength: "200" });
  const status = h(
    "select",
    { name: "status" },
    [["", "Any"], ["active", "Active"], ["suspended", "Suspended"], ["deleted", "Deleted"]].map(([value, text]) =>
      h("option", { value }, text),
    ),
  );
  const apply = (event) => {
    event?.preventDefault();
    Object.assign(asked, { search: search.value.trim(), status: status.value, page: 1 });
    return refresh(true);
  };
  status.addEventListener("change", apply);
  const refresh = (isByPerson) => {
    list.setAttribute("aria-busy", "true");
    return context
      .attempt(() => fill(list, asked, { ...context, isSuper, refresh, isByPerson }), list, () => refresh(true), context.signal)
      .finally(() => list.removeAttribute("aria-busy"));
  };
  // Whoever may not see it is told so before there is anything to fill in.
  await fill(list, asked, { ...context, isSuper, refresh });
  body.replaceChildren(
    h(
      "form",
      { class: "filter", role: "search", onsubmit: apply },
      h("label", {}, h("span", {}, "Name, address or id"), search),
      h("label", {}, h("span", {}, "Status"), status),
      h("button", { type: "submit", class: "quiet" }, "Search"),
    ),
    list,
  );
}

async function fill(list, asked, context) {
  const address = context.isSuper ? "/v1/admin/users" : "/v1/admin/tenant/users";
  const parameters = query({ ...asked, per_page: PER_PAGE });
  const found = await call("GET", `${address}${parameters}`, { signal: context.signal });
  if (context.isByPerson) announce(`${found.total} found`);
  if (found.users.length === 0) {
    const isFiltered = asked.search !== "" || asked.status !== "";
    list.replaceChildren(
      isFiltered
        ? empty("Nobody fits", "Try another name, or any status.")
        : empty("Nobody here yet", "A sync reads ScaiKey’s directory; people who sign in appear by themselves."),
    );
    return;
  }
  const last = Math.ceil(found.total / PER_PAGE);
  const turn = (by) => () => {
    asked.page += by;
    context.refresh(true);
  };
  list.replaceChildren(
    h("p", { class: "muted small" }, `${found.total} in all`),
    h("ul", { class: "rows", id: "people" }, found.users.map((user) => row(user, context))),
    h(
      "div",
      { class: "pages" },
      h("button", { type: "button", class: "quiet", disabled: asked.page <= 1, onclick: turn(-1) }, "Previous"),
      h("span", { class: "muted small" }, `Page ${asked.page} of ${last}`),
      h("button", { type: "button", class: "quiet", disabled: asked.page >= last, onclick: turn(1) }, "Next"),
    ),
  );
}

function row(user, context) {
  const name = user.display_name ?? user.email ?? user.id;
  const state = user.deleted_at ? "DELETED" : user.status;
  // Whose role only a super admin may change has no button for anybody else.
  const mayChange = !user.deleted_at && (context.isSuper || user.admin_role !== "super_admin");
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("p", { class: "name" }, name),
      h(
        "p",
        { class: "muted small" },
        [user.email, user.tenant_id].filter(Boolean).join(" · "),
        user.last_synced_at && [" · synced ", time(user.last_synced_at)],
      ),
    ),
    h(
      "div",
      { class: "marks" },
      badge(words(state).toLowerCase(), STATES[state]),
      user.admin_role && badge(role(user.admin_role), "accent"),
      user.admin_role && h("span", { class: "muted small" }, SOURCES[user.admin_role_source] ?? ""),
      mayChange &&
        h(
          "button",
          { type: "button", class: "quiet", "aria-label": `Change role of ${name}`, onclick: () => change(user, name, context) },
          "Change role",
        ),
    ),
  );
}

/** Asks for another role, and gives or takes it. */
function change(user, name, context) {
  const roles = ["", "tenant_admin", ...(context.isSuper ? ["super_admin"] : [])];
  const now = user.admin_role ?? "";
  const place = h("div", {});
  const choice = (value) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "role", value, checked: value === now }),
      h("span", {}, role(value)),
    );
  const save = h("button", { type: "submit" }, "Save");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "role-title", onclose: () => dialog.remove() },
    h(
      "form",
      { class: "stack", onsubmit: submit },
      h("h2", { id: "role-title" }, `Role of ${name}`),
      h("p", { class: "muted small" }, "It holds from the next request on; what the old one allowed ends at once."),
      h("fieldset", {}, h("legend", {}, "Admin role"), roles.map(choice)),
      place,
      h(
        "p",
        { class: "actions" },
        save,
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      ),
    ),
  );
  async function submit(event) {
    event.preventDefault();
    const wanted = new FormData(event.target).get("role") ?? "";
    save.disabled = true;
    place.replaceChildren(loading("Saving…"));
    try {
      const address = `/v1/admin/users/${encodeURIComponent(user.id)}/role${query({ tenant_id: user.tenant_id })}`;
      if (wanted === "") await call("DELETE", address);
      else await call("POST", address, { body: { role: wanted } });
    } catch (error) {
      save.disabled = false;
      if (error.code === undefined) throw error;
      place.replaceChildren(failed(error));
      announce(error.message);
      return;
    }
    dialog.close();
    await context.refresh(false);
    announce(`${name}: ${role(wanted)}`);
    document.querySelector(`[aria-label="Change role of ${CSS.escape(name)}"]`)?.focus();
  }
  document.body.append(dialog);
  dialog.showModal();
}
