//! Where this deployment and its apps live, and who may pass without proof.

use scaigate_types::{BaseUrl, Origin, ReturnTo};

use super::{AuthMode, Deployment, Environment, Fault, Variables, environment, fault};

/// Where this deployment and its apps live.
///
/// # Errors
/// Every fault found.
pub fn deployment(variables: &impl Variables) -> Result<Deployment, Vec<Fault>> {
    let environment = environment(variables);
    let mut faults = Vec::new();
    let public_url = match variables
        .variable("public_url")
        .map(|text| BaseUrl::parse(&text, false))
    {
        Some(Ok(url)) if url.as_str() != url.origin().as_str() => {
            faults.push(fault(
                "public_url",
                "has a path",
                "Set it to an origin only, such as https://gate.example.",
            ));
            None
        }
        Some(Ok(url)) if !url.is_https() && environment == Environment::Production => {
            faults.push(fault(
                "public_url",
                "is not https",
                "Serve it over https. For http on a loopback host set env=dev.",
            ));
            None
        }
        Some(Ok(url)) => Some(url),
        Some(Err(_)) => {
            faults.push(fault(
                "public_url",
                "not an https origin",
                "Set it to our own origin, such as https://gate.example.",
            ));
            None
        }
        None => {
            faults.push(fault(
                "public_url",
                "missing",
                "Set it to our own origin, such as https://gate.example.",
            ));
            None
        }
    };
    let auth_mode = match variables.variable("scaiwave_auth_mode").as_deref() {
        None | Some("scaikey") => AuthMode::Scaikey,
        Some("mock") => AuthMode::Mock,
        Some("hybrid") => AuthMode::Hybrid,
        Some(_) => {
            faults.push(fault(
                "scaiwave_auth_mode",
                "not a mode",
                "Set it to scaikey, mock or hybrid; unset it is scaikey.",
            ));
            AuthMode::Scaikey
        }
    };
    let is_public = public_url
        .as_ref()
        .is_some_and(|url| url.is_https() && !url.is_loopback());
    let dangerous = variables.variable("dangerous_allow_dev_auth").as_deref()
        == Some("i-understand-anyone-can-sign-in");
    if is_public && !dangerous {
        if environment == Environment::Development {
            faults.push(fault(
                "env",
                "dev on a public https deployment",
                "Set env=prod. If anybody may really sign in as anybody, set dangerous_allow_dev_auth to i-understand-anyone-can-sign-in.",
            ));
        }
        if auth_mode != AuthMode::Scaikey {
            faults.push(fault(
                "scaiwave_auth_mode",
                "mock or hybrid on a public https deployment",
                "Set scaiwave_auth_mode=scaikey. If anybody may really sign in as anybody, set dangerous_allow_dev_auth to i-understand-anyone-can-sign-in.",
            ));
        }
    }
    let list = variables.variable("app_url").unwrap_or_default();
    let mut apps = Vec::new();
    let mut texts = Vec::new();
    for text in list
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .take(64)
    {
        match Origin::of(text) {
            Ok(origin) => {
                if !apps.contains(&origin) {
                    apps.push(origin);
                }
                texts.push(text);
            }
            Err(_) => faults.push(fault(
                "app_url",
                "holds something that is not an absolute http(s) URL",
                "List origins and return URLs of the apps, separated by commas, such as https://app.example/auth/done.",
            )),
        }
    }
    let Some(public_url) = public_url else {
        return Err(faults);
    };
    let home = ReturnTo::parse(texts.first().copied().unwrap_or("/"), &public_url, &apps);
    match home {
        Ok(home) if faults.is_empty() => Ok(Deployment {
            public_url,
            home,
            apps,
            environment,
            auth_mode,
        }),
        Ok(_) => Err(faults),
        Err(_) => {
            faults.push(fault(
                "app_url",
                "its first entry can't be returned to",
                "Write its host in lower case and without user information.",
            ));
            Err(faults)
        }
    }
}
