// Times and names as people read them.

import { h } from "./dom.js";

const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** A time, as long ago or ahead as it is; what it is exactly in its title. */
export function time(text, now = Date.now()) {
  const at = Date.parse(text ?? "");
  if (Number.isNaN(at)) return null;
  const seconds = Math.round((at - now) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  const words = relative.format(Math.trunc(seconds / size), unit);
  return h("time", { datetime: new Date(at).toISOString(), title: absolute.format(at) }, words);
}

/** A name of ours as words: `admin_role` is “admin role”. */
export function words(name) {
  return String(name).replaceAll("_", " ");
}

const NAMES = { scaikey: "ScaiKey", scaigrid: "ScaiGrid", sqlite: "SQLite", jwks: "JWKS" };

/** The same with a capital, for the beginning of a line. */
export function title(name) {
  const text = words(name);
  if (Object.hasOwn(NAMES, text)) return NAMES[text];
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const ROLES = { super_admin: "Super admin", tenant_admin: "Tenant admin" };

/** An admin role as people say it. */
export function role(name) {
  return ROLES[name] ?? "No admin role";
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** What was seen, whatever it is. */
export function value(thing) {
  if (thing == null) return "–";
  if (typeof thing === "string" && ISO.test(thing)) return time(thing) ?? thing;
  if (typeof thing === "boolean") return thing ? "yes" : "no";
  if (typeof thing === "object") return h("code", {}, JSON.stringify(thing));
  return String(thing);
}
