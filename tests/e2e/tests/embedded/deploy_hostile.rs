//! Deploying beside a ScaiGrid that misbehaves at every step, and for clients that do (`negative-cases.md`
//! 5.8): the outcome is documented, nothing is made twice, and no credential is heard (G8).

use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::grid::{
    BodyLie, Deviation, Endpoint, ErrorLie, Fault, HeaderLie, ListLie, PathReading,
};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review}\n""#;
const DEV_TOKEN: &str = "dev-token-of-the-tests-0001";

/// The steps of a deployment of [`WHOLE`], and what the failure of each is called.
const STEPS: [(Endpoint, &str); 4] = [
    (Endpoint::Scopes, "scaiqueue_provision_failed"),
    (Endpoint::Queues, "scaiqueue_provision_failed"),
    (Endpoint::CreateCore, "scaicore_create_failed"),
    (Endpoint::PublishCore, "scaicore_publish_failed"),
];

struct Scene {
    world: World,
    token: String,
    /// The path of the flow's deploy.
    path: String,
}

impl Scene {
    async fn with(pin: &str) -> Self {
        let setup = Setup::default()
            .variable("scaiflow_deploy_auth", pin)
            .variable("scaiflow_api_token", DEV_TOKEN)
            .variable("scaigrid_api_key", ACME_KEY);
        let world = World::with(setup.scaigrid()).await;
        world.canaries.add(DEV_TOKEN);
        let token = world
            .signed_in_as(ALICE, "author", Some("tenant_admin"))
            .await;
        world.set_key(&token, ACME_KEY).await;
        let flow = world.save_flow(&token, "Expense approval", WHOLE).await;
        let path = format!("/v1/flows/{}/deploy", flow["id"].as_str().expect("an id"));
        Self { world, token, path }
    }

    /// Sends a head as it is; the answer, which must hold no secret in any byte.
    async fn ask(&self, line: &str, headers: &str) -> Answer {
        let token = &self.token;
        let head = format!(
            "{line} HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\nContent-Length: 0\n{headers}\n"
        );
        self.world.raw_request(&head).await
    }

    async fn deploy(&self) -> Answer {
        let answer = self.ask(&format!("POST {}", self.path), "").await;
        // Also where it worked.
        let text = answer.text();
        self.world.canaries.check("the answer to a deploy", &text);
        answer
    }

    /// Fails unless it fails as `step` does, or, where the lie may be overlooked, works.
    fn judge(&self, answer: &Answer, what: &str, code: &str, may_work: bool) {
        if may_work && answer.status == 200 {
            return;
        }
        assert_eq!(answer.code(), code, "{what}: {}", answer.text());
        answer.assert_problem(502, code);
        assert!(!answer.text().contains("<h"), "{what}: {}", answer.text());
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// Faults after which no answer can be used.
fn fatal() -> Vec<Fault> {
    vec![
        Fault::Reset,
        Fault::Close,
        Fault::AnswerLost,
        Fault::ResetAfterHead,
        Fault::ResetInBody { after: 1 },
        Fault::CloseInBody { after: 1 },
        Fault::Truncated,
        Fault::NotHttp,
        Fault::EndlessHead,
        Fault::EndlessBody,
        Fault::BadChunk,
        Fault::LengthGarbage,
        Fault::LengthNegative,
        Fault::LengthOverflow,
        Fault::LengthTwice,
        Fault::Redirect {
            code: 302,
            to: text("https://evil.example/?key={key}"),
        },
        Fault::Redirect {
            code: 307,
            to: text("/v1/api-keys"),
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
        Fault::Answer {
            code: 200,
            content_type: text("application/json"),
            body: text("{\"data\":{\"id\":\"{key}\",\"published_slug\":\"{key}\"}}"),
        },
        Fault::Answer {
            code: 500,
            content_type: text("text/html"),
            body: text("<h1>{key}</h1>"),
        },
        Fault::Status {
            code: 503,
            retry_after: Some(3),
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn n_116_n_120_a_broken_scaigrid_is_502_at_every_step() {
    let scene = Scene::with("").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in STEPS {
        for fault in fatal() {
            switches.clear_all();
            switches.heal(endpoint);
            switches.fail_always(endpoint, fault.clone());
            let answer = scene.deploy().await;
            // A list that is refused is a refusal of its own.
            let code = match (&fault, code) {
                (Fault::Error { code: 403, .. }, "scaiqueue_provision_failed") => "scaiqueue_auth",
                (_, code) => code,
            };
            scene.judge(&answer, &format!("{fault:?} at {endpoint:?}"), code, false);
            assert!(!answer.text().contains("evil.example"), "{fault:?}");
            assert!(!answer.headers.contains_key("location"), "{fault:?}");
        }
        switches.heal(endpoint);
    }
    assert_eq!(scene.world.grid().recorder().count(Endpoint::ApiKeys), 0);
    assert_eq!(scene.deploy().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_117_what_stands_in_headers_never_passes() {
    let scene = Scene::with("").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in STEPS {
        for lie in [
            HeaderLie::EchoAuthorization,
            HeaderLie::EchoKey,
            HeaderLie::EchoEverything,
            HeaderLie::SetCookie,
            HeaderLie::HopByHop,
            HeaderLie::OurNames,
            HeaderLie::BrowserOrders,
            HeaderLie::StrayLocation,
            HeaderLie::CacheValidators,
            HeaderLie::HtmlType,
            HeaderLie::NoType,
            HeaderLie::TwoTypes,
            HeaderLie::Disposition,
            HeaderLie::Huge,
            HeaderLie::Many,
            HeaderLie::ObsTextValid,
            HeaderLie::NulInValue,
            HeaderLie::BareCr,
        ] {
            switches.clear_all();
            switches.set(Deviation::Header(endpoint, lie));
            let answer = scene.deploy().await;
            scene.judge(&answer, &format!("{lie:?} at {endpoint:?}"), code, true);
            for name in [
                "set-cookie",
                "location",
                "clear-site-data",
                "www-authenticate",
                "x-hop",
                "server-timing",
                "x-debug-authorization",
                "access-control-allow-origin",
            ] {
                assert!(!answer.headers.contains_key(name), "{lie:?}: {name}");
            }
            assert_eq!(answer.header("cache-control"), "no-store", "{lie:?}");
        }
    }
}

/// Bodies from which nothing can be read, at any step.
const UNREADABLE: [BodyLie; 16] = [
    BodyLie::EchoAuthorization,
    BodyLie::KeyEverywhere,
    BodyLie::KeyEscaped,
    BodyLie::Html,
    BodyLie::HtmlAsJson,
    BodyLie::Utf16,
    BodyLie::InvalidUtf8,
    BodyLie::Garbage,
    BodyLie::Half,
    BodyLie::TrailingGarbage,
    BodyLie::Empty,
    BodyLie::Null,
    BodyLie::JustString,
    BodyLie::NoData,
    BodyLie::DataNull,
    BodyLie::HugeString,
];

/// Bodies that may be read one way or another, and must not do harm.
const DOUBTFUL: [BodyLie; 9] = [
    BodyLie::KeyBase64,
    BodyLie::Bom,
    BodyLie::DataString,
    BodyLie::DuplicateData,
    BodyLie::Deep,
    BodyLie::HugeNumber,
    BodyLie::ManyMembers,
    BodyLie::Markup,
    BodyLie::GzipBomb,
];

#[tokio::test(flavor = "multi_thread")]
async fn n_120_g8_answers_that_can_not_be_trusted_end_the_deployment() {
    let scene = Scene::with("api_key").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in STEPS {
        for (lies, may_work) in [(&UNREADABLE[..], false), (&DOUBTFUL, true)] {
            for &lie in lies {
                switches.clear_all();
                switches.set(Deviation::Body(endpoint, lie));
                let answer = scene.deploy().await;
                scene.judge(&answer, &format!("{lie:?} at {endpoint:?}"), code, may_work);
            }
        }
        switches.clear_all();
        switches.set(Deviation::Body(endpoint, BodyLie::LeadingSpaceValid));
        assert_eq!(scene.deploy().await.status, 200, "{endpoint:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lie_lead_to_no_other_place() {
    let scene = Scene::with("").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in &STEPS[..2] {
        for (lie, may_work) in [
            (ListLie::EndlessPages, true),
            (ListLie::SameCursor, true),
            (ListLie::MoreWithoutCursor, true),
            (ListLie::HostileCursor, true),
            (ListLie::HugeCursor, true),
            (ListLie::MoreIsText, true),
            (ListLie::DoubleRows, true),
            (ListLie::ForeignRow, true),
            (ListLie::ManyRows, true),
            (ListLie::MoreMembersValid, true),
            (ListLie::NullRow, true),
            (ListLie::NumberRow, true),
            (ListLie::NoId, true),
            (ListLie::NumberId, true),
            (ListLie::PathId, true),
            // It is there, ScaiGrid says on being asked to make it, and lists none.
            (ListLie::Empty, false),
        ] {
            switches.clear_all();
            switches.set(Deviation::List(*endpoint, lie));
            scene.world.grid().recorder().clear();
            let answer = scene.deploy().await;
            scene.judge(&answer, &format!("{lie:?} at {endpoint:?}"), code, may_work);
            for seen in scene.world.grid().recorder().requests() {
                let target = seen.target().into_owned();
                let is_ours = target.starts_with("/v1/modules/scaiqueue/scopes")
                    || target.starts_with("/v1/modules/scaicore/cores");
                assert!(is_ours && !target.contains(".."), "{lie:?}: {target}");
                assert!(!target.contains("status="), "{lie:?}: {target}");
            }
            // Never more than the pages of two lists.
            assert!(scene.world.grid().recorder().total() <= 85, "{lie:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_lie_keep_their_documented_body() {
    let scene = Scene::with("api_key").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in STEPS {
        for lie in [
            ErrorLie::EchoKey,
            ErrorLie::Markup,
            ErrorLie::HugeMessage,
            ErrorLie::UnknownCode,
            ErrorLie::NumberCode,
            ErrorLie::NoError,
            ErrorLie::DetailForm,
            ErrorLie::PlainText,
            ErrorLie::Html,
            ErrorLie::Empty,
            ErrorLie::With200,
            ErrorLie::RetryHuge,
            ErrorLie::RetryNegative,
            ErrorLie::RetryGarbage,
            ErrorLie::NoRetry,
        ] {
            for status in [422, 429, 500] {
                switches.clear_all();
                switches.heal(endpoint);
                switches.set(Deviation::Error(endpoint, lie));
                let fault = Fault::Status {
                    code: status,
                    retry_after: None,
                };
                switches.fail_always(endpoint, fault);
                let answer = scene.deploy().await;
                let what = format!("{lie:?}, {status} at {endpoint:?}");
                scene.judge(&answer, &what, code, false);
                let message = answer.json()["detail"]["message"].clone();
                let message = message.as_str().expect("a message");
                assert!(message.chars().count() <= 500, "{what}: {message}");
                assert!(!message.chars().any(char::is_control), "{what}");
            }
        }
        switches.heal(endpoint);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_111_n_112_n_113_n_117_headers_of_a_client_neither_count_nor_pass() {
    let scene = Scene::with("").await;
    let headers = "X-Dev-Subject: usr_root\nx_dev_subject: usr_root\nX-Dev-Role: super_admin\n\
        X-Tenant-Id: tnt_umbra0001\nX-User: root\nX_Forwarded_User: root\nX-Scaigrid-Tenant: umbra\n\
        X-Api-Key: sgk_clientchosenkey0000000000000000000001\nProxy-Authorization: Bearer x\n\
        Cookie: __Host-scaigate=secret-cookie-value\nX-CSRF-Token: c\nIdempotency-Key: k\n\
        X-Forwarded-Host: evil.example\nX-Forwarded-Prefix: /v1/api-keys\nForwarded: host=evil.example\n\
        X-Original-URL: /v1/dev/deploy\nX-Rewrite-URL: /v1/dev/deploy\nspin-path-info: /v1/dev/deploy\n\
        spin-full-url: http://evil.example/v1/dev/deploy\nspin-client-addr: 10.0.0.1:1\n\
        spin-path-match-id: flow_other\nspin-path-match-0: x\nX-HTTP-Method-Override: DELETE\n";
    let line = format!("POST {}", scene.path);
    let answer = scene.ask(&line, headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let recorder = scene.world.grid().recorder();
    assert_eq!(recorder.total(), STEPS.len());
    for seen in recorder.requests() {
        assert_eq!(seen.tenant_id.as_deref(), Some("tnt_acme0001"));
        for name in seen.field_names() {
            let known = [
                "host",
                "accept",
                "accept-encoding",
                "authorization",
                "user-agent",
                "x-request-id",
                "content-type",
                "content-length",
                "transfer-encoding",
                "connection",
            ];
            assert!(known.contains(&name.as_str()), "{name} passed");
        }
    }
    for mentioned in ["evil.example", "secret-cookie-value", "spin-", &scene.token] {
        assert!(recorder.mentions(mentioned).is_empty(), "{mentioned}");
    }
    let twice = format!("Authorization: Bearer {}\n", scene.token);
    let answer = scene.ask(&line, &twice).await;
    answer.assert_problem(401, "token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_114_n_115_n_119_an_address_has_one_reading_and_one_method() {
    let scene = Scene::with("").await;
    let loose = PathReading::Normalising;
    scene
        .world
        .grid()
        .switches()
        .change(|b| b.path_reading = loose);
    let path = &scene.path;
    let id = path.split('/').nth(3).expect("an id");
    for target in [
        format!("{path}/"),
        format!("/{path}"),
        format!("/v1/flows//{id}/deploy"),
        format!("/v1/flows/{id}//deploy"),
        format!("/v1/flows/{id}/./deploy"),
        format!("/v1/flows/x/../{id}/deploy"),
        format!("/v1/flows/x%2f..%2f{id}/deploy"),
        format!("/v1/flows/%2e%2e/{id}/deploy"),
        format!("/v1/flows/{id}%2fdeploy"),
        format!("/v1/flows/{id}%00/deploy"),
        format!("/v1/flows/{id};x=1/deploy"),
        format!("/v1/flows/{id}/deploy;x=1"),
        format!("/v1/flows/{id}\\deploy"),
        format!("/v1/flows/{id}%5cdeploy"),
        format!("/v1/flows/{id}%c0%af/deploy"),
        format!("/v1/flows/{id}/deploy%20"),
        format!("/v1/flows/{id}/Deploy"),
        format!("/V1/flows/{id}/deploy"),
        format!("/v1/dev/..{}", path.trim_start_matches("/v1")),
        "/v1/dev//deploy".to_owned(),
        "/v1/dev/deploy/".to_owned(),
        "/v1/dev%2fdeploy".to_owned(),
    ] {
        let answer = scene.ask(&format!("POST {target}"), "").await;
        assert!(
            answer.status.is_client_error(),
            "{target}: {}",
            answer.text()
        );
        assert_eq!(scene.world.grid().recorder().total(), 0, "{target}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "FOO"] {
        for target in [path.as_str(), "/v1/dev/deploy"] {
            let mut raw = scene.world.raw().await;
            raw.send_text(&format!(
                "{method} {target} HTTP/1.1\nHost: gate\nAuthorization: Bearer {}\n\
                 X-HTTP-Method-Override: POST\nContent-Length: 0\n\n",
                scene.token
            ))
            .await;
            let (status, headers) = raw.head().await;
            assert_eq!(status, 405, "{method} {target}");
            assert_eq!(headers["allow"], "POST", "{method} {target}");
        }
    }
    // Nothing but a credential lets anybody in.
    let head = format!(
        "POST {path}?public=true&access_token={} HTTP/1.1\nHost: gate\nUser-Agent: kube-probe/1.30\n\
         Content-Length: 0\n\n",
        scene.token
    );
    let answer = scene.world.raw_request(&head).await;
    answer.assert_problem(401, "authentication_required");
    assert_eq!(scene.world.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_116_n_122_no_request_chooses_host_or_tenant() {
    let scene = Scene::with("").await;
    let body = json!({
        "publish_as_model": false, "base_url": "http://169.254.169.254", "tenant_id": "tnt_umbra0001",
        "core_id": "core_umbra_lab", "api_key": "sgk_clientchosenkey0000000000000000000001",
    })
    .to_string();
    for host in ["gate", "umbra.gate.example", "169.254.169.254"] {
        let head = format!(
            "POST {}?tenant_id=tnt_umbra0001 HTTP/1.1\nHost: {host}\nAuthorization: Bearer {}\n\
             Content-Type: application/json\nContent-Length: {}\n\n{body}",
            scene.path,
            scene.token,
            body.len()
        );
        let answer = scene.world.raw_request(&head).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    let seen = scene.world.grid().recorder().requests();
    assert!(!seen.is_empty());
    for seen in seen {
        assert_eq!(seen.tenant_id.as_deref(), Some("tnt_acme0001"));
        let host = seen.header("host").expect("a host");
        assert_eq!(format!("http://{host}"), scene.world.grid().base_url());
    }
    // A page of another origin deploys nothing, whatever it holds.
    let line = format!("POST {}", scene.path);
    let answer = scene.ask(&line, "Origin: https://evil.example\n").await;
    answer.assert_problem(403, "origin_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_end_in_two_places_deploy_once_or_never() {
    let scene = Scene::with("").await;
    let smuggled = format!(
        "POST {} HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
        scene.path, scene.token
    );
    for framing in [
        "Content-Length: 2\nTransfer-Encoding: chunked\n",
        "Content-Length: 2\nContent-Length: 0\n",
        "Transfer-Encoding: chunked, identity\n",
        "Transfer-Encoding : chunked\n",
        "Content-Length: +2\n",
    ] {
        let mut raw = scene.world.raw().await;
        raw.send_text(&format!(
            "POST /v1/dev/deploy HTTP/1.1\nHost: gate\nContent-Type: application/json\n{framing}\n"
        ))
        .await;
        raw.send(format!("0\r\n\r\n{smuggled}").as_bytes()).await;
        let (status, _) = raw.head().await;
        assert!(status.is_client_error(), "{framing}: {status}");
        assert_eq!(scene.world.grid().recorder().total(), 0, "{framing}");
    }
}
