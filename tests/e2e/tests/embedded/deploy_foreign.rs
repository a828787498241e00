//! Deploying for clients that try to be somebody or somewhere else (`negative-cases.md` 5.8), byte by byte.

use scaigate_e2e::grid::PathReading;
use scaigate_e2e::{Answer, Deploying, Setup, World};
use serde_json::json;

const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review}\n""#;

/// A flow of Alice's, the path of its deploy, and who is asked.
struct Scene {
    world: World,
    token: String,
    path: String,
}

impl Scene {
    async fn new() -> Self {
        let setup = Setup::default().variable("scaiflow_api_token", "dev-token-of-the-tests-0001");
        let Deploying { world, token, path } = Deploying::with(setup, WHOLE).await;
        let path = format!("{path}/deploy");
        Self { world, token, path }
    }

    /// Sends a head as it is.
    async fn ask(&self, line: &str, headers: &str) -> Answer {
        let token = &self.token;
        let head = format!(
            "{line} HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\nContent-Length: 0\n{headers}\n"
        );
        self.world.raw_request(&head).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_111_n_112_n_113_n_117_headers_of_a_client_neither_count_nor_pass() {
    let scene = Scene::new().await;
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
    assert_eq!(recorder.total(), 4);
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
    let scene = Scene::new().await;
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
    let scene = Scene::new().await;
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
    let scene = Scene::new().await;
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
