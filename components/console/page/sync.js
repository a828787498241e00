// The sync of the directory: how the last one went, and one that is under way.

import { call } from "./api.js";
import { announce, badge, facts, fill, h } from "./dom.js";
import { time, title as capital, value, words } from "./format.js";
import { finding } from "./health.js";
import { empty, failed } from "./states.js";

export const title = "Sync";
export const lead = "Makes the mirror what ScaiKey’s directory is.";

/** Milliseconds between two looks at a sync that is under way. */
const LOOK = 1000;

const OUTCOMES = { applied: "good", failed: "bad", abandoned: "bad" };

const CALLERS = { call: "by somebody", due: "by time" };

export async function show({ signal, body, attempt }) {
  const place = h("div", { class: "stack" });
  const button = h("button", { type: "button", onclick: () => start(false) }, "Sync now");
  const trouble = h("div", { class: "stack" });
  let isAsked = false;

  async function look() {
    const state = await call("GET", "/v1/admin/sync", { signal });
    const isRunning = state.running !== null;
    button.disabled = isRunning || isAsked;
    fill(place, isRunning && running(state.running), last(state), due(state));
    if (isRunning || isAsked) setTimeout(again, LOOK);
  }
  const again = () => {
    if (!signal.aborted) attempt(look, place, again, signal);
  };

  async function start(force) {
    isAsked = true;
    button.disabled = true;
    trouble.replaceChildren();
    announce("The sync has begun.");
    setTimeout(again, 100);
    try {
      const report = await call("POST", "/v1/admin/sync", { body: { force } });
      announce(report.skipped_reason ? "There was nothing to do." : "The sync is done.");
      if (report.skipped_reason) {
        trouble.replaceChildren(h("div", { class: "finding" }, h("p", {}, `Nothing was done: ${words(report.skipped_reason)}.`)));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.code === undefined) throw error;
      if (error.status !== 401) {
        trouble.replaceChildren(failed(error), ...override(error));
        announce(error.message);
      }
    } finally {
      isAsked = false;
    }
    again();
  }

  /** What a person may decide and the sync may not. */
  function override(error) {
    if (error.code !== "sync_suspicious_shrink") return [];
    return [
      facts(Object.entries(error.details).map(([name, seen]) => [capital(name), value(seen)])),
      h(
        "p",
        { class: "actions" },
        h("button", { type: "button", class: "danger", onclick: () => start(true) }, "Apply it all the same"),
      ),
    ];
  }

  await look();
  body.replaceChildren(h("p", { class: "actions" }, button), trouble, place);
}

function running(run) {
  return h(
    "section",
    { class: "card", id: "running" },
    h("header", {}, h("h2", { id: "running-title" }, "Under way"), badge(words(run.phase ?? "beginning"), "accent")),
    h("p", { class: "muted small" }, "Begun ", time(run.started_at)),
    h("progress", { "aria-labelledby": "running-title" }),
    facts(
      [
        ["Users read", String(run.users_seen)],
        ["Groups read", String(run.groups_seen)],
        ["Memberships read", String(run.memberships_seen)],
      ],
      "numbers",
    ),
  );
}

function last({ last: run }) {
  if (!run) return empty("No sync yet", "The mirror knows only who has signed in. Sync now to read the directory.");
  const shown = Object.entries(run.statistics ?? {}).filter(
    ([name, value]) => typeof value === "number" && (value > 0 || name.endsWith("_seen")),
  );
  return h(
    "section",
    { class: "card", id: "last-sync" },
    h("header", {}, h("h2", {}, "Last sync"), badge(words(run.outcome ?? "cut short"), OUTCOMES[run.outcome] ?? "warn")),
    facts([
      ["Ended", time(run.finished_at) ?? "it did not"],
      ["Begun", time(run.started_at)],
      ["Started", CALLERS[run.trigger] ?? words(run.trigger)],
      ["How", run.statistics?.users_method && words(run.statistics.users_method)],
      ["Code", run.code && h("code", {}, run.code)],
    ]),
    (run.warnings ?? []).map((warning) => finding({ severity: "warning", ...warning })),
    shown.length > 0 && facts(shown.map(([name, value]) => [capital(name), String(Math.round(value * 100) / 100)]), "numbers"),
  );
}

function due({ due_at: at }) {
  return h("p", { class: "muted" }, at ? ["The next one is due ", time(at), "."] : "No sync is due by itself: the interval is switched off.");
}
