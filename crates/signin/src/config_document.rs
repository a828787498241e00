//! `GET /v1/auth/config`: what a client needs to know before anybody has signed in.

use scaigate_problem::{Code, Problem};
use scaigate_scaikey::Metadata;
use serde_json::{Value, json};

use crate::begin::CALLBACK_PATH;
use crate::settings::{Deployment, Fault, Provider};

fn faults_json(faults: &[Fault]) -> Vec<Value> {
    faults
        .iter()
        .map(|fault| {
            json!({
                "setting": fault.setting.to_uppercase(),
                "problem": fault.problem,
                "fix": fault.fix,
            })
        })
        .collect()
}

/// The documented body: ScaiFlow's fields, and ScaiWave's under `data`.
///
/// `auth_mode` is `scaikey` only when all three of its settings are there, else `dev_token`; then
/// `reason` says what is missing. Endpoints are `null` while discovery can't be read, and
/// `discovery` says why. `configuration` is there when this deployment itself is not set up.
#[must_use]
pub fn document(
    provider: Result<&Provider, &[Fault]>,
    deployment: Result<&Deployment, &[Fault]>,
    metadata: Result<&Metadata, &Problem>,
) -> Value {
    let redirect_uri = deployment
        .ok()
        .map(|deployment| deployment.public_url.join(CALLBACK_PATH));
    let mut body = match provider {
        Ok(provider) => json!({
            "auth_mode": "scaikey",
            "scaikey_base_url": provider.base.as_str(),
            "client_id": provider.client_id.as_str(),
            "audience": provider.audiences.first(),
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
                "faults": faults_json(faults),
            },
        }),
    };
    if let Some(members) = body.as_object_mut() {
        let mode = deployment.map_or(Value::Null, |deployment| {
            deployment.auth_mode.as_str().into()
        });
        members.insert("scaiwave_auth_mode".to_owned(), mode);
    }
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
        // Nobody can sign in then, and every other route says so (S-28).
        if let Err(faults) = deployment {
            members.insert(
                "configuration".to_owned(),
                json!({
                    "code": Code::ConfigurationInvalid.as_str(),
                    "faults": faults_json(faults),
                }),
            );
        }
        if let (Ok(_), Err(problem)) = (provider, metadata) {
            let code = problem.code();
            members.insert(
                "discovery".to_owned(),
                json!({ "code": code.as_str(), "message": code.message(), "fix": code.fix() }),
            );
        }
    }
    body
}
