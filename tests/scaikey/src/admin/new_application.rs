//! An application from a request body: of direct creation and of self-registration.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::directory::{Application, ApplicationScope, ApplicationType};
use crate::exchange::Reply;
use crate::random;

/// A list of strings under `name`; `None` when there is no list.
pub(crate) fn strings(body: &Value, name: &str) -> Option<Vec<String>> {
    body[name].as_array().map(|list| {
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    })
}

/// A non-empty text under `name`, or the 422.
pub(crate) fn required<'a>(body: &'a Value, name: &str) -> Result<&'a str, Reply> {
    match body[name].as_str().filter(|text| !text.trim().is_empty()) {
        Some(text) => Ok(text),
        None => Err(missing(name)),
    }
}

/// The 422 about an absent field.
pub(crate) fn missing(name: &str) -> Reply {
    Reply::invalid("body", name, "Field required", "missing")
}

fn one_of<T: DeserializeOwned>(body: &Value, name: &str, default: T) -> Result<T, Reply> {
    match &body[name] {
        Value::Null => Ok(default),
        value => serde_json::from_value(value.clone())
            .map_err(|_| Reply::invalid("body", name, "Input should be a known value", "enum")),
    }
}

/// A new application with a fresh id, client id and, for confidential types, a secret. `allowed_scopes` is taken as it
/// stands; absent, it is `openid profile email`. A `TENANT` or `PARTNER` application names its tenant or partner.
pub(crate) fn parse(body: &Value) -> Result<Application, Reply> {
    let name = required(body, "name")?;
    let kind = one_of(body, "application_type", ApplicationType::Web)?;
    let scope = one_of(body, "scope", ApplicationScope::Global)?;
    let owner = |wanted: ApplicationScope, field: &str| {
        if scope == wanted {
            required(body, field).map(|id| Some(id.to_owned()))
        } else {
            Ok(None)
        }
    };
    Ok(Application {
        id: random::token("app_"),
        client_id: random::token(""),
        client_secret: kind.is_confidential().then(|| random::token("sks_")),
        name: name.to_owned(),
        kind,
        scope,
        tenant_id: owner(ApplicationScope::Tenant, "tenant_id")?,
        partner_id: owner(ApplicationScope::Partner, "partner_id")?,
        redirect_uris: strings(body, "redirect_uris").unwrap_or_default(),
        post_logout_redirect_uris: Vec::new(),
        allowed_scopes: strings(body, "allowed_scopes")
            .unwrap_or_else(|| ["openid", "profile", "email"].map(str::to_owned).to_vec()),
        token_lifetime: body["token_lifetime"].as_i64().unwrap_or(3_600),
        exchange_audiences: Vec::new(),
        assigned_users: Vec::new(),
        assigned_groups: Vec::new(),
    })
}
