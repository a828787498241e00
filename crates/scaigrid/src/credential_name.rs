//! Names under which credentials travel.

/// Whether a query parameter of this name carries a credential, however it is spelt.
pub(crate) fn of_parameter(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "accesskey",
        "accesstoken",
        "apikey",
        "apitoken",
        "assertion",
        "auth",
        "authorization",
        "authtoken",
        "bearer",
        "bearertoken",
        "clientassertion",
        "clientsecret",
        "credential",
        "credentials",
        "idtoken",
        "jwt",
        "passwd",
        "password",
        "privatekey",
        "refreshtoken",
        "secret",
        "sessioncode",
        "sessiontoken",
        "subjecttoken",
        "token",
        "xaccesstoken",
        "xapikey",
        "xauthtoken",
    ];
    // `token[]` and `token[0]` are `token` to many a reader.
    let base = name.split('[').next().unwrap_or_default();
    NAMES.contains(&plain(base).as_str())
}

/// Whether a member of a foreign record may hold a credential: by the end of its name, and the
/// environment of a process by its whole name.
pub(crate) fn of_member(name: &str) -> bool {
    const ENDS: &[&str] = &[
        "accesskey",
        "apikey",
        "authorization",
        "credential",
        "credentials",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "secrets",
        "token",
        "tokens",
    ];
    const ENVIRONMENT: &[&str] = &["env", "envvars", "environment", "environmentvariables"];
    let name = plain(name);
    ENDS.iter().any(|end| name.ends_with(end)) || ENVIRONMENT.contains(&name.as_str())
}

/// Whether a text begins as an API key of ScaiGrid does, alone or behind a scheme.
pub(crate) fn is_key(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.strip_prefix("bearer")
        .unwrap_or(&text)
        .trim()
        .starts_with("sgk_")
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_' | '.' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_055_parameters_that_carry_credentials_are_known_in_every_spelling() {
        for name in [
            "access_token",
            "ACCESS-TOKEN",
            "accessToken",
            "api.key",
            "token",
            "token[]",
            "token[0]",
            "X-API-Key",
            "client_secret",
        ] {
            assert!(of_parameter(name), "{name}");
        }
        for name in ["", "cursor", "page_token", "tokens", "q", "core_id", "key"] {
            assert!(!of_parameter(name), "{name}");
        }
    }

    #[test]
    fn n_055_members_that_may_hold_credentials_are_known_by_their_end() {
        for name in [
            "env_vars",
            "ENV",
            "environment",
            "ssh_private_key",
            "registry_password",
            "accessToken",
            "client-secret",
        ] {
            assert!(of_member(name), "{name}");
        }
        for name in ["name", "environment_id", "max_tokens_used", "label_set"] {
            assert!(!of_member(name), "{name}");
        }
    }

    #[test]
    fn keys_are_known_by_their_beginning() {
        for text in ["sgk_a", " SGK_a", "Bearer sgk_a", "bearersgk_"] {
            assert!(is_key(text), "{text}");
        }
        for text in ["", "sgk", "asgk_", "bearer"] {
            assert!(!is_key(text), "{text}");
        }
    }
}
