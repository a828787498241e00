//! How fast a large directory is served: `cargo run -p scaikey-emulator --example measure -- [users groups memberships]`.
//! One client, one kept-alive connection, loopback, the same tokio runtime.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use scaikey_emulator::{Emulator, Options, plain_http, seed};
use serde_json::Value;
use tokio::net::TcpStream;

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is the machine's time"
)]
fn clock() -> impl Fn() -> Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}

struct Client {
    sender: SendRequest<Full<Bytes>>,
    token: String,
    bytes: usize,
    requests: usize,
}

impl Client {
    async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        let request = Request::get(path)
            .header("host", "emulator")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::default())?;
        let response = self.sender.send_request(request).await?;
        anyhow::ensure!(response.status() == 200, "{path}: {}", response.status());
        let body = response.into_body().collect().await?.to_bytes();
        self.bytes += body.len();
        self.requests += 1;
        Ok(body)
    }

    /// Every page of a list; how many rows its `meta` tells.
    async fn list(&mut self, path: &str, per_page: u64) -> anyhow::Result<u64> {
        let mut page = 1;
        loop {
            let body = self
                .get(&format!("{path}?page={page}&per_page={per_page}"))
                .await?;
            let total = total(&body).context("no total")?;
            if page * per_page >= total {
                return Ok(total);
            }
            page += 1;
        }
    }
}

/// `meta.total`, found from the end: reading a page as JSON would cost more than making it.
fn total(body: &[u8]) -> Option<u64> {
    let tail = std::str::from_utf8(&body[body.len().saturating_sub(120)..]).ok()?;
    let digits = tail.split_once("\"total\":")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    digits[..end].parse().ok()
}

async fn service_token(emulator: &Emulator) -> anyhow::Result<String> {
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        seed::SERVICE_CLIENT_ID,
        seed::SERVICE_CLIENT_SECRET
    );
    let url = format!("{}/api/v1/platform/oauth/token", emulator.base_url());
    let request = Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body))?;
    let answer = plain_http::send(request).await?;
    let answer: Value = serde_json::from_slice(answer.body())?;
    Ok(answer["access_token"]
        .as_str()
        .context("no token")?
        .to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut sizes = std::env::args().skip(1).map(|n| n.parse::<usize>());
    let mut size = |default| sizes.next().unwrap_or(Ok(default));
    let (users, groups, memberships) = (size(100_000)?, size(2_000)?, size(400_000)?);
    let now = clock();
    let directory = seed::large(users, groups, memberships, 4);
    println!("made {users}/{groups}/{memberships} in {:?}", now());
    let tenants: Vec<String> = directory.tenants.iter().map(|t| t.id.clone()).collect();
    let ids: Vec<String> = directory.groups.iter().map(|g| g.id.clone()).collect();
    let emulator = Emulator::start(Options {
        directory: Some(directory),
        ..Options::default()
    })
    .await?;
    let token = service_token(&emulator).await?;
    let stream = TcpStream::connect(emulator.address()).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut client = Client {
        sender,
        token,
        bytes: 0,
        requests: 0,
    };
    for per_page in [500, 1_000] {
        for round in ["first", "again"] {
            let what = format!("effective users, per_page {per_page}, {round}");
            let start = now();
            let mut rows = 0;
            for tenant in &tenants {
                let application = seed::APPLICATION_ID;
                let path =
                    format!("/api/v1/tenants/{tenant}/applications/{application}/effective-users");
                rows += client.list(&path, per_page).await?;
            }
            report(&what, rows, now() - start, &mut client);
            let start = now();
            let groups = client.list("/api/v1/admin/groups/", per_page).await?;
            report(
                &format!("groups, {round}"),
                groups,
                now() - start,
                &mut client,
            );
            let what = format!("members, per_page {per_page}, {round}");
            let start = now();
            let mut rows = 0;
            for id in &ids {
                let path = format!("/api/v1/admin/groups/{id}/members");
                rows += client.list(&path, per_page).await?;
            }
            report(&what, rows, now() - start, &mut client);
        }
    }
    changes(&emulator, &mut client, &now).await?;
    let start = now();
    for _ in 0..2_000 {
        client.list("/api/v1/admin/tenants/", 100).await?;
    }
    report(
        "tenants: the floor of a request",
        8_000,
        now() - start,
        &mut client,
    );
    emulator.stop().await;
    Ok(())
}

/// What a change costs: by itself, and with the first page of a list read after it.
async fn changes(
    emulator: &Emulator,
    client: &mut Client,
    now: &impl Fn() -> Duration,
) -> anyhow::Result<()> {
    let ids: Vec<String> = {
        let users = &emulator.directory().users;
        users.iter().take(1_000).map(|u| u.id.clone()).collect()
    };
    let start = now();
    for id in &ids {
        emulator.changes().suspend_user(id);
    }
    println!("suspending {} people: {:?}", ids.len(), now() - start);
    let start = now();
    for id in ids.iter().take(10) {
        emulator.changes().delete_user(id);
    }
    println!("deleting 10 people: {:?}", now() - start);
    let application = seed::APPLICATION_ID;
    let path = format!(
        "/api/v1/tenants/{}/applications/{application}/effective-users?per_page=1000",
        seed::ACME
    );
    let start = now();
    for id in ids.iter().skip(10).take(10) {
        emulator.changes().activate_user(id);
        client.get(&path).await?;
    }
    let what = "a change and a page of effective users";
    report(what, 10_000, now() - start, client);
    Ok(())
}

fn report(what: &str, rows: u64, took: Duration, client: &mut Client) {
    let seconds = took.as_secs_f64();
    println!(
        "{what:<42} {rows:>7} rows {:>5} requests {seconds:>7.3} s {:>7.0} requests/s {:>5.0} MB/s",
        client.requests,
        client.requests as f64 / seconds,
        client.bytes as f64 / seconds / 1e6,
    );
    (client.requests, client.bytes) = (0, 0);
}
