//! The authorization endpoint and the login form behind it.

use url::Url;

use crate::deviation::{AuthorizationLie, Deviation};
use crate::directory::{Application, ApplicationScope, User};
use crate::exchange::{Call, Reply};
use crate::oidc::login_page;
use crate::random;
use crate::world::{AuthorizationRequest, Code, Flavour, Grant, LoginSession, World};

/// The cookie of a browser's session at ScaiKey.
pub(crate) const SESSION_COOKIE: &str = "scaikey_session";

/// `GET /api/v1/platform/oauth/authorize`.
pub(crate) fn platform(world: &World, call: &Call) -> Reply {
    authorize(world, call, Flavour::Platform)
}

/// `GET /api/v1/auth/tenants/{slug}/oauth/authorize`.
pub(crate) fn tenant(world: &World, call: &Call) -> Reply {
    match world.tenant_flavour(call.param("slug")) {
        Some(flavour) => authorize(world, call, flavour),
        None => Reply::detail(404, "Tenant not found"),
    }
}

fn authorize(world: &World, call: &Call, flavour: Flavour) -> Reply {
    let (client, redirect_uri) = match known_client(world, call, &flavour) {
        Ok(found) => found,
        Err(why) => return login_page::refusal("invalid_request", why),
    };
    let mut request = AuthorizationRequest {
        flavour,
        client_id: client.client_id.clone(),
        redirect_uri,
        scope: String::new(),
        state: call.query("state").map(str::to_owned),
        nonce: call.query("nonce").map(str::to_owned),
        code_challenge: call.query("code_challenge").map(str::to_owned),
        login_hint: call.query("login_hint").map(str::to_owned),
    };
    match checked_scope(world, call, &client) {
        Ok(scope) => request.scope = scope,
        Err((error, why)) => return refuse(world, &request, error, why),
    }
    let behaviour = world.switches.behaviour();
    let prompts: Vec<&str> = call
        .query("prompt")
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    if let Some((user, sid)) = live_session(world, call, &request)
        && !prompts.contains(&"login")
        && !prompts.contains(&"select_account")
        && fresh_enough(world, call, &sid)
    {
        return grant(world, &request, &user, Some(&sid));
    }
    if prompts.contains(&"none") {
        return refuse(
            world,
            &request,
            "login_required",
            "no live session in this browser",
        );
    }
    if behaviour.auto_login {
        let email = request
            .login_hint
            .clone()
            .or(behaviour.auto_login_email)
            .unwrap_or_default();
        let user = world.directory().user_by_email(&email).cloned();
        if let Some(user) = user.filter(|u| may_sign_in(u, &request)) {
            return grant(world, &request, &user, None);
        }
    }
    let flow = random::token("flow_");
    let hint = request.login_hint.clone().unwrap_or_default();
    world.issued().flows.insert(flow.clone(), request);
    login_page::login(world, &flow, &client.name, &hint, None)
}

/// Client and redirect URI: nothing may be redirected before both are known to belong together.
fn known_client(
    world: &World,
    call: &Call,
    flavour: &Flavour,
) -> Result<(Application, String), &'static str> {
    let once = |name: &str| call.query.iter().filter(|(key, _)| key == name).count() == 1;
    if !once("client_id") || !once("redirect_uri") {
        return Err("client_id and redirect_uri must each be present once");
    }
    let client = world
        .client(call.query("client_id").unwrap_or_default())
        .ok_or("unknown client_id")?;
    match flavour {
        Flavour::Platform if client.scope != ApplicationScope::Global => {
            return Err("platform endpoints serve GLOBAL applications only");
        }
        Flavour::Tenant { id, .. } if client.tenant_id.as_ref().is_some_and(|own| own != id) => {
            return Err("the application belongs to another tenant");
        }
        _ => {}
    }
    let redirect_uri = call.query("redirect_uri").unwrap_or_default();
    if !client
        .redirect_uris
        .iter()
        .any(|known| known == redirect_uri)
    {
        return Err("redirect_uri is not registered for this client (compared as exact strings)");
    }
    Ok((client, redirect_uri.to_owned()))
}

/// All other parameters; the scopes granted, or the error to redirect with.
fn checked_scope(
    world: &World,
    call: &Call,
    client: &Application,
) -> Result<String, (&'static str, &'static str)> {
    let mut names: Vec<&str> = call.query.iter().map(|(key, _)| key.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(("invalid_request", "a parameter occurs twice"));
    }
    match call.query("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "only code is supported")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    if !matches!(call.query("response_mode"), None | Some("query")) {
        return Err(("invalid_request", "only response_mode=query is supported"));
    }
    match (
        call.query("code_challenge"),
        call.query("code_challenge_method"),
    ) {
        (Some(challenge), Some("S256")) => {
            let ok = challenge.len() == 43
                && challenge
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !ok {
                return Err((
                    "invalid_request",
                    "code_challenge is not a SHA-256 in base64url",
                ));
            }
        }
        (None, None) if client.kind.is_confidential() => {}
        (None, None) => return Err(("invalid_request", "public clients must use PKCE")),
        _ => {
            return Err((
                "invalid_request",
                "PKCE needs code_challenge and code_challenge_method=S256",
            ));
        }
    }
    let prompts: Vec<&str> = call
        .query("prompt")
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return Err(("invalid_request", "prompt=none stands alone"));
    }
    let Some(asked) = call.query("scope") else {
        return Err(("invalid_scope", "scope is missing"));
    };
    narrow(world, client, asked)
}

/// Scopes asked for, cut to the application's ceiling (or refused, by switch).
pub(crate) fn narrow(
    world: &World,
    client: &Application,
    asked: &str,
) -> Result<String, (&'static str, &'static str)> {
    let asked: Vec<&str> = asked.split_whitespace().collect();
    let granted: Vec<&str> = asked
        .iter()
        .copied()
        .filter(|scope| client.allows(scope))
        .collect();
    if granted.is_empty()
        || granted.len() < asked.len() && world.switches.behaviour().refuse_excess_scope
    {
        return Err((
            "invalid_scope",
            "a scope is not in the application's allowed_scopes",
        ));
    }
    Ok(granted.join(" "))
}

fn live_session(
    world: &World,
    call: &Call,
    request: &AuthorizationRequest,
) -> Option<(User, String)> {
    let sid = call.cookie(SESSION_COOKIE)?;
    let user_id = world.issued().sessions.get(sid)?.user_id.clone();
    let user = world.directory().user(&user_id).cloned()?;
    let hinted = request
        .login_hint
        .as_ref()
        .is_none_or(|hint| hint.eq_ignore_ascii_case(&user.email));
    (hinted && may_sign_in(&user, request)).then(|| (user, sid.to_owned()))
}

fn fresh_enough(world: &World, call: &Call, sid: &str) -> bool {
    let Some(max_age) = call
        .query("max_age")
        .and_then(|age| age.parse::<i64>().ok())
    else {
        return true;
    };
    let since = world.issued().sessions.get(sid).map_or(0, |s| s.auth_time);
    world.now() - since <= max_age
}

fn may_sign_in(user: &User, request: &AuthorizationRequest) -> bool {
    let in_tenant = match &request.flavour {
        Flavour::Platform => true,
        Flavour::Tenant { id, .. } => user.tenant_id == *id,
    };
    user.is_active() && in_tenant
}

/// `POST /login`: the form of the login page (`flow`, `email`, `password`, or `flow`, `deny`).
pub(crate) fn login(world: &World, call: &Call) -> Reply {
    let flow = call.form("flow").unwrap_or_default();
    let request = world.issued().flows.get(flow).cloned();
    let Some(request) = request else {
        return login_page::refusal("invalid_request", "this login page is no longer valid");
    };
    if call.form("deny").is_some() {
        world.issued().flows.remove(flow);
        return refuse(world, &request, "access_denied", "the person cancelled");
    }
    let email = call.form("email").unwrap_or_default();
    let user = world.directory().user_by_email(email).cloned();
    let user = user.filter(|u| Some(u.password.as_str()) == call.form("password"));
    match user.filter(|u| may_sign_in(u, &request)) {
        Some(user) => {
            world.issued().flows.remove(flow);
            grant(world, &request, &user, None)
        }
        None => login_page::login(
            world,
            flow,
            &request.client_id,
            email,
            Some("Unknown address, wrong password, or not an active person of this tenant."),
        ),
    }
}

/// Signs the person in and sends the browser back with a code.
fn grant(world: &World, request: &AuthorizationRequest, user: &User, sid: Option<&str>) -> Reply {
    let behaviour = world.switches.behaviour();
    let now = world.now();
    let code = random::token("code_");
    let sid = {
        let mut issued = world.issued();
        let sid = sid.map_or_else(|| random::token("sid_"), str::to_owned);
        let session = issued
            .sessions
            .entry(sid.clone())
            .or_insert_with(|| LoginSession {
                user_id: user.id.clone(),
                auth_time: now,
            });
        let auth_time = session.auth_time;
        issued.codes.insert(
            code.clone(),
            Code {
                grant: Grant {
                    flavour: request.flavour.clone(),
                    client_id: request.client_id.clone(),
                    user_id: user.id.clone(),
                    scope: request.scope.clone(),
                    nonce: request.nonce.clone(),
                    sid: sid.clone(),
                    auth_time,
                    family: random::token("fam_"),
                },
                redirect_uri: request.redirect_uri.clone(),
                code_challenge: request.code_challenge.clone(),
                expires: now + behaviour.code_seconds,
                used: false,
            },
        );
        sid
    };
    respond(world, request, &[("code", &code)]).with(
        "set-cookie",
        &format!("{SESSION_COOKIE}={sid}; Path=/; HttpOnly; SameSite=Lax"),
    )
}

fn refuse(world: &World, request: &AuthorizationRequest, error: &str, why: &str) -> Reply {
    respond(
        world,
        request,
        &[("error", error), ("error_description", why)],
    )
}

/// The redirect back, with `state` and `iss`, then the lies.
fn respond(world: &World, request: &AuthorizationRequest, outcome: &[(&str, &str)]) -> Reply {
    let mut pairs: Vec<(String, String)> = outcome
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    if let Some(state) = &request.state {
        pairs.push(("state".to_owned(), state.clone()));
    }
    if world.switches.behaviour().send_iss_parameter {
        pairs.push(("iss".to_owned(), world.issuer(&request.flavour)));
    }
    let lies = world.switches.draw(|d| match d {
        Deviation::Authorization(lie) => Some(lie),
        _ => None,
    });
    for lie in &lies {
        falsify(&mut pairs, *lie);
    }
    let Ok(mut target) = Url::parse(&request.redirect_uri) else {
        return login_page::refusal(
            "invalid_request",
            "the registered redirect_uri is no address",
        );
    };
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&pairs)
        .finish();
    if lies.contains(&AuthorizationLie::Fragment) {
        target.set_fragment(Some(&query));
    } else {
        let joined = target
            .query()
            .map_or_else(|| query.clone(), |own| format!("{own}&{query}"));
        target.set_query(Some(&joined));
    }
    let status = if lies.contains(&AuthorizationLie::Redirect307) {
        307
    } else {
        303
    };
    Reply::redirect(status, target.as_str()).with("referrer-policy", "no-referrer")
}

fn falsify(pairs: &mut Vec<(String, String)>, lie: AuthorizationLie) {
    let mut replace = |name: &str, values: &[&str]| {
        pairs.retain(|(key, _)| key != name);
        pairs.extend(
            values
                .iter()
                .map(|value| (name.to_owned(), (*value).to_owned())),
        );
    };
    match lie {
        AuthorizationLie::IssMissing => replace("iss", &[]),
        AuthorizationLie::IssOfAnotherServer => replace("iss", &["https://other-issuer.example"]),
        AuthorizationLie::IssTrailingSlash => {
            pairs
                .iter_mut()
                .filter(|(key, _)| key == "iss")
                .for_each(|(_, value)| value.push('/'));
        }
        AuthorizationLie::IssTwice => twice(pairs, "iss"),
        AuthorizationLie::StateMissing => replace("state", &[]),
        AuthorizationLie::StateWrong => replace("state", &["not-the-state-you-sent"]),
        AuthorizationLie::StateTwice => twice(pairs, "state"),
        AuthorizationLie::CodeAndError => replace("error", &["access_denied"]),
        AuthorizationLie::CodeEmpty => replace("code", &[""]),
        AuthorizationLie::CodeTwice => twice(pairs, "code"),
        AuthorizationLie::CodeHuge => replace("code", &["c".repeat(20_000).as_str()]),
        AuthorizationLie::CodeUnknown => replace("code", &["code_that_was_never_issued"]),
        AuthorizationLie::Fragment | AuthorizationLie::Redirect307 => {}
        AuthorizationLie::ErrorWithMarkup => {
            replace("code", &[]);
            replace("error", &["access_denied"]);
            replace(
                "error_description",
                &["<script>alert('x')</script>\"><img src=x onerror=alert(1)>"],
            );
        }
        AuthorizationLie::ServerError => {
            replace("code", &[]);
            replace("error", &["server_error"]);
        }
        AuthorizationLie::ErrorUnknown => {
            replace("code", &[]);
            replace("error", &["scaikey_invented_this"]);
        }
    }
}

fn twice(pairs: &mut Vec<(String, String)>, name: &str) {
    let again: Vec<(String, String)> = pairs
        .iter()
        .filter(|(key, _)| key == name)
        .cloned()
        .collect();
    pairs.extend(again);
}
