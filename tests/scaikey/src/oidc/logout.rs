//! Ending things: end-session, revocation; and what depends on a live token: UserInfo, introspection.

use serde_json::{Value, json};
use url::Url;

use crate::deviation::{Deviation, UserinfoLie};
use crate::exchange::{Call, Reply};
use crate::oidc::authorize::SESSION_COOKIE;
use crate::oidc::client_auth::authenticate;
use crate::oidc::issue;
use crate::oidc::login_page;
use crate::world::World;

/// `POST …/oauth/revoke` (RFC 7009): 200 also for an unknown token. A refresh token takes its whole family along.
pub(crate) fn revoke(world: &World, call: &Call) -> Reply {
    let client = match authenticate(world, call) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let Some(token) = call.form("token") else {
        return Reply::oauth(400, "invalid_request", "token is required");
    };
    let mut issued = world.issued();
    let issued = &mut *issued;
    if let Some(refresh) = issued
        .refresh
        .get(token)
        .filter(|r| r.grant.client_id == client.client_id)
    {
        issued.revoked_families.insert(refresh.grant.family.clone());
    } else if issued
        .access
        .get(token)
        .is_some_and(|a| a.client_id == client.client_id)
    {
        issued.revoked_access.insert(token.to_owned());
    }
    Reply::empty(200).no_store()
}

/// `POST …/oauth/introspect` (RFC 7662).
pub(crate) fn introspect(world: &World, call: &Call) -> Reply {
    if let Err(reply) = authenticate(world, call) {
        return reply;
    }
    let Some(access) = call
        .form("token")
        .and_then(|token| world.live_access(token))
    else {
        return Reply::json(200, &json!({"active": false})).no_store();
    };
    let mut claims = access.claims;
    claims.insert("active".into(), json!(true));
    Reply::json(200, &Value::Object(claims)).no_store()
}

/// `GET|POST …/oauth/userinfo`: the token in the header, or in the form body.
pub(crate) fn userinfo(world: &World, call: &Call) -> Reply {
    let token = call.bearer().or_else(|| call.form("access_token"));
    let access = token.and_then(|token| world.live_access(token));
    let user = access.as_ref().and_then(|access| {
        let id = access.user_id.as_deref()?;
        access
            .has("openid")
            .then(|| world.directory().user(id).cloned())?
    });
    let (Some(access), Some(user)) = (access, user) else {
        return Reply::detail(401, "Could not validate credentials")
            .with("www-authenticate", "Bearer error=\"invalid_token\"");
    };
    let mut claims = issue::identity_claims(world, &user, &access.scope);
    let lies = world.switches.draw(|d| match d {
        Deviation::Userinfo(lie) => Some(lie),
        _ => None,
    });
    for lie in &lies {
        match lie {
            UserinfoLie::WrongSub => drop(claims.insert("sub".into(), json!("usr_somebody_else"))),
            UserinfoLie::MissingSub => drop(claims.remove("sub")),
            UserinfoLie::TopLevelArray => {}
        }
    }
    let mut value = Value::Object(claims);
    if lies.contains(&UserinfoLie::TopLevelArray) {
        value = Value::Array(vec![value]);
    }
    Reply::json(200, &value).no_store()
}

/// `GET|POST /oauth/logout` (RP-Initiated Logout 1.0).
pub(crate) fn end_session(world: &World, call: &Call) -> Reply {
    let hint = call.any("id_token_hint").and_then(hint_claims);
    let sid = hint
        .as_ref()
        .and_then(|claims| claims.get("sid").and_then(Value::as_str).map(str::to_owned))
        .or_else(|| call.cookie(SESSION_COOKIE).map(str::to_owned));
    let client_id = call.any("client_id").map(str::to_owned).or_else(|| {
        hint.as_ref()
            .and_then(|claims| claims.get("aud").and_then(Value::as_str).map(str::to_owned))
    });
    if let Some(sid) = &sid {
        world.issued().sessions.remove(sid);
    }
    let forget = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    let Some(back) = call.any("post_logout_redirect_uri") else {
        return login_page::notice("Signed out", "You are signed out of ScaiKey.")
            .with("set-cookie", &forget);
    };
    let client = client_id.and_then(|id| world.client(&id));
    let registered = client.is_some_and(|client| {
        client
            .post_logout_redirect_uris
            .iter()
            .any(|known| known == back)
    });
    let Some(mut target) = Url::parse(back).ok().filter(|_| registered) else {
        return login_page::refusal(
            "invalid_request",
            "post_logout_redirect_uri is not registered",
        )
        .with("set-cookie", &forget);
    };
    if let Some(state) = call.any("state") {
        target.query_pairs_mut().append_pair("state", state);
    }
    Reply::redirect(303, target.as_str()).with("set-cookie", &forget)
}

/// The payload of an ID token given as a hint. Its signature is not checked: it only says what to end.
fn hint_claims(token: &str) -> Option<Value> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
