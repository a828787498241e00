//! A browser: a client with cookies of one host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, header};
use serde_json::Value;

use crate::{Answer, Canaries, Client};

/// A browser. Clones share the cookies.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    canaries: Canaries,
}

impl Browser {
    pub(crate) fn new(client: Client, canaries: Canaries) -> Self {
        Self {
            client,
            cookies: Arc::default(),
            canaries,
        }
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies
            .lock()
            .expect("no panic while held")
            .get(name)
            .cloned()
    }

    /// Sets a cookie, as an attacker who can plant one would.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .expect("no panic while held")
            .insert(name.to_owned(), value.to_owned());
    }

    /// Sends a request with the cookies, and keeps those of the answer.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same where no answer is an outcome too.
    ///
    /// # Errors
    /// The connection was refused or cut.
    pub async fn try_send(&self, mut request: Request<Bytes>) -> Result<Answer, String> {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .expect("no panic while held")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            let value = cookies.join("; ").parse().expect("a header");
            request.headers_mut().insert(header::COOKIE, value);
        }
        let answer = self.client.try_send(request).await?;
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let pair = value
                .to_str()
                .expect("text")
                .split(';')
                .next()
                .unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.canaries.add(value);
            self.set_cookie(name, value);
        }
        Ok(answer)
    }

    /// Goes to an address, as after a click or a redirect. Does not follow redirects.
    pub async fn get(&self, address: &str) -> Answer {
        let request = Request::get(address).header(header::ACCEPT, "text/html,*/*");
        self.send(request.body(Bytes::new()).expect("a request"))
            .await
    }

    /// Goes to an address and takes data rather than a page. Does not follow redirects.
    pub async fn fetch(&self, address: &str) -> Answer {
        let request = Request::get(address).header(header::ACCEPT, "application/json");
        self.send(request.body(Bytes::new()).expect("a request"))
            .await
    }

    /// Posts JSON, as a script of the page would.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        self.send(request).await
    }
}
