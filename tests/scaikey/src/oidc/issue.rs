//! Issuing tokens: the claims, and the token endpoint's JSON.

use serde_json::{Map, Value, json};

use crate::deviation::{Deviation, TokenAnswerLie, TokenLie};
use crate::directory::{AdminRole, Application, ApplicationScope, User};
use crate::exchange::Reply;
use crate::jwt::{self, Claims};
use crate::random;
use crate::switches::GroupsClaim;
use crate::world::{Access, Flavour, Grant, Refresh, World};

fn has(scope: &str, one: &str) -> bool {
    scope.split(' ').any(|held| held == one)
}

fn groups_claim(world: &World, user_id: &str) -> Value {
    let ids = world.switches.behaviour().groups_claim == GroupsClaim::Ids;
    let directory = world.directory();
    let groups = directory.groups_of(user_id);
    Value::Array(
        groups
            .iter()
            .map(|g| json!(if ids { &g.id } else { &g.name }))
            .collect(),
    )
}

/// Signs an access token (`contract/scaikey.md` 2.2) and remembers it.
pub(crate) fn access_token(
    world: &World,
    mut claims: Claims,
    client_id: &str,
    user_id: Option<&str>,
    scope: &str,
    family: &str,
) -> String {
    let behaviour = world.switches.behaviour();
    if behaviour.access_token_jti {
        claims.insert("jti".into(), json!(random::token("tok_")));
    }
    let lies = world.switches.draw(|d| match d {
        Deviation::AccessToken(lie) => Some(lie),
        _ => None,
    });
    let token = jwt::sign(world, &behaviour.access_token_typ, claims.clone(), &lies);
    let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
    world.issued().access.insert(
        token.clone(),
        Access {
            claims,
            client_id: client_id.to_owned(),
            user_id: user_id.map(str::to_owned),
            scope: scope.to_owned(),
            expires,
            family: family.to_owned(),
        },
    );
    token
}

/// The claims of a person's access token.
pub(crate) fn user_access_claims(
    world: &World,
    client: &Application,
    user: &User,
    flavour: &Flavour,
    scope: &str,
) -> Claims {
    let behaviour = world.switches.behaviour();
    let now = world.now();
    let mut claims = Claims::new();
    claims.insert(
        "iss".into(),
        json!(world.token_issuer(flavour, Some(&user.tenant_id))),
    );
    claims.insert("aud".into(), json!(client.client_id));
    claims.insert("sub".into(), json!(user.id));
    claims.insert("client_id".into(), json!(client.client_id));
    claims.insert("scope".into(), json!(scope));
    claims.insert("tenant_id".into(), json!(user.tenant_id));
    claims.insert("iat".into(), json!(now));
    claims.insert("exp".into(), json!(now + client.token_lifetime));
    if *flavour == Flavour::Platform {
        claims.insert("app_scope".into(), json!(client.scope));
    }
    if let Some(role) = user.role {
        claims.insert("role".into(), json!(role));
        if role == AdminRole::PartnerAdmin {
            let partner = world
                .directory()
                .tenant(&user.tenant_id)
                .map(|t| t.partner_id.clone());
            claims.insert("partner_id".into(), json!(partner));
        }
    }
    if behaviour.access_token_identity {
        claims.insert("email".into(), json!(user.email));
        claims.insert("name".into(), json!(user.name()));
        claims.insert("groups".into(), groups_claim(world, &user.id));
    }
    if let Some(permissions) = behaviour.permissions {
        claims.insert("permissions".into(), json!(permissions));
    }
    claims
}

/// The claims of a service's access token: `sub` = `client_id`.
pub(crate) fn service_access_claims(
    world: &World,
    client: &Application,
    flavour: &Flavour,
    scope: &str,
) -> Claims {
    let now = world.now();
    let mut claims = Claims::new();
    claims.insert("iss".into(), json!(world.token_issuer(flavour, None)));
    claims.insert("aud".into(), json!(client.client_id));
    claims.insert("sub".into(), json!(client.client_id));
    claims.insert("client_id".into(), json!(client.client_id));
    claims.insert("scope".into(), json!(scope));
    claims.insert("token_type".into(), json!("client_credentials"));
    claims.insert("iat".into(), json!(now));
    claims.insert("exp".into(), json!(now + client.token_lifetime));
    match flavour {
        Flavour::Platform => {
            claims.insert("app_scope".into(), json!(client.scope));
        }
        Flavour::Tenant { id, .. } => {
            claims.insert("tenant_id".into(), json!(id));
        }
    }
    if client.scope == ApplicationScope::Global && *flavour == Flavour::Platform {
        claims.insert("platform_token".into(), json!(true));
    }
    claims
}

/// Claims about a person by scope; ID token and UserInfo share them (`contract/scaikey.md` 2.3).
pub(crate) fn identity_claims(world: &World, user: &User, scope: &str) -> Claims {
    let mut claims = Claims::new();
    claims.insert("sub".into(), json!(user.id));
    claims.insert("tenant_id".into(), json!(user.tenant_id));
    if has(scope, "email") {
        claims.insert("email".into(), json!(user.email));
        claims.insert("email_verified".into(), json!(user.email_verified));
    }
    if has(scope, "profile") {
        claims.insert("name".into(), json!(user.name()));
        claims.insert("given_name".into(), json!(user.first_name));
        claims.insert("family_name".into(), json!(user.last_name));
        claims.insert("preferred_username".into(), json!(user.email));
    }
    if has(scope, "profile") || has(scope, "groups") {
        claims.insert("groups".into(), groups_claim(world, &user.id));
    }
    claims
}

fn id_token(
    world: &World,
    grant: &Grant,
    user: &User,
    scope: &str,
    access: &str,
    refreshed: bool,
) -> String {
    let now = world.now();
    let mut claims = identity_claims(world, user, scope);
    claims.insert(
        "iss".into(),
        json!(world.token_issuer(&grant.flavour, Some(&user.tenant_id))),
    );
    claims.insert("aud".into(), json!(grant.client_id));
    claims.insert("iat".into(), json!(now));
    claims.insert(
        "exp".into(),
        json!(now + world.switches.behaviour().id_token_seconds),
    );
    claims.insert("auth_time".into(), json!(grant.auth_time));
    claims.insert("sid".into(), json!(grant.sid));
    claims.insert("at_hash".into(), json!(jwt::half_hash(access)));
    if let Some(nonce) = grant.nonce.as_ref().filter(|_| !refreshed) {
        claims.insert("nonce".into(), json!(nonce));
    }
    let lies: Vec<TokenLie> = world.switches.draw(|d| match d {
        Deviation::IdToken(lie) if !refreshed => Some(lie),
        Deviation::RefreshedIdToken(lie) if refreshed => Some(lie),
        _ => None,
    });
    jwt::sign(world, "JWT", claims, &lies)
}

/// Remembers a new refresh token of the grant's family.
pub(crate) fn refresh_token(world: &World, grant: &Grant) -> String {
    let token = random::token("skr_");
    let expires = world.now() + world.switches.behaviour().refresh_seconds;
    world.issued().refresh.insert(
        token.clone(),
        Refresh {
            grant: grant.clone(),
            expires,
            used: false,
        },
    );
    token
}

/// Which parts a person's token answer has.
pub(crate) struct Parts {
    pub(crate) refreshed: bool,
    pub(crate) id_token: bool,
    /// The refresh token to tell, if any.
    pub(crate) refresh_token: Option<String>,
}

/// The answer to a person's grant.
pub(crate) fn user_answer(
    world: &World,
    client: &Application,
    user: &User,
    grant: &Grant,
    scope: &str,
    parts: Parts,
) -> Map<String, Value> {
    let claims = user_access_claims(world, client, user, &grant.flavour, scope);
    let access = access_token(
        world,
        claims,
        &client.client_id,
        Some(&user.id),
        scope,
        &grant.family,
    );
    let mut answer = answer(&access, client.token_lifetime, scope);
    if parts.id_token && has(scope, "openid") {
        let id = id_token(world, grant, user, scope, &access, parts.refreshed);
        answer.insert("id_token".into(), json!(id));
    }
    if let Some(refresh) = parts.refresh_token {
        answer.insert("refresh_token".into(), json!(refresh));
    }
    answer
}

/// The members that every token answer has.
pub(crate) fn answer(access: &str, lifetime: i64, scope: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("access_token".into(), json!(access));
    answer.insert("token_type".into(), json!("Bearer"));
    answer.insert("expires_in".into(), json!(lifetime));
    answer.insert("scope".into(), json!(scope));
    answer
}

/// Tells the lies about a token answer and makes it a reply.
pub(crate) fn reply(mut answer: Map<String, Value>, lies: &[TokenAnswerLie]) -> Reply {
    for lie in lies {
        falsify(&mut answer, *lie);
    }
    if lies.contains(&TokenAnswerLie::ErrorWith200) {
        return Reply::oauth(200, "invalid_grant", "an error with a success status");
    }
    let mut value = Value::Object(answer);
    if lies.contains(&TokenAnswerLie::TopLevelArray) {
        value = Value::Array(vec![value]);
    }
    Reply::json(200, &value).no_store()
}

fn falsify(answer: &mut Map<String, Value>, lie: TokenAnswerLie) {
    let mut put = |name: &str, value: Value| drop(answer.insert(name.to_owned(), value));
    match lie {
        TokenAnswerLie::NoIdToken => drop(answer.remove("id_token")),
        TokenAnswerLie::EmptyIdToken => put("id_token", json!("")),
        TokenAnswerLie::NoAccessToken => drop(answer.remove("access_token")),
        TokenAnswerLie::NoRefreshToken => drop(answer.remove("refresh_token")),
        TokenAnswerLie::EmptyRefreshToken => put("refresh_token", json!("")),
        TokenAnswerLie::NoExpiresInValid => drop(answer.remove("expires_in")),
        TokenAnswerLie::ExpiresInNegative => put("expires_in", json!(-1)),
        TokenAnswerLie::ExpiresInZero => put("expires_in", json!(0)),
        TokenAnswerLie::ExpiresInFloat => put("expires_in", json!(3_599.5)),
        TokenAnswerLie::ExpiresInString => put("expires_in", json!("3600")),
        TokenAnswerLie::ExpiresInHuge => put("expires_in", json!(1e300)),
        TokenAnswerLie::ExpiresInMax => put("expires_in", json!(i64::MAX)),
        TokenAnswerLie::TokenTypeLowercaseValid => put("token_type", json!("bearer")),
        TokenAnswerLie::TokenTypeUppercaseValid => put("token_type", json!("BEARER")),
        TokenAnswerLie::TokenTypeMac => put("token_type", json!("mac")),
        TokenAnswerLie::TokenTypeDpop => put("token_type", json!("DPoP")),
        TokenAnswerLie::TokenTypeMissing => drop(answer.remove("token_type")),
        TokenAnswerLie::ScopeNarrower => {
            let scope = answer
                .get("scope")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let less = scope
                .rsplit_once(' ')
                .map_or("", |(rest, _)| rest)
                .to_owned();
            answer.insert("scope".into(), json!(less));
        }
        TokenAnswerLie::ScopeMissing => drop(answer.remove("scope")),
        TokenAnswerLie::IssuedTokenTypeMissing => drop(answer.remove("issued_token_type")),
        TokenAnswerLie::IssuedTokenTypeOther => {
            put(
                "issued_token_type",
                json!("urn:ietf:params:oauth:token-type:id_token"),
            );
        }
        TokenAnswerLie::UnexpectedRefreshToken => {
            if !answer.contains_key("refresh_token") {
                answer.insert("refresh_token".into(), json!("skr_nobody-asked-for-this"));
            }
        }
        TokenAnswerLie::Huge => put("padding", json!("x".repeat(2 << 20))),
        TokenAnswerLie::TopLevelArray
        | TokenAnswerLie::ErrorWith200
        | TokenAnswerLie::InvalidGrant
        | TokenAnswerLie::InvalidClient => {}
    }
}
