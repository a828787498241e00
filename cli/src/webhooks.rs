//! `scaigate webhooks test`: an event as ScaiKey sends it (`contract/scaikey.md` 4).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use ring::hmac;
use scaigate_types::{Secret, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::api;
use crate::arguments::{WebhookTest, Webhooks};
use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::{HttpClient, TIMEOUT, json_request};
use crate::output::Report;
use crate::secrets;
use crate::settings::Settings;

const SETTING: &str = "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET";
const PATH: &str = "/api/v1/webhooks/scaikey";
/// Events of these areas write into the mirror.
const MIRRORED: [&str; 5] = ["user", "group", "group_membership", "tenant", "partner"];
/// But for these, which tell of nothing that is mirrored.
const HARMLESS: [&str; 3] = [
    "user.password_changed",
    "user.mfa_enabled",
    "user.mfa_disabled",
];
/// Whom a harmless event is about when nobody is named.
const NOBODY: &str = "usr_scaigate_webhook_test";

/// Runs the command.
///
/// # Errors
/// The secret is missing, or scaigate refuses the event.
pub fn run(command: &Webhooks, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    let Webhooks::Test(test) = command;
    let base = settings.scaigate(test.url.as_deref())?;
    let secret = secret(test, settings)?;
    let event_id = format!("evt_scaigate_test_{}", environment::random_name()?);
    let now = environment::now();
    let event = event(test, &event_id, now)?;

    let mut request = json_request(Method::POST, &base.join(PATH), None, Some(&event))?;
    let time = now.secs().to_string();
    let signature = format!("t={time},v1={}", sign(&secret, &time, request.body()));
    for (name, value) in [
        ("x-scaikey-webhook-id", "0"),
        ("x-scaikey-event-id", &event_id),
        ("x-scaikey-event-type", &test.event),
        ("x-scaikey-timestamp", &time),
        ("x-scaikey-signature", &signature),
    ] {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Failure::usage("The event can't be put into a header."))?;
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    let whom = api::whom(&base);
    let answer = http.send(&whom, request, TIMEOUT)?;
    if !answer.status().is_success() {
        return Err(Failure::answered(&whom, &answer));
    }
    Ok(report(&event_id, &test.event, &whom, &answer))
}

fn report(event_id: &str, event: &str, whom: &str, answer: &Response<Bytes>) -> Report {
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let (is_ours, outcome) = match body.get("handled").and_then(Value::as_bool) {
        Some(true) => (true, "took it and handled it"),
        Some(false) => (true, "took it; it concerns nothing that is mirrored"),
        None => (
            false,
            "took it, but its answer is not scaigate's: check --url",
        ),
    };
    let human = format!("{status}: {whom} {outcome}.\nevent: {event}, {event_id}\n");
    let json = json!({
        "event_id": event_id, "event_type": event, "status": status, "answer": body,
    });
    let exit = if is_ours { Exit::Done } else { Exit::Failed };
    Report::done(human, json).ending(exit)
}

/// The first secret: during a rotation there are two, with a comma between them.
fn secret(test: &WebhookTest, settings: &Settings) -> Result<Secret<String>, Failure> {
    let text = match &test.secret {
        Some(secret) => Some(secret.expose().clone()),
        None => settings.get(SETTING)?,
    };
    let text = text.unwrap_or_default();
    let first = text.split(',').next().unwrap_or_default().trim();
    if first.is_empty() {
        return Err(
            Failure::usage("There is no webhook secret to sign with.").with_fix(format!(
                "Set {SETTING} to the secret of the webhook in ScaiKey, the same as scaigate has."
            )),
        );
    }
    Ok(secrets::keep(first))
}

fn event(test: &WebhookTest, event_id: &str, now: Timestamp) -> Result<Value, Failure> {
    let kind = test.event.split('.').next().unwrap_or_default();
    let is_harmless = HARMLESS.contains(&test.event.as_str()) || !MIRRORED.contains(&kind);
    let resource = match &test.resource {
        Some(resource) => resource.as_str(),
        None if is_harmless => NOBODY,
        None => {
            let message = format!("{} changes the mirror: say about whom.", test.event);
            return Err(Failure::usage(message).with_fix(
                "Name a user, group, tenant or partner of ScaiKey with --resource (and --tenant), or \
                 leave --event out: the default changes nothing.",
            ));
        }
    };
    let kind = kind.strip_suffix("_membership").unwrap_or(kind);
    let mut data = test.data.clone().unwrap_or_default();
    if test.data.is_none() {
        data.insert("id".to_owned(), resource.into());
    }
    Ok(json!({
        "event_id": event_id,
        "event_type": test.event,
        "timestamp": now.rfc3339(),
        "resource": { "type": kind, "id": resource },
        "actor": { "id": null, "type": "api" },
        "data": data,
        "tenant_id": test.tenant.as_ref().map(TenantId::as_str),
        "partner_id": null,
    }))
}

/// HMAC-SHA256 over `{timestamp}.{body}`, in lower-case hexadecimal (4.3).
fn sign(secret: &Secret<String>, time: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(time.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret
        assert_eq!(
            sign(
                &Secret::new("s3cret".to_owned()),
                "1700000000",
                br#"{"a":1}"#
            ),
            "1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940"
        );
    }
}
