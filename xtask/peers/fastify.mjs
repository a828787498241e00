// Fastify with jose, set up for the same job: people sign in at ScaiKey (code, PKCE, nonce) and have a
// session token (HS256), and callers bring ScaiKey's access tokens, checked by its keys.
import { createHash, randomBytes } from "node:crypto";
import Fastify from "fastify";
import { SignJWT, createRemoteJWKSet, jwtVerify } from "jose";

const { LISTEN, SCAIKEY, CLIENT_ID, CLIENT_SECRET, SECRET } = process.env;
const own = `http://${LISTEN}`;
const redirectUri = `${own}/callback`;
const discovery = `${SCAIKEY}/api/v1/platform/oauth/.well-known/openid-configuration`;
const provider = await (await fetch(discovery)).json();
const keys = createRemoteJWKSet(new URL(provider.jwks_uri));
const secret = new TextEncoder().encode(SECRET);
const pending = new Map();

const random = () => randomBytes(32).toString("base64url");

const app = Fastify({ logger: false });

app.get("/login", async (request, reply) => {
  const [state, nonce, verifier] = [random(), random(), random()];
  pending.set(state, { nonce, verifier });
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    scope: "openid profile email",
    login_hint: "alice@acme.example",
    state,
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return reply.redirect(`${provider.authorization_endpoint}?${query}`);
});

app.get("/callback", async (request, reply) => {
  const { code, state } = request.query;
  const begun = pending.get(state);
  pending.delete(state);
  if (!begun) return reply.code(400).send({ error: "state" });
  const answer = await fetch(provider.token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      code_verifier: begun.verifier,
    }),
  });
  const tokens = await answer.json();
  const { payload } = await jwtVerify(tokens.id_token, keys, { audience: CLIENT_ID });
  if (payload.nonce !== begun.nonce) return reply.code(400).send({ error: "nonce" });
  const session = await new SignJWT({ email: payload.email, tenant_id: payload.tenant_id })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(payload.sub)
    .setIssuer(own)
    .setExpirationTime("15m")
    .sign(secret);
  return { access_token: session };
});

const bearer = (request) => (request.headers.authorization ?? "").replace(/^Bearer /, "");

app.get("/me", async (request, reply) => {
  try {
    const { payload } = await jwtVerify(bearer(request), secret, { issuer: own });
    return { sub: payload.sub, email: payload.email, tenant_id: payload.tenant_id };
  } catch {
    return reply.code(401).send({ error: "token_invalid" });
  }
});

app.get("/whoami", async (request, reply) => {
  try {
    const { payload } = await jwtVerify(bearer(request), keys, { audience: CLIENT_ID });
    return { sub: payload.sub, scope: payload.scope };
  } catch {
    return reply.code(401).send({ error: "token_invalid" });
  }
});

const [host, port] = LISTEN.split(":");
await app.listen({ host, port: Number(port) });
