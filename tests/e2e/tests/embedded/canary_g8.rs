//! A tenant's key and a login token, with a ScaiGrid that repeats them wherever it can: in no answer, log,
//! error or redirect (G8, N-120).

use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::grid::{
    BodyLie, Deviation, Endpoint, ErrorLie, Fault, HeaderLie, ListLie, StreamLie,
};
use scaigate_e2e::{Setup, World};

const ALICE: &str = "alice@acme.example";
const CHAT: &str = r#"{"model":"openai/gpt-4o","messages":[{"role":"user"}],"stream":true}"#;

/// What is asked for: an endpoint and the request for it.
const ASKED: [(Endpoint, &str, &str); 4] = [
    (Endpoint::Models, "GET /v1/scaigrid/models", ""),
    (Endpoint::Modules, "GET /v1/scaigrid/modules", ""),
    (Endpoint::Events, "GET /v1/scaicore/events", ""),
    (Endpoint::Chat, "POST /v1/scaigrid/inference/chat", CHAT),
];

/// Every byte of the answer.
async fn bytes(world: &World, token: &str, line: &str, body: &str) -> String {
    let mut raw = world.raw().await;
    let kind = if body.is_empty() {
        String::new()
    } else {
        format!(
            "Content-Type: application/json\nContent-Length: {}\n",
            body.len()
        )
    };
    raw.send_text(&format!(
        "{line} HTTP/1.1\nHost: gate\nConnection: close\nAuthorization: Bearer {token}\n{kind}\n{body}"
    ))
    .await;
    let mut all = Vec::new();
    loop {
        let more = raw.some().await;
        if more.is_empty() {
            return String::from_utf8_lossy(&all).into_owned();
        }
        all.extend(more);
    }
}

/// A world that speaks with the tenant's key or with the login token, and the secret it speaks with.
async fn speaking(pin: &str) -> (World, String, String) {
    let setup = Setup::default()
        .variable("scaiflow_deploy_auth", pin)
        .variable("scaigrid_allowed_posts", "inference");
    let world = World::with(setup.scaigrid()).await;
    let token = world
        .signed_in_as(ALICE, "author", Some("tenant_admin"))
        .await;
    world.set_key(&token, ACME_KEY).await;
    let honest = world.client.get("/v1/scaigrid/modules", Some(&token)).await;
    assert_eq!(honest.status, 200, "{}", honest.text());
    let seen = world
        .grid()
        .recorder()
        .last(Endpoint::Modules)
        .expect("one");
    let secret = seen.credential.expect("a credential").secret().to_owned();
    assert_eq!(secret == ACME_KEY, pin == "api_key");
    world.canaries.add(&secret);
    (world, token, secret)
}

fn lies(endpoint: Endpoint) -> Vec<Deviation> {
    let mut lies: Vec<Deviation> = [
        HeaderLie::EchoAuthorization,
        HeaderLie::EchoKey,
        HeaderLie::EchoEverything,
        HeaderLie::StrayLocation,
    ]
    .map(|lie| Deviation::Header(endpoint, lie))
    .to_vec();
    lies.extend(
        [BodyLie::EchoAuthorization, BodyLie::KeyEverywhere]
            .map(|lie| Deviation::Body(endpoint, lie)),
    );
    if endpoint == Endpoint::Models {
        lies.push(Deviation::Body(endpoint, BodyLie::KeyEscaped));
        lies.push(Deviation::List(endpoint, ListLie::HostileCursor));
    }
    if endpoint == Endpoint::Chat {
        lies.extend(
            [
                StreamLie::KeyInContent,
                StreamLie::KeyAcrossPieces,
                StreamLie::ErrorWithKey,
                StreamLie::KeyInComment,
                StreamLie::NotStreamed,
            ]
            .map(Deviation::Stream),
        );
    }
    lies
}

fn faults() -> Vec<Fault> {
    let text = |text: &str| text.to_owned();
    let answer = |code, content_type: &str| Fault::Answer {
        code,
        content_type: text(content_type),
        body: text("{\"error\":{\"code\":\"{key}\",\"message\":\"{key}\"}}"),
    };
    vec![
        Fault::Redirect {
            code: 302,
            to: text("https://evil.example/?key={key}"),
        },
        Fault::Redirect {
            code: 308,
            to: text("/v1/models?access_token={key}"),
        },
        Fault::Error {
            code: 403,
            error: text("DENIED"),
            message: text("{key}"),
        },
        Fault::Error {
            code: 500,
            error: text("FAILED"),
            message: text("Bearer {key}"),
        },
        answer(200, "application/json"),
        answer(200, "text/plain"),
        answer(401, "application/json"),
        answer(500, "text/html"),
        Fault::TrailersValid,
        Fault::EarlyHintsValid,
    ]
}

async fn never_heard(pin: &str) {
    let (world, token, secret) = speaking(pin).await;
    for (endpoint, line, body) in ASKED {
        let switches = world.grid().switches();
        for lie in lies(endpoint) {
            switches.clear_all();
            switches.set(lie);
            let heard = bytes(&world, &token, line, body).await;
            // A stream that begins with it ends before it has begun.
            assert!(
                heard.starts_with("HTTP/1.1 ") || endpoint == Endpoint::Chat,
                "{lie:?}"
            );
            world.canaries.check(&format!("{lie:?}"), &heard);
        }
        for error in [ErrorLie::EchoKey, ErrorLie::Markup, ErrorLie::With200] {
            switches.clear_all();
            switches.set(Deviation::Error(endpoint, error));
            let status = Fault::Status {
                code: 403,
                retry_after: None,
            };
            switches.fail_always(endpoint, status);
            let heard = bytes(&world, &token, line, body).await;
            world.canaries.check(&format!("{error:?} {line}"), &heard);
        }
        for fault in faults() {
            switches.clear_all();
            switches.fail_always(endpoint, fault.clone());
            let heard = bytes(&world, &token, line, body).await;
            assert!(heard.starts_with("HTTP/1.1 "), "{fault:?}");
            assert!(!heard.contains("evil.example"), "{fault:?}: {heard}");
            world.canaries.check(&format!("{fault:?} {line}"), &heard);
        }
    }
    for line in world.logs.lines() {
        assert!(!line.line.contains(&secret), "{}", line.line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_120_g8_a_tenants_key_is_never_heard() {
    never_heard("api_key").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_120_g8_a_login_token_is_never_heard() {
    never_heard("user_jwt").await;
}
