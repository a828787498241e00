//! `GET /v1/auth/config`: what a client needs to know before anybody has signed in.

use scaigate_problem::Problem;
use scaigate_scaikey::Metadata;
use serde_json::{Value, json};

use crate::begin::CALLBACK_PATH;
use crate::settings::{Deployment, Fault, Scaikey};

/// The documented body: ScaiFlow's fields, and ScaiWave's under `data`.
///
/// `auth_mode` is `scaikey` only when all three of its settings are there, else `dev_token`; then
/// `reason` says what is missing. Endpoints are `null` while discovery can't be read, and
/// `discovery` says why.
#[must_use]
pub fn document(
    scaikey: Result<&Scaikey, &[Fault]>,
    deployment: Option<&Deployment>,
    metadata: Result<&Metadata, &Problem>,
) -> Value {
    let redirect_uri = deployment.map(|deployment| deployment.public_url.join(CALLBACK_PATH));
    let mut body = match scaikey {
        Ok(scaikey) => json!({
            "auth_mode": "scaikey",
            "scaikey_base_url": scaikey.base.as_str(),
            "client_id": scaikey.client.id.as_str(),
            "audience": scaikey.audience,
            "redirect_uri": redirect_uri,
        }),
        Err(faults) => json!({
            "auth_mode": "dev_token",
            "scaikey_base_url": null,
            "client_id": null,
            "audience": null,
            "redirect_uri": null,
            "reason": {
                "code": "oidc_not_configured",
                "faults": faults.iter().map(|fault| json!({
                    "setting": fault.setting.to_uppercase(),
                    "problem": fault.problem,
                    "fix": fault.fix,
                })).collect::<Vec<_>>(),
            },
        }),
    };
    let mut data = body.clone();
    if let Some(data) = data.as_object_mut() {
        data.remove("reason");
        let metadata_of = |read: fn(&Metadata) -> Value| metadata.map_or(Value::Null, read);
        data.insert(
            "issuer".to_owned(),
            metadata_of(|m| m.issuer.as_str().into()),
        );
        data.insert(
            "authorization_endpoint".to_owned(),
            metadata_of(|m| m.authorization_endpoint.as_str().into()),
        );
        data.insert(
            "token_endpoint".to_owned(),
            metadata_of(|m| m.token_endpoint.as_str().into()),
        );
        data.insert(
            "scopes_supported".to_owned(),
            metadata_of(|m| m.scopes_supported.clone().into()),
        );
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("data".to_owned(), data);
        if let (Ok(_), Err(problem)) = (scaikey, metadata) {
            let code = problem.code();
            members.insert(
                "discovery".to_owned(),
                json!({ "code": code.as_str(), "message": code.message(), "fix": code.fix() }),
            );
        }
    }
    body
}
