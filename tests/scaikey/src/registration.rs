//! Public self-registration with approval (`contract/scaikey.md` 5.2, way 3).
//!
//! The fields of `SelfRegistrationRequest` are not published; they follow the flags of `scaicontrol setup register` (5.3).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::admin::new_application::{self, missing, required};
use crate::directory::{Application, ApplicationType};
use crate::exchange::{Call, Reply};
use crate::random;
use crate::world::World;
use scaigate_emulation::iso8601;

/// Requests by id.
#[derive(Default)]
pub(crate) struct Registrations {
    requests: BTreeMap<String, Request>,
    /// When the last ones were made, Unix milliseconds.
    recent: Vec<i64>,
}

struct Request {
    status_token: String,
    status: &'static str,
    /// With the fields of direct creation.
    body: Value,
    email: String,
    created: i64,
    expires: i64,
    reason: Option<String>,
    /// Set by approval.
    application: Option<Application>,
    collected: bool,
}

/// A self-registration as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `req_…`.
    pub request_id: String,
    /// `PENDING`, `APPROVED`, `REJECTED`, `CANCELLED` or `EXPIRED`.
    pub status: String,
    /// The application's name.
    pub name: String,
    /// Whom to ask.
    pub email: String,
    /// The scope level asked for.
    pub scope: String,
    /// Redirect URIs asked for.
    pub redirect_uris: Vec<String>,
    /// Scopes asked for; empty when none were named.
    pub allowed_scopes: Vec<String>,
    /// The application, once approved.
    pub application_id: Option<String>,
    /// Its credentials were handed out.
    pub collected: bool,
}

/// What becomes of a pending request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Approve,
    Reject(Option<String>),
    Expire,
}

impl Registrations {
    /// Requests nobody decided on in time are expired.
    fn expire(&mut self, now: i64) {
        let late = |r: &&mut Request| r.status == "PENDING" && r.expires <= now;
        for request in self.requests.values_mut().filter(late) {
            request.status = "EXPIRED";
        }
    }

    /// All requests, by id.
    pub(crate) fn all(&self) -> Vec<Registration> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |body: &Value, name: &str| new_application::strings(body, name);
        self.requests
            .iter()
            .map(|(id, request)| Registration {
                request_id: id.clone(),
                status: request.status.to_owned(),
                name: text(&request.body["name"]),
                email: request.email.clone(),
                scope: text(&request.body["scope"]),
                redirect_uris: list(&request.body, "redirect_uris").unwrap_or_default(),
                allowed_scopes: list(&request.body, "allowed_scopes").unwrap_or_default(),
                application_id: request.application.as_ref().map(|a| a.id.clone()),
                collected: request.collected,
            })
            .collect()
    }
}

/// The first of several spellings of one field that is there.
fn spelled<'a>(body: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| required(body, name).ok())
}

/// The body with the fields of direct creation, and the e-mail address.
fn understood(world: &World, body: &Value) -> Result<(Value, String), Reply> {
    let name = required(body, "name")?;
    let email = spelled(body, &["email", "contact_email", "requester_email"])
        .ok_or_else(|| missing("email"))?;
    if !email.contains('@') {
        let why = "value is not a valid email address";
        return Err(Reply::invalid("body", "email", why, "value_error"));
    }
    let mut redirect_uris = new_application::strings(body, "redirect_uris").unwrap_or_default();
    redirect_uris.extend(spelled(body, &["url", "redirect_uri"]).map(str::to_owned));
    if redirect_uris
        .iter()
        .any(|uri| url::Url::parse(uri).is_err())
    {
        let why = "Input should be a valid URL";
        return Err(Reply::invalid("body", "redirect_uris", why, "url_parsing"));
    }
    let mut plain = json!({"name": name, "redirect_uris": redirect_uris});
    plain["scope"] = json!(spelled(body, &["scope"]).unwrap_or("GLOBAL").to_uppercase());
    for field in ["application_type", "allowed_scopes"] {
        plain[field] = body[field].clone();
    }
    let directory = world.directory();
    if let Some(slug) = spelled(body, &["tenant", "tenant_slug"]) {
        let tenant = directory.tenant_by_slug(slug);
        let tenant = tenant.filter(|t| t.status != "DELETED");
        let unknown = || Reply::invalid("body", "tenant", "Unknown tenant", "value_error");
        plain["tenant_id"] = json!(tenant.ok_or_else(unknown)?.id);
    }
    if let Some(slug) = spelled(body, &["partner", "partner_slug"]) {
        let partner = directory.partners.iter().find(|p| p.slug == slug);
        let unknown = || Reply::invalid("body", "partner", "Unknown partner", "value_error");
        plain["partner_id"] = json!(partner.ok_or_else(unknown)?.id);
    }
    let application = new_application::parse(&plain).map_err(|reply| {
        // The field the caller knows it by.
        match plain["scope"].as_str() {
            Some("TENANT") if plain["tenant_id"].is_null() => missing("tenant"),
            Some("PARTNER") if plain["partner_id"].is_null() => missing("partner"),
            _ => reply,
        }
    })?;
    if application.kind != ApplicationType::Service && application.redirect_uris.is_empty() {
        return Err(missing("redirect_uris"));
    }
    Ok((plain, email.to_owned()))
}

/// `POST /api/v1/public/register/applications`: `name`, `email`, `url` or `redirect_uris`, and optionally `scope`
/// (`GLOBAL`), `partner` and `tenant` (slugs), `application_type` (`WEB`), `allowed_scopes`. 201 with `request_id` and
/// the one-time `status_token`.
pub(crate) fn create(world: &World, call: &Call) -> Reply {
    let behaviour = world.switches.behaviour();
    let now = world.now_millis();
    {
        let mut registrations = world.registrations();
        registrations.recent.retain(|at| *at > now - 60_000);
        let limit = behaviour.registrations_per_minute;
        let made = u32::try_from(registrations.recent.len()).unwrap_or(u32::MAX);
        if limit.is_some_and(|limit| made >= limit) {
            let oldest = registrations.recent.first().copied().unwrap_or(now);
            let wait = (oldest + 60_000 - now).div_euclid(1_000) + 1;
            return Reply::detail(429, "Rate limit exceeded")
                .with("retry-after", &wait.to_string());
        }
        registrations.recent.push(now);
    }
    let (body, email) = match understood(world, &call.json()) {
        Ok(understood) => understood,
        Err(reply) => return reply,
    };
    let (id, status_token) = (random::token("req_"), random::token("sts_"));
    let created = world.now();
    let request = Request {
        status_token: status_token.clone(),
        status: "PENDING",
        body,
        email,
        created,
        expires: created + behaviour.registration_seconds,
        reason: None,
        application: None,
        collected: false,
    };
    let mut answer = told(&id, &request);
    answer["status_token"] = json!(status_token);
    world.registrations().requests.insert(id, request);
    Reply::json(201, &answer)
}

fn told(id: &str, request: &Request) -> Value {
    json!({
        "request_id": id,
        "status": request.status,
        "created_at": iso8601(request.created),
        "expires_at": iso8601(request.expires),
    })
}

/// `GET …/{id}?status_token=`: the status; after approval the credentials, once; after rejection the reason.
pub(crate) fn status(world: &World, call: &Call) -> Reply {
    let mut registrations = world.registrations();
    registrations.expire(world.now());
    let Some(request) = authorised(&mut registrations, call) else {
        return Reply::detail(404, "Registration request not found");
    };
    let mut answer = told(call.param("id"), request);
    if request.status == "REJECTED" {
        answer["reason"] = json!(request.reason);
    }
    if let Some(application) = request.application.as_ref().filter(|_| !request.collected) {
        answer["app_id"] = json!(application.id);
        answer["client_id"] = json!(application.client_id);
        answer["client_secret"] = json!(application.client_secret);
        answer["issuer"] = json!(world.base_url);
        request.collected = true;
    }
    Reply::json(200, &answer).no_store()
}

fn authorised<'a>(registrations: &'a mut Registrations, call: &Call) -> Option<&'a mut Request> {
    let request = registrations.requests.get_mut(call.param("id"))?;
    (call.query("status_token") == Some(request.status_token.as_str())).then_some(request)
}

/// `DELETE …/{id}?status_token=`: cancels a pending request (204).
pub(crate) fn cancel(world: &World, call: &Call) -> Reply {
    let mut registrations = world.registrations();
    registrations.expire(world.now());
    match authorised(&mut registrations, call) {
        Some(request) if request.status == "PENDING" => {
            request.status = "CANCELLED";
            Reply::empty(204)
        }
        Some(_) => Reply::detail(409, "Registration request is not pending"),
        None => Reply::detail(404, "Registration request not found"),
    }
}

/// Decides a pending request; `false` when there is none of this id.
pub(crate) fn decide(world: &World, id: &str, decision: Decision) -> bool {
    let mut registrations = world.registrations();
    registrations.expire(world.now());
    let pending = registrations.requests.get_mut(id);
    let Some(request) = pending.filter(|r| r.status == "PENDING") else {
        return false;
    };
    match decision {
        Decision::Approve => {
            let Ok(application) = new_application::parse(&request.body) else {
                return false;
            };
            request.status = "APPROVED";
            request.application = Some(application.clone());
            world.directory().applications.push(application);
        }
        Decision::Reject(reason) => {
            request.status = "REJECTED";
            request.reason = reason;
        }
        Decision::Expire => request.status = "EXPIRED",
    }
    true
}

/// Every request, what is too old expired.
pub(crate) fn all(world: &World) -> Vec<Registration> {
    let mut registrations = world.registrations();
    registrations.expire(world.now());
    registrations.all()
}
