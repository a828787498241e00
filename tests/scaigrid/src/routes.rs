//! Which path goes where, and what it takes to get there.

use std::collections::HashMap;

use crate::api::{api_keys, bunkers, chat, checkpoints, cores, events, health, models, queues};
use crate::behaviour::PathReading;
use crate::caller::Caller;
use crate::control;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call};
use crate::world::World;

/// What a route does with a request.
pub(crate) type Handler = fn(&World, &Call, &Caller) -> Answer;

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Open,
    /// This permission.
    Holder(&'static str),
    /// This permission, and to belong to a tenant (Q-perm: super admins too).
    TenantHolder(&'static str),
}

pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
}

impl Route {
    /// The module that the path belongs to.
    pub(crate) fn module(&self) -> Option<&'static str> {
        self.path.strip_prefix("/v1/modules/")?.split('/').next()
    }
}

const fn route(
    method: &'static str,
    path: &'static str,
    endpoint: Endpoint,
    access: Access,
    handler: Handler,
) -> Route {
    Route {
        method,
        path,
        endpoint,
        access,
        handler,
    }
}

use Access::{Holder, Open, TenantHolder};

const LIST_MODELS: Access = Holder("models:list");
const VIEW_QUEUES: Access = TenantHolder("scaiqueue:view");
const MANAGE_QUEUES: Access = TenantHolder("scaiqueue:manage");
// B-perm: there is no key for reading alone.
const BUNKERS: Access = Holder("scaibunker:create");
const VIEW_CORES: Access = Holder("scaicore:view");
const MANAGE_CORES: Access = Holder("scaicore:manage");
const KEYS: Access = Holder("api_keys:manage");

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route("GET", "/v1/models", Endpoint::Models, LIST_MODELS, models::list),
    route("GET", "/v1/models/{slug}", Endpoint::Model, LIST_MODELS, models::get),
    route("GET", "/oai/v1/models", Endpoint::OpenAiModels, LIST_MODELS, models::list_openai),
    route("GET", "/v1/modules", Endpoint::Modules, Holder("models:list"), health::modules),
    route("GET", "/v1/modules/scaiqueue/scopes", Endpoint::Scopes, VIEW_QUEUES, queues::list_scopes),
    route("POST", "/v1/modules/scaiqueue/scopes", Endpoint::CreateScope, MANAGE_QUEUES, queues::create_scope),
    route("GET", "/v1/modules/scaiqueue/scopes/{scope}", Endpoint::Scope, VIEW_QUEUES, queues::get_scope),
    route("GET", "/v1/modules/scaiqueue/scopes/{scope}/queues", Endpoint::Queues, VIEW_QUEUES, queues::list),
    route("POST", "/v1/modules/scaiqueue/scopes/{scope}/queues", Endpoint::CreateQueue, MANAGE_QUEUES, queues::create),
    route("GET", "/v1/modules/scaiqueue/scopes/{scope}/queues/{queue}", Endpoint::Queue, VIEW_QUEUES, queues::get),
    route("GET", "/v1/modules/scaibunker/bunkers", Endpoint::Bunkers, BUNKERS, bunkers::list),
    route("GET", "/v1/modules/scaibunker/bunkers/{bunker}", Endpoint::Bunker, BUNKERS, bunkers::get),
    route("GET", "/v1/modules/scaicore/cores", Endpoint::Cores, VIEW_CORES, cores::list),
    route("POST", "/v1/modules/scaicore/cores", Endpoint::CreateCore, MANAGE_CORES, cores::create),
    route("GET", "/v1/modules/scaicore/cores/{core}", Endpoint::Core, VIEW_CORES, cores::get),
    route("POST", "/v1/modules/scaicore/cores/{core}/publish", Endpoint::PublishCore, MANAGE_CORES, cores::publish),
    route("POST", "/v1/modules/scaicore/cores/{core}/invoke", Endpoint::InvokeCore, Holder("scaicore:invoke"), cores::invoke),
    route("GET", "/v1/modules/scaicore/events", Endpoint::Events, VIEW_CORES, events::list),
    route("GET", "/v1/modules/scaicore/checkpoints", Endpoint::Checkpoints, VIEW_CORES, checkpoints::list),
    route("POST", "/v1/modules/scaicore/checkpoints/{checkpoint}/resolve", Endpoint::ResolveCheckpoint, MANAGE_CORES, checkpoints::resolve),
    route("POST", "/v1/inference/chat", Endpoint::Chat, Holder("models:use"), chat::chat),
    route("GET", "/v1/api-keys", Endpoint::ApiKeys, KEYS, api_keys::list),
    route("DELETE", "/v1/api-keys/{key}", Endpoint::ApiKeys, KEYS, api_keys::revoke),
    route("GET", "/health", Endpoint::Health, Open, health::alive),
    route("GET", "/health/ready", Endpoint::Health, Open, health::ready),
];

#[rustfmt::skip]
const CONTROL: &[Route] = &[
    route("GET", "/_emulator/switches", Endpoint::Control, Open, control::show),
    route("POST", "/_emulator/switches", Endpoint::Control, Open, control::switch),
    route("GET", "/_emulator/requests", Endpoint::Control, Open, control::requests),
    route("DELETE", "/_emulator/requests", Endpoint::Control, Open, control::forget),
    route("POST", "/_emulator/keys/{key}/revoke", Endpoint::Control, Open, control::revoke),
];

/// Where a request goes.
pub(crate) struct Found {
    pub(crate) endpoint: Endpoint,
    /// Path parameters by name, decoded.
    pub(crate) params: HashMap<&'static str, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) route: Option<&'static Route>,
    /// Whether the path exists, with another method.
    pub(crate) is_wrong_method: bool,
}

impl Found {
    pub(crate) fn nothing() -> Self {
        Self {
            endpoint: Endpoint::Unknown,
            params: HashMap::new(),
            query: Vec::new(),
            route: None,
            is_wrong_method: false,
        }
    }
}

/// Finds the route of a request target.
pub(crate) fn find(control: bool, reading: PathReading, method: &str, target: &[u8]) -> Found {
    let target = String::from_utf8_lossy(target);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut found = Found::nothing();
    found.query = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let Some(segments) = segments(path, reading) else {
        return found;
    };
    for route in ROUTES
        .iter()
        .chain(control.then_some(CONTROL).into_iter().flatten())
    {
        let Some(params) = matches(route.path, &segments) else {
            continue;
        };
        if route.method != method {
            found.is_wrong_method = true;
            continue;
        }
        found.endpoint = route.endpoint;
        found.params = params;
        found.route = Some(route);
        return found;
    }
    found
}

/// The decoded segments of a path; `None` for a target that is no path (`*`, an authority).
fn segments(path: &str, reading: PathReading) -> Option<Vec<String>> {
    // The absolute form of RFC 9112 section 3.2.2.
    let path = match path.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => path,
    };
    let path = path.strip_prefix('/')?;
    match reading {
        PathReading::Strict => Some(path.split('/').map(decode).collect()),
        PathReading::Normalising => {
            let decoded = decode(path).replace('\\', "/");
            let mut kept: Vec<String> = Vec::new();
            for segment in decoded.split('/') {
                match segment.split(';').next().unwrap_or_default() {
                    "" | "." => {}
                    ".." => drop(kept.pop()),
                    segment => kept.push(segment.to_owned()),
                }
            }
            Some(kept)
        }
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn matches(template: &'static str, segments: &[String]) -> Option<HashMap<&'static str, String>> {
    let parts: Vec<&'static str> = template[1..].split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut params = HashMap::new();
    for (part, segment) in parts.into_iter().zip(segments) {
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => drop(params.insert(name, segment.clone())),
            None if part == segment => {}
            None => return None,
        }
    }
    Some(params)
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, PathReading, find};

    #[test]
    fn an_honest_reading_decodes_segments_and_resolves_nothing() {
        for (target, endpoint) in [
            ("/v1/models?limit=2", Endpoint::Models),
            ("/v1/models/openai%2Fgpt-4o", Endpoint::Model),
            ("http://grid.example/v1/models", Endpoint::Models),
            ("/v1/models/openai/gpt-4o", Endpoint::Unknown),
            ("/v1/models/", Endpoint::Unknown),
            ("/v1//models", Endpoint::Unknown),
            (
                "/v1/modules/scaiqueue/scopes/../../../api-keys",
                Endpoint::Unknown,
            ),
            (
                "/v1/modules/scaiqueue/scopes/..%2f..%2f..%2fapi-keys",
                Endpoint::Scope,
            ),
            ("*", Endpoint::Unknown),
            ("", Endpoint::Unknown),
        ] {
            let found = find(false, PathReading::Strict, "GET", target.as_bytes());
            assert_eq!(found.endpoint, endpoint, "{target}");
        }
    }

    #[test]
    fn a_loose_reading_follows_every_trick() {
        for trick in [
            "/v1/modules/scaiqueue/scopes/../../../api-keys",
            "/v1/modules/scaiqueue/scopes/..%2f..%2f..%2fapi-keys",
            "/v1/modules/scaiqueue/scopes/%2e%2e/..%5c..\\api-keys",
            "/v1;a=b//api-keys;x",
        ] {
            let found = find(false, PathReading::Normalising, "GET", trick.as_bytes());
            assert_eq!(found.endpoint, Endpoint::ApiKeys, "{trick}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_from_an_unknown_path() {
        assert!(find(false, PathReading::Strict, "PATCH", b"/v1/models").is_wrong_method);
        assert!(!find(false, PathReading::Strict, "PATCH", b"/v1/mode").is_wrong_method);
    }

    #[test]
    fn control_is_only_there_when_asked_for() {
        for (control, endpoint) in [(false, Endpoint::Unknown), (true, Endpoint::Control)] {
            let found = find(control, PathReading::Strict, "GET", b"/_emulator/switches");
            assert_eq!(found.endpoint, endpoint);
        }
    }
}
