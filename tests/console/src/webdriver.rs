//! WebDriver (W3C), as much of it as these tests need: JSON over plain http to a driver on this machine.
//!
//! The crates that speak it bring ICU, a second `http`, `cookie` and `thiserror`, and other features of the
//! compiler's own helpers, for which the WebAssembly engine would be built once more.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// By what name WebDriver refers to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of a driver: one browser.
#[derive(Clone)]
pub struct Session {
    http: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

/// Something on the page.
pub struct Element {
    session: Session,
    id: String,
}

impl Session {
    /// Asks the driver at `port` for a browser.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn new(port: u16, capabilities: Value) -> Result<Self, String> {
        let mut session = Self {
            http: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            url: format!("http://127.0.0.1:{port}/session"),
        };
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made = session.send(Method::POST, "", body).await?;
        let id = made["sessionId"].as_str().ok_or("no session")?;
        session.url = format!("{}/{id}", session.url);
        Ok(session)
    }

    /// Ends the session, and the browser with it. Waits, so that it can be done where nothing is awaited.
    pub fn end(&self) {
        const PATIENCE: Duration = Duration::from_secs(10);
        let Some((host, path)) = self
            .url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
        else {
            return;
        };
        // Whatever fails: the driver is gone, and there is nobody to tell.
        let _ = TcpStream::connect(host).and_then(|mut driver| {
            driver.set_read_timeout(Some(PATIENCE))?;
            let request =
                format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            driver.write_all(request.as_bytes())?;
            // It answers once the browser has ended, and keeps the connection.
            driver.read(&mut [0; 1024])
        });
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let body = if method == Method::GET {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let answer = self
            .http
            .request(request)
            .await
            .map_err(|error| error.to_string())?;
        let is_done = answer.status().is_success();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        let mut body: Value =
            serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())?;
        let value = body["value"].take();
        if is_done {
            Ok(value)
        } else {
            Err(format!("{}: {}", value["error"], value["message"]))
        }
    }

    /// Sends a command with a body.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.send(Method::POST, path, body).await
    }

    /// Asks for something.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(Method::GET, path, Value::Null).await
    }

    /// The elements that are there now.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn elements(&self, using: &str, value: &str) -> Result<Vec<Element>, String> {
        let body = json!({ "using": using, "value": value });
        let found = self.post("/elements", body).await?;
        let found = found.as_array().cloned().unwrap_or_default();
        let ids = found.iter().filter_map(|one| one[ELEMENT].as_str());
        Ok(ids
            .map(|id| Element {
                session: self.clone(),
                id: id.to_owned(),
            })
            .collect())
    }
}

impl Element {
    async fn post(&self, what: &str, body: Value) -> Result<Value, String> {
        self.session
            .post(&format!("/element/{}/{what}", self.id), body)
            .await
    }

    /// Clicks it.
    ///
    /// # Errors
    /// It can't be clicked.
    pub async fn click(&self) -> Result<(), String> {
        self.post("click", json!({})).await.map(drop)
    }

    /// Empties it.
    ///
    /// # Errors
    /// It is no field.
    pub async fn clear(&self) -> Result<(), String> {
        self.post("clear", json!({})).await.map(drop)
    }

    /// Types into it.
    ///
    /// # Errors
    /// It is no field.
    pub async fn send_keys(&self, text: &str) -> Result<(), String> {
        self.post("value", json!({ "text": text })).await.map(drop)
    }

    /// What it says.
    ///
    /// # Errors
    /// It is gone.
    pub async fn text(&self) -> Result<String, String> {
        let text = self
            .session
            .get(&format!("/element/{}/text", self.id))
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }
}
