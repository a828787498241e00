//! The token endpoint.

use crate::deviation::{Deviation, TokenAnswerLie};
use crate::directory::{Application, ApplicationScope, ApplicationType, User};
use crate::exchange::{Call, Reply};
use crate::jwt;
use crate::oidc::authorize::narrow;
use crate::oidc::client_auth::authenticate;
use crate::oidc::issue::{self, Parts};
use crate::oidc::token_exchange;
use crate::random;
use crate::world::{Flavour, Grant, LoginSession, World};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// `POST /api/v1/platform/oauth/token`.
pub(crate) fn platform(world: &World, call: &Call) -> Reply {
    token(world, call, &Flavour::Platform)
}

/// `POST /api/v1/auth/tenants/{slug}/oauth/token`.
pub(crate) fn tenant(world: &World, call: &Call) -> Reply {
    match world.tenant_flavour(call.param("slug")) {
        Some(flavour) => token(world, call, &flavour),
        None => Reply::detail(404, "Tenant not found"),
    }
}

fn token(world: &World, call: &Call, flavour: &Flavour) -> Reply {
    let lies = world.switches.draw(|d| match d {
        Deviation::TokenAnswer(lie) => Some(lie),
        _ => None,
    });
    if lies.contains(&TokenAnswerLie::InvalidGrant) {
        return Reply::oauth(400, "invalid_grant", "refused by a switch of the emulator");
    }
    if lies.contains(&TokenAnswerLie::InvalidClient) {
        return Reply::oauth(401, "invalid_client", "refused by a switch of the emulator");
    }
    let form = call.header("content-type").unwrap_or_default();
    if !form
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        return Reply::oauth(
            400,
            "invalid_request",
            "the body must be application/x-www-form-urlencoded",
        );
    }
    if call.query("client_secret").is_some() || call.query("code").is_some() {
        return Reply::oauth(400, "invalid_request", "parameters belong in the body");
    }
    let mut names: Vec<&str> = call.form.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    // RFC 8693 section 2.1 allows several audiences and resources.
    if names
        .windows(2)
        .any(|pair| pair[0] == pair[1] && !matches!(pair[0], "audience" | "resource"))
    {
        return Reply::oauth(400, "invalid_request", "a parameter occurs twice");
    }
    let client = match authenticate(world, call) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let misplaced = match flavour {
        Flavour::Platform => client.scope != ApplicationScope::Global,
        Flavour::Tenant { id, .. } => client.tenant_id.as_ref().is_some_and(|own| own != id),
    };
    if misplaced {
        return Reply::oauth(
            400,
            "unauthorized_client",
            "the application does not live at this endpoint",
        );
    }
    let answer = match call.form("grant_type") {
        Some("authorization_code") => authorization_code(world, call, flavour, &client),
        Some("refresh_token") => refresh(world, call, flavour, &client),
        Some("client_credentials") => client_credentials(world, call, flavour, &client),
        Some(TOKEN_EXCHANGE) => token_exchange::exchange(world, call, flavour, &client),
        Some("password") if world.switches.behaviour().password_grant => {
            password(world, call, flavour, &client)
        }
        Some(_) => Err(Reply::oauth(
            400,
            "unsupported_grant_type",
            "this grant is not offered",
        )),
        None => Err(Reply::oauth(
            400,
            "invalid_request",
            "grant_type is missing",
        )),
    };
    match answer {
        Ok(answer) => issue::reply(answer, &lies),
        Err(reply) => reply,
    }
}

pub(crate) type Answer = Result<serde_json::Map<String, serde_json::Value>, Reply>;

fn invalid_grant(why: &str) -> Reply {
    Reply::oauth(400, "invalid_grant", why)
}

fn active_user(world: &World, id: &str) -> Result<User, Reply> {
    let user = world.directory().user(id).cloned();
    user.filter(User::is_active)
        .ok_or_else(|| invalid_grant("the person is not active"))
}

/// Refresh tokens go to WEB and NATIVE, to others for `offline_access` (`contract/scaikey.md` 1.5).
fn new_refresh_token(world: &World, client: &Application, grant: &Grant) -> Option<String> {
    let entitled = matches!(client.kind, ApplicationType::Web | ApplicationType::Native)
        || grant
            .scope
            .split(' ')
            .any(|scope| scope == "offline_access");
    entitled.then(|| issue::refresh_token(world, grant))
}

fn authorization_code(
    world: &World,
    call: &Call,
    flavour: &Flavour,
    client: &Application,
) -> Answer {
    let grant = redeem(world, call, flavour, client)?;
    let user = active_user(world, &grant.user_id)?;
    let refresh_token = new_refresh_token(world, client, &grant);
    let parts = Parts {
        refreshed: false,
        id_token: true,
        refresh_token,
    };
    Ok(issue::user_answer(
        world,
        client,
        &user,
        &grant,
        &grant.scope,
        parts,
    ))
}

/// Takes the code out of circulation, once.
fn redeem(
    world: &World,
    call: &Call,
    flavour: &Flavour,
    client: &Application,
) -> Result<Grant, Reply> {
    let (Some(presented), Some(redirect_uri)) = (call.form("code"), call.form("redirect_uri"))
    else {
        return Err(Reply::oauth(
            400,
            "invalid_request",
            "code and redirect_uri are required",
        ));
    };
    let now = world.now();
    let mut issued = world.issued();
    let issued = &mut *issued;
    let Some(code) = issued.codes.get_mut(presented) else {
        return Err(invalid_grant("code is invalid or expired"));
    };
    if code.grant.client_id != client.client_id || code.grant.flavour != *flavour {
        return Err(invalid_grant("code was issued to another client"));
    }
    if code.used {
        // RFC 6749 section 4.1.2: what was issued for this code should go.
        issued.revoked_families.insert(code.grant.family.clone());
        return Err(invalid_grant("code already used"));
    }
    if code.expires <= now {
        return Err(invalid_grant("code is invalid or expired"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(invalid_grant(
            "redirect_uri differs from the authorization request",
        ));
    }
    match (&code.code_challenge, call.form("code_verifier")) {
        (None, None) => {}
        (None, Some(_)) => {
            return Err(invalid_grant(
                "a code_verifier for a code without a challenge",
            ));
        }
        (Some(_), None) => return Err(invalid_grant("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let sane = (43..=128).contains(&verifier.len())
                && verifier
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
            if !sane || jwt::s256(verifier) != *challenge {
                return Err(invalid_grant("code_verifier does not match the challenge"));
            }
        }
    }
    code.used = true;
    Ok(code.grant.clone())
}

fn refresh(world: &World, call: &Call, flavour: &Flavour, client: &Application) -> Answer {
    let behaviour = world.switches.behaviour();
    let Some(presented) = call.form("refresh_token") else {
        return Err(Reply::oauth(
            400,
            "invalid_request",
            "refresh_token is required",
        ));
    };
    let (grant, scope) = {
        let now = world.now();
        let mut issued = world.issued();
        let issued = &mut *issued;
        let Some(refresh) = issued.refresh.get_mut(presented) else {
            return Err(invalid_grant("refresh token is invalid or expired"));
        };
        if refresh.grant.client_id != client.client_id || refresh.grant.flavour != *flavour {
            return Err(invalid_grant("refresh token was issued to another client"));
        }
        if issued.revoked_families.contains(&refresh.grant.family) || refresh.expires <= now {
            return Err(invalid_grant("refresh token is invalid or expired"));
        }
        if refresh.used {
            if behaviour.refresh_reuse_revokes_family {
                issued.revoked_families.insert(refresh.grant.family.clone());
            }
            return Err(invalid_grant("refresh token already used"));
        }
        let scope = match call.form("scope") {
            None => refresh.grant.scope.clone(),
            Some(asked) => {
                let within = |one: &str| refresh.grant.scope.split(' ').any(|held| held == one);
                if !asked.split_whitespace().all(within) {
                    return Err(Reply::oauth(
                        400,
                        "invalid_scope",
                        "wider than the original grant",
                    ));
                }
                asked.to_owned()
            }
        };
        refresh.used = behaviour.rotate_refresh;
        (refresh.grant.clone(), scope)
    };
    let user = active_user(world, &grant.user_id)?;
    let refresh_token = behaviour
        .rotate_refresh
        .then(|| issue::refresh_token(world, &grant));
    let parts = Parts {
        refreshed: true,
        id_token: behaviour.refresh_id_token,
        refresh_token,
    };
    Ok(issue::user_answer(
        world, client, &user, &grant, &scope, parts,
    ))
}

fn client_credentials(
    world: &World,
    call: &Call,
    flavour: &Flavour,
    client: &Application,
) -> Answer {
    if !client.kind.is_confidential() {
        return Err(Reply::oauth(
            400,
            "unauthorized_client",
            "public clients have no client_credentials",
        ));
    }
    // Scopes about a person make no sense here.
    let service = |scope: &&str| {
        !matches!(
            *scope,
            "openid" | "profile" | "email" | "groups" | "offline_access"
        )
    };
    let scope = match call.form("scope").filter(|scope| !scope.trim().is_empty()) {
        Some(asked) => {
            narrow(world, client, asked).map_err(|(error, why)| Reply::oauth(400, error, why))?
        }
        None => client
            .allowed_scopes
            .iter()
            .map(String::as_str)
            .filter(service)
            .collect::<Vec<_>>()
            .join(" "),
    };
    let claims = issue::service_access_claims(world, client, flavour, &scope);
    let family = random::token("fam_");
    let access = issue::access_token(world, claims, &client.client_id, None, &scope, &family);
    Ok(issue::answer(&access, client.token_lifetime, &scope))
}

fn password(world: &World, call: &Call, flavour: &Flavour, client: &Application) -> Answer {
    let email = call.form("username").unwrap_or_default();
    let user = world.directory().user_by_email(email).cloned();
    let user = user
        .filter(User::is_active)
        .filter(|u| Some(u.password.as_str()) == call.form("password"))
        .filter(|u| matches!(flavour, Flavour::Platform) || in_tenant(flavour, u))
        .ok_or_else(|| invalid_grant("unknown person or wrong password"))?;
    let scope = narrow(
        world,
        client,
        call.form("scope").unwrap_or("openid profile email"),
    )
    .map_err(|(error, why)| Reply::oauth(400, error, why))?;
    let now = world.now();
    let grant = Grant {
        flavour: flavour.clone(),
        client_id: client.client_id.clone(),
        user_id: user.id.clone(),
        scope: scope.clone(),
        nonce: None,
        sid: random::token("sid_"),
        auth_time: now,
        family: random::token("fam_"),
    };
    let session = LoginSession {
        user_id: user.id.clone(),
        auth_time: now,
    };
    world.issued().sessions.insert(grant.sid.clone(), session);
    let refresh_token = new_refresh_token(world, client, &grant);
    let parts = Parts {
        refreshed: false,
        id_token: true,
        refresh_token,
    };
    Ok(issue::user_answer(
        world, client, &user, &grant, &scope, parts,
    ))
}

fn in_tenant(flavour: &Flavour, user: &User) -> bool {
    matches!(flavour, Flavour::Tenant { id, .. } if *id == user.tenant_id)
}
