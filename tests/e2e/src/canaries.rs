//! Secrets that have been seen, and must not be seen where they don't belong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use url::Url;

/// Members of an answer whose values are secret.
const SECRET_MEMBERS: [&str; 6] = [
    "access_token",
    "refresh_token",
    "id_token",
    "session_code",
    "state",
    "code_verifier",
];

/// Query parameters whose values are secret.
const SECRET_PARAMETERS: [&str; 5] = ["code", "state", "session_code", "nonce", "code_challenge"];

/// The secrets of one world.
#[derive(Clone, Debug, Default)]
pub struct Canaries(Arc<Mutex<BTreeSet<String>>>);

impl Canaries {
    /// Remembers a secret. Short ones can't be told from ordinary words.
    pub fn add(&self, secret: &str) {
        if secret.len() >= 12 {
            self.0
                .lock()
                .expect("no panic while held")
                .insert(secret.to_owned());
        }
    }

    /// Remembers the secret members of an answer, wherever they are in it.
    pub fn add_json(&self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if SECRET_MEMBERS.contains(&name.as_str()) => {
                            self.add(text);
                        }
                        other => self.add_json(other),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| self.add_json(value)),
            _ => {}
        }
    }

    /// Remembers the secret parameters of an address.
    pub fn add_url(&self, url: &str) {
        let Ok(url) = Url::parse(url) else { return };
        for (name, value) in url.query_pairs() {
            if SECRET_PARAMETERS.contains(&name.as_ref()) {
                self.add(&value);
            }
        }
    }

    /// Fails when `text`, which is `what`, holds a secret.
    pub fn check(&self, what: &str, text: &str) {
        let secrets = self.0.lock().expect("no panic while held");
        if let Some(secret) = secrets.iter().find(|secret| text.contains(secret.as_str())) {
            let start: String = secret.chars().take(6).collect();
            drop(secrets);
            panic!("{what} holds a secret that begins with {start}…: {text}");
        }
    }
}
