// Calls of the console's backend. The cookie that goes along is out of reach of every script.

/** A call that failed, in the words of the server: what happened and what to do. */
export class Failure extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.fix = error.fix;
    this.details = error.details ?? {};
    this.requestId = error.request_id;
  }
}

async function send(method, path, { body, signal } = {}) {
  const headers = { accept: "application/json", "x-scaigate-console": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, {
      code: "unreachable",
      message: "The server can’t be reached.",
      fix: "Check the network, and whether scaigate is running; then try again.",
    });
  }
  const text = await answer.text();
  let json = null;
  try {
    json = text === "" ? null : JSON.parse(text);
  } catch {
    // Not ours: something in between answered.
  }
  if (answer.ok) return json;
  throw new Failure(
    answer.status,
    json?.error ?? {
      code: `http_${answer.status}`,
      message: "The server answered something that is not from scaigate.",
      fix: "Look at what stands between the browser and scaigate.",
    },
  );
}

/** Calls `/v1` for whoever is signed in. */
export function call(method, path, options) {
  return send(method, `/console/api${path}`, options);
}

/** A query with the parameters that have a value. */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value != null);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

/** Signs out. */
export function signOut() {
  return send("POST", "/console/sign-out");
}

/** Goes on in another workspace. */
export function switchWorkspace(id) {
  return send("POST", "/console/workspace", { body: { workspace_id: id } });
}
