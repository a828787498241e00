// Who is signed in, which view is shown, and nothing else.

import * as account from "./account.js";
import { call, Failure, signOut } from "./api.js";
import { announce, h } from "./dom.js";
import * as health from "./health.js";
import * as key from "./key.js";
import * as people from "./people.js";
import { failed, loading } from "./states.js";
import * as sync from "./sync.js";
import * as webhooks from "./webhooks.js";

const VIEWS = { account, health, people, sync, webhooks, key };

const content = document.getElementById("content");
const navigation = document.getElementById("views");
const frame = document.getElementById("frame");
const who = document.getElementById("who");

let me = null;
let shown = new AbortController();

/** The name of the view in the address. */
function wanted() {
  const name = location.hash.replace(/^#\//, "");
  return Object.hasOwn(VIEWS, name) ? name : "account";
}

function dress() {
  const isIn = me !== null;
  who.hidden = !isIn;
  navigation.hidden = !isIn;
  frame.classList.toggle("with-views", isIn);
  frame.classList.toggle("alone", !isIn);
  if (!isIn) return;
  document.getElementById("who-name").textContent = me.email ?? me.display_name;
  const current = wanted();
  const links = Object.entries(VIEWS).map(([name, view]) =>
    h("li", {}, h("a", { href: `#/${name}`, "aria-current": name === current && "page" }, view.title)),
  );
  navigation.replaceChildren(h("ul", {}, links));
}

/** Nobody is signed in: the one thing to do is to sign in. */
function welcome(notice) {
  me = null;
  shown.abort();
  dress();
  document.title = "Sign in · scaigate console";
  content.replaceChildren(
    h(
      "section",
      { class: "card welcome" },
      h("h1", { tabindex: "-1" }, "scaigate console"),
      notice && h("div", { class: "finding", id: "notice" }, notice),
      h("p", {}, "See who you are here, how this deployment is, and who may do what."),
      h("p", { class: "actions" }, h("a", { class: "button", id: "sign-in", href: "/console/sign-in" }, "Sign in with ScaiKey")),
      h("p", { class: "muted small" }, "Your tokens stay on the server’s side: this page never sees one."),
    ),
  );
}

/** Shows the view of the address. What was under way for another one is given up. */
async function show(isByPerson) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const view = VIEWS[wanted()];
  dress();
  document.title = `${view.title} · scaigate console`;
  const heading = h("h1", { tabindex: "-1" }, view.title);
  const body = h("div", { class: "stack", "aria-busy": "true" }, loading());
  content.replaceChildren(h("div", {}, heading, h("p", { class: "lead" }, view.lead)), body);
  if (isByPerson) heading.focus();
  const context = { me, signal, body, again: () => show(false), reload: start, attempt };
  await attempt(async () => view.show(context), body, context.again, signal);
  body.removeAttribute("aria-busy");
}

/**
 * Does `work`, and shows in `place` why it failed. A session that has ended leads to the sign-in.
 */
async function attempt(work, place, retry, signal) {
  try {
    await work();
  } catch (error) {
    if (signal?.aborted || error.name === "AbortError") return;
    if (!(error instanceof Failure)) throw error;
    if (error.status === 401) {
      welcome(h("p", {}, "Your session has ended. Sign in again to go on."));
      announce("Your session has ended.");
      return;
    }
    place.replaceChildren(failed(error, retry));
    announce(error.message);
  }
}

async function start() {
  // What an address may carry from a sign-in of another app is nothing to keep.
  if (location.search !== "") history.replaceState(null, "", location.pathname + location.hash);
  try {
    me = await call("GET", "/v1/me");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 401) {
      const ended = error.details.reason !== undefined;
      welcome(ended && h("p", {}, "Your session has ended. Sign in again to go on."));
    } else {
      me = null;
      dress();
      document.title = "scaigate console";
      content.replaceChildren(h("h1", { class: "unseen" }, "scaigate console"), failed(error, start));
    }
    return;
  }
  await show(false);
}

document.getElementById("sign-out").addEventListener("click", async () => {
  await attempt(
    async () => {
      const done = await signOut();
      const text = done.session_ended
        ? "You are signed out here."
        : "You are signed out in this browser. The server could not end the session just now; nobody holds it any more, and it ends by itself.";
      welcome([
        h("p", {}, text),
        done.end_session_url &&
          h("p", {}, h("a", { href: done.end_session_url, rel: "noreferrer" }, "Sign out at ScaiKey too")),
      ].filter(Boolean));
      content.querySelector("h1").focus();
      announce(text);
    },
    content,
    () => show(false),
  );
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

window.addEventListener("hashchange", () => {
  if (me !== null) show(true);
});

// After the button “back” the page is there as it was left, whoever is signed in now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) start();
});

start();
