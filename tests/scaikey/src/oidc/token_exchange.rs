//! Token exchange (RFC 8693). ScaiKey's own parameters are unseen (`contract/scaikey.md` 1.6): the RFC's hold.

use serde_json::{Value, json};

use crate::directory::Application;
use crate::exchange::{Call, Reply};
use crate::oidc::issue;
use crate::oidc::token::Answer;
use crate::world::{Flavour, World};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Longest delegation chain.
const MAX_CHAIN: usize = 4;

fn refuse(error: &str, why: &str) -> Reply {
    Reply::oauth(400, error, why)
}

/// A token for another audience on behalf of the subject: never wider, never longer lived, `act` names the client.
pub(crate) fn exchange(
    world: &World,
    call: &Call,
    flavour: &Flavour,
    client: &Application,
) -> Answer {
    if !client.kind.is_confidential() {
        return Err(refuse(
            "unauthorized_client",
            "public clients may not exchange tokens",
        ));
    }
    let Some(subject_token) = call.form("subject_token") else {
        return Err(refuse("invalid_request", "subject_token is required"));
    };
    if !matches!(call.form("subject_token_type"), Some(ACCESS_TOKEN | JWT)) {
        return Err(refuse(
            "invalid_request",
            "subject_token_type must be an access token's",
        ));
    }
    if call.form("actor_token").is_some() != call.form("actor_token_type").is_some() {
        return Err(refuse(
            "invalid_request",
            "actor_token and actor_token_type go together",
        ));
    }
    if call
        .form("actor_token")
        .is_some_and(|actor| world.live_access(actor).is_none())
    {
        return Err(refuse(
            "invalid_request",
            "actor_token is not a live access token",
        ));
    }
    if !matches!(
        call.form("requested_token_type"),
        None | Some(ACCESS_TOKEN | JWT)
    ) {
        return Err(refuse("invalid_request", "only access tokens are issued"));
    }
    let Some(subject) = world.live_access(subject_token) else {
        return Err(refuse(
            "invalid_request",
            "subject_token is not a live access token",
        ));
    };
    if subject.client_id != client.client_id {
        return Err(refuse(
            "invalid_request",
            "subject_token was issued to another client",
        ));
    }
    if let Flavour::Tenant { id, .. } = flavour
        && subject.claims.get("tenant_id").and_then(Value::as_str) != Some(id)
    {
        return Err(refuse(
            "invalid_request",
            "subject_token is of another tenant",
        ));
    }
    let audiences: Vec<&str> = call
        .form
        .iter()
        .filter(|(name, _)| name == "audience")
        .map(|(_, value)| value.as_str())
        .collect();
    let audience = match audiences.as_slice() {
        [] => client.client_id.as_str(),
        [one] => one,
        _ => return Err(refuse("invalid_target", "one audience at a time")),
    };
    if audience != client.client_id
        && !client
            .exchange_audiences
            .iter()
            .any(|known| known == audience)
    {
        return Err(refuse(
            "invalid_target",
            "this client may not exchange for that audience",
        ));
    }
    let scope = match call.form("scope") {
        None => subject.scope.clone(),
        Some(asked) => {
            let asked: Vec<&str> = asked.split_whitespace().collect();
            let kept: Vec<&str> = asked
                .iter()
                .copied()
                .filter(|scope| subject.has(scope))
                .collect();
            if kept.is_empty()
                || kept.len() < asked.len() && world.switches.behaviour().refuse_exchange_excess
            {
                return Err(refuse("invalid_scope", "wider than the subject token"));
            }
            kept.join(" ")
        }
    };
    let mut act = json!({ "sub": client.client_id });
    if let Some(before) = subject.claims.get("act") {
        if depth(before) >= MAX_CHAIN {
            return Err(refuse(
                "invalid_request",
                "the delegation chain is too long",
            ));
        }
        act["act"] = before.clone();
    }
    let now = world.now();
    let expires = subject.expires.min(now + client.token_lifetime);
    let mut claims = subject.claims.clone();
    claims.remove("jti");
    claims.insert("aud".into(), json!(audience));
    claims.insert("client_id".into(), json!(client.client_id));
    claims.insert("scope".into(), json!(scope));
    claims.insert("iat".into(), json!(now));
    claims.insert("exp".into(), json!(expires));
    claims.insert("act".into(), act);
    let access = issue::access_token(
        world,
        claims,
        &client.client_id,
        subject.user_id.as_deref(),
        &scope,
        &subject.family,
    );
    let mut answer = issue::answer(&access, expires - now, &scope);
    answer.insert("issued_token_type".into(), json!(ACCESS_TOKEN));
    Ok(answer)
}

fn depth(act: &Value) -> usize {
    std::iter::successors(Some(act), |act| act.get("act")).count()
}
