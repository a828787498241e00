//! Proxy, headers, paths (`negative-cases.md` 5.8), byte by byte, where an ordinary client would clean
//! the request up.

use scaigate_e2e::grid::seed::{ACME_KEY, UMBRA_KEY};
use scaigate_e2e::grid::{Deviation, Endpoint, Fault, HeaderLie, PathReading};
use scaigate_e2e::{Answer, Setup, World};

const ALICE: &str = "alice@acme.example";
const SYBIL: &str = "sybil@umbra.example";

async fn world() -> (World, String) {
    let setup = Setup::default().variable("scaigrid_allowed_posts", "inference");
    let world = World::with(setup.scaigrid()).await;
    // Whatever gets there is followed to where a careless reader would take it.
    let loose = PathReading::Normalising;
    world.grid().switches().change(|b| b.path_reading = loose);
    let token = world
        .signed_in_as(ALICE, "author", Some("tenant_admin"))
        .await;
    (world, token)
}

async fn ask(world: &World, token: &str, line: &str, headers: &str) -> Answer {
    let head = format!("{line} HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n{headers}\n");
    world.raw_request(&head).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n_111_identity_headers_of_a_client_neither_count_nor_pass() {
    let (world, token) = world().await;
    let headers = "X-Dev-Subject: usr_root\nx_dev_subject: usr_root\nX-Dev-Role: super_admin\n\
        X-DEV-ROLE: super_admin\nX-Tenant-Id: tnt_umbra0001\nX-User: root\nX_Forwarded_User: root\n\
        X-Scaigate-Principal: root\nX-Api-Key: sgk_clientchosenkey0000000000000000000001\n\
        Proxy-Authorization: Bearer x\nCookie: session=stolen; a=b\nX-CSRF-Token: c\n";
    for line in ["GET /v1/scaigrid/models", "GET /v1/scaigrid/modules"] {
        world.grid().recorder().clear();
        let answer = ask(&world, &token, line, headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = &world.grid().recorder().requests()[0];
        assert_eq!(seen.tenant_id.as_deref(), Some("tnt_acme0001"));
        let known = [
            "host",
            "accept",
            "accept-encoding",
            "authorization",
            "user-agent",
            "x-request-id",
            "content-length",
            "transfer-encoding",
            "connection",
        ];
        for field in &seen.fields {
            let name = String::from_utf8_lossy(&field.name).to_ascii_lowercase();
            assert!(known.contains(&name.as_str()), "{line}: {name} passed");
        }
    }
    let twice = format!("Authorization: Bearer {token}\n");
    let answer = ask(&world, &token, "GET /v1/scaigrid/models", &twice).await;
    answer.assert_problem(401, "token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_112_n_113_headers_that_speak_of_addresses_decide_nothing() {
    let (world, token) = world().await;
    let headers = "X-Forwarded-Host: evil.example\nX-Forwarded-Prefix: /v1/api-keys\n\
        X-Forwarded-Uri: /v1/api-keys\nForwarded: host=evil.example;for=10.0.0.1\n\
        X-Original-URL: /v1/scaigrid/api-keys\nX-Rewrite-URL: /v1/scaigrid/api-keys\n\
        spin-path-info: /api-keys\nspin-full-url: http://evil.example/v1/api-keys\n\
        spin-client-addr: 10.0.0.1:1\nspin-path-match-0: x\nspin-raw-component-route: /...\n\
        X-HTTP-Method-Override: DELETE\n";
    let answer = ask(&world, &token, "GET /v1/scaigrid/models", headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.grid().recorder().requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].method.as_str(), &*seen[0].target()),
        ("GET", "/v1/models")
    );
    assert!(world.grid().recorder().mentions("evil.example").is_empty());
    assert!(world.grid().recorder().mentions("spin-").is_empty());
    let answer = ask(&world, &token, "GET /v1/scaigrid/api-keys", headers).await;
    answer.assert_problem(404, "not_found");
}

/// Targets that two readers read differently.
const TRICKS: &[&str] = &[
    "/v1/scaiqueue/scopes/../../../api-keys",
    "/v1/scaiqueue/scopes/..%2f..%2f..%2fapi-keys",
    "/v1/scaiqueue/scopes/%2e%2e/%2e%2e/%2e%2e/api-keys",
    "/v1/scaiqueue/scopes/%2E%2E/x",
    "/v1/scaiqueue/scopes/.%2e/x",
    "/v1/scaiqueue/scopes/%252e%252e/%252e%252e/api-keys",
    "/v1/scaiqueue/scopes/..%5c..%5c..%5capi-keys",
    "/v1/scaiqueue/scopes/..\\..\\api-keys",
    "/v1/scaiqueue/scopes/..;/..;/api-keys",
    "/v1/scaiqueue/scopes;a=b",
    "/v1/scaiqueue//scopes",
    "/v1/scaiqueue/scopes/",
    "/v1/scaiqueue/./scopes",
    "/v1/scaiqueue/scopes/a%00b",
    "/v1/scaiqueue/scopes/a%0d%0aX-Injected:%20b",
    "/v1/scaiqueue/scopes/%c0%ae%c0%ae/api-keys",
    "/v1/scaiqueue/scopes/%e0%80%af",
    "/v1/scaiqueue/scopes/%ff",
    "/v1/scaiqueue/scopes/%zz",
    "/v1/scaiqueue/scopes/%",
    "/v1/scaiqueue/scopes/%2",
    "/v1/scaiqueue/scopes/%u002e",
    "/v1/scaiqueue/scopes/a%2fb",
    "/v1/scaiqueue/scopes/%61pi-keys",
    "/v1/scaiqueue/scopes/a%3fb=c",
    "/v1/scaiqueue/scopes/a%23b",
    "/v1/scaiqueue/scopes/a%3bb",
    "/v1/scaigrid/models/..%2fapi-keys",
    "/v1/scaigrid/models/../api-keys",
    "/v1/scaigrid/models/%2e%2e/api-keys",
    "/v1/scaigrid/%2e%2e/%2e%2e/health",
    "/v1/scaicore/cores/..%2f..%2f..%2fapi-keys",
    "/v1/scaibunker/bunkers/%2e%2e%2f%2e%2e%2f%2e%2e%2fapi-keys",
    "/v1/scaibunker/../scaigrid/api-keys",
    "/api/v1/scaiqueue/../../v1/scaigrid/api-keys",
    "/api/api/v1/scaigrid/models",
    "/v1/scaigrid/api-keys",
    "/v1/scaigrid/API-KEYS",
    "/v1/scaigrid/users",
    "/v1/scaigrid/auth/token",
    "/V1/scaigrid/models",
    "/v1/ScaiGrid/models",
    "/v1/scaigrid%2fmodels",
    "/v1%2fscaigrid/models",
    "//v1/scaigrid/models",
    "/v1//scaigrid/models",
    "/v1/scaiqueue/scopes?access_token=x",
    "/v1/scaiqueue/scopes?api%5Fkey=x",
    "/v1/scaiqueue/scopes?q=sgk_00000000000000000000000000000001",
    "/v1/scaiqueue/scopes?a=%00",
    "/v1/scaiqueue/scopes?a=%zz",
    "/v1/scaiqueue/scopes?a;b",
];

#[tokio::test(flavor = "multi_thread")]
async fn n_114_g9_a_target_with_two_readings_leads_nowhere() {
    let (world, token) = world().await;
    for trick in TRICKS {
        let answer = ask(&world, &token, &format!("GET {trick}"), "").await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 404),
            "{trick}: {} {}",
            answer.status,
            answer.text()
        );
        let seen = world.grid().recorder().requests();
        assert!(seen.is_empty(), "{trick} went to {}", seen[0].target());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_114_g9_what_is_let_through_is_what_was_decided_about() {
    let (world, token) = world().await;
    for (ours, theirs, endpoint) in [
        (
            "/v1/scaiqueue/scopes/sc_acme_support",
            "/v1/modules/scaiqueue/scopes/sc_acme_support",
            Endpoint::Scope,
        ),
        ("/v1/scaiqueue/scopes/a%20b", "", Endpoint::Unknown),
        (
            "/v1/scaiqueue/scopes/a:b@c",
            "/v1/modules/scaiqueue/scopes/a:b@c",
            Endpoint::Scope,
        ),
        (
            "/v1/scaiqueue/scopes/a%40b",
            "/v1/modules/scaiqueue/scopes/a%40b",
            Endpoint::Scope,
        ),
        (
            "/v1/scaigrid/models/a..b/c",
            "/v1/models/a..b%2Fc",
            Endpoint::Unknown,
        ),
        (
            "http://gate/v1/scaigrid/modules",
            "/v1/modules",
            Endpoint::Modules,
        ),
        (
            "/v1/scaigrid/modules?x=http://evil",
            "/v1/modules?x=http://evil",
            Endpoint::Modules,
        ),
        (
            "/v1/scaigrid/modules#/../api-keys",
            "/v1/modules",
            Endpoint::Modules,
        ),
    ] {
        world.grid().recorder().clear();
        ask(&world, &token, &format!("GET {ours}"), "").await;
        let seen = world.grid().recorder().requests();
        match seen.first() {
            None => assert_eq!(theirs, "", "{ours}"),
            Some(seen) => {
                assert_eq!(seen.target(), theirs, "{ours}");
                assert_ne!(seen.endpoint, Endpoint::ApiKeys);
                if endpoint != Endpoint::Unknown {
                    assert_eq!(seen.endpoint, endpoint, "{ours}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_115_nothing_in_query_or_user_agent_opens_a_route() {
    let (world, _) = world().await;
    for line in [
        "GET /v1/scaigrid/models?path=/v1/health",
        "GET /v1/scaigrid/models?/v1/auth/config",
        "GET /v1/scaigrid/modules?public=true",
    ] {
        let head =
            format!("{line} HTTP/1.1\nHost: gate\nUser-Agent: kube-probe/1.30 /v1/auth/config\n\n");
        let answer = world.raw_request(&head).await;
        answer.assert_problem(401, "authentication_required");
    }
    assert_eq!(world.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_116_no_request_chooses_the_host_and_no_redirect_is_followed() {
    let (world, token) = world().await;
    // The target's host and the header's differ: Spin closes the connection.
    for host in ["gate", "169.254.169.254"] {
        let mut raw = world.raw().await;
        raw.send_text(&format!(
            "GET http://169.254.169.254/v1/scaigrid/modules HTTP/1.1\nHost: {host}\n\
             X-Forwarded-Host: 169.254.169.254\nAuthorization: Bearer {token}\n\n"
        ))
        .await;
        let head = raw.try_head().await;
        assert_eq!(
            head.map(|head| head.0.as_u16()),
            (host != "gate").then_some(200)
        );
    }
    for seen in world.grid().recorder().requests() {
        let host = seen.fields.iter().find(|f| f.is("host")).expect("a host");
        assert_eq!(format!("http://{}", host.text()), world.grid().base_url());
    }
    for to in ["http://169.254.169.254/latest", "/v1/api-keys"] {
        for (path, endpoint) in [
            ("/v1/scaigrid/models", Endpoint::Models),
            ("/v1/scaigrid/modules", Endpoint::Modules),
        ] {
            let fault = Fault::Redirect {
                code: 307,
                to: to.to_owned(),
            };
            world.grid().switches().fail_next(endpoint, fault, 1);
            let answer = ask(&world, &token, &format!("GET {path}"), "").await;
            answer.assert_problem(502, "scaigrid_invalid_response");
            assert!(!answer.headers.contains_key("location"));
        }
    }
    assert_eq!(world.grid().recorder().count(Endpoint::ApiKeys), 0);
    let body = format!(r#"{{"api_key":"{ACME_KEY}","base_url":"http://169.254.169.254"}}"#);
    let head = format!(
        "POST {} HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\
         Content-Type: application/json\nContent-Length: {}\n\n{body}",
        World::TENANT_KEY,
        body.len()
    );
    let answer = world.raw_request(&head).await;
    answer.assert_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_117_cookies_pass_in_neither_direction_nor_do_orders_to_the_browser() {
    let (world, token) = world().await;
    for lie in [
        HeaderLie::SetCookie,
        HeaderLie::HopByHop,
        HeaderLie::OurNames,
        HeaderLie::BrowserOrders,
        HeaderLie::StrayLocation,
        HeaderLie::CacheValidators,
        HeaderLie::Disposition,
    ] {
        for (path, endpoint) in [
            ("/v1/scaigrid/models", Endpoint::Models),
            ("/v1/scaigrid/modules", Endpoint::Modules),
        ] {
            world.grid().switches().clear_all();
            world
                .grid()
                .switches()
                .set(Deviation::Header(endpoint, lie));
            let headers = "Cookie: __Host-scaigate=secret-cookie-value\n";
            let answer = ask(&world, &token, &format!("GET {path}"), headers).await;
            assert_eq!(answer.status, 200, "{lie:?}: {}", answer.text());
            for name in [
                "set-cookie",
                "location",
                "clear-site-data",
                "refresh",
                "alt-svc",
                "nel",
                "report-to",
                "strict-transport-security",
                "www-authenticate",
                "x-hop",
                "keep-alive",
                "upgrade",
                "proxy-authenticate",
                "server-timing",
                "sourcemap",
                "service-worker-allowed",
                "content-disposition",
                "expires",
                "age",
                "access-control-allow-origin",
            ] {
                assert!(!answer.headers.contains_key(name), "{lie:?}: {name}");
            }
            assert_eq!(answer.header("cache-control"), "no-store", "{lie:?}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    assert!(
        world
            .grid()
            .recorder()
            .mentions("secret-cookie-value")
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_119_methods_that_are_not_listed_are_refused() {
    let (world, token) = world().await;
    for (line, allow) in [
        ("POST /v1/scaigrid/models", "GET"),
        ("DELETE /v1/scaiqueue/scopes", "GET"),
        ("PUT /v1/scaibunker/bunkers/bnk_1", "GET"),
        ("PATCH /v1/scaicore/cores/core_1", "GET"),
        ("HEAD /v1/scaigrid/models", "GET"),
        ("TRACE /v1/scaigrid/models", "GET"),
        ("FOO /v1/scaigrid/models", "GET"),
        ("GET /v1/scaigrid/inference/chat", "POST"),
        ("GET /v1/scaicore/cores/core_1/invoke", "POST"),
    ] {
        let headers = "Content-Length: 0\nX-HTTP-Method-Override: GET\nX-Method-Override: GET\n";
        let mut raw = world.raw().await;
        raw.send_text(&format!(
            "{line} HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n{headers}\n"
        ))
        .await;
        let (status, headers) = raw.head().await;
        assert_eq!(status, 405, "{line}");
        assert_eq!(headers["allow"], allow, "{line}");
    }
    assert_eq!(world.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_120_one_tenants_key_never_speaks_for_another() {
    let setup = Setup::default().variable("scaiflow_deploy_auth", "api_key");
    let world = World::with(setup.scaigrid()).await;
    let acme = world
        .signed_in_as(ALICE, "author", Some("tenant_admin"))
        .await;
    let umbra = world
        .signed_in_as(SYBIL, "author", Some("super_admin"))
        .await;
    world.set_key(&acme, ACME_KEY).await;
    let answer = ask(&world, &umbra, "GET /v1/scaigrid/models", "").await;
    answer.assert_problem(412, "missing_credentials");
    world.set_key(&umbra, UMBRA_KEY).await;
    for (token, key) in [(&acme, ACME_KEY), (&umbra, UMBRA_KEY)] {
        for tenant in ["tnt_acme0001", "tnt_umbra0001"] {
            let headers = format!("X-Tenant-Id: {tenant}\nX-Scaigrid-Tenant: {tenant}\n");
            let line = format!("GET /v1/scaigrid/models?tenant_id={tenant}");
            let answer = ask(&world, token, &line, &headers).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let seen = world.grid().recorder().last(Endpoint::Models).expect("one");
            assert_eq!(seen.credential.expect("a credential").secret(), key);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_121_health_and_info_get_nobody_past_the_guard() {
    let (world, _) = world().await;
    for path in [
        "/v1/scaigrid/health",
        "/v1/scaigrid/health/detailed",
        "/v1/scaicore/health",
    ] {
        let answer = world
            .raw_request(&format!("GET {path} HTTP/1.1\nHost: gate\n\n"))
            .await;
        assert!(matches!(answer.status.as_u16(), 401 | 404), "{path}");
    }
    let info = "GET /.well-known/spin/info HTTP/1.1\nHost: gate\n\n";
    let info = world.raw_request(info).await;
    // Spin's own answer: it must hold nothing that is configured.
    assert!(!info.text().contains(&world.grid().base_url()));
    assert_eq!(world.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_122_the_host_header_decides_neither_tenant_nor_upstream() {
    let (world, token) = world().await;
    for host in [
        "umbra.gate.example",
        "evil.example:1",
        "",
        "169.254.169.254",
        "gate\nHost: umbra",
    ] {
        world.grid().recorder().clear();
        let head = format!(
            "GET /v1/scaigrid/models HTTP/1.1\nHost: {host}\nAuthorization: Bearer {token}\n\n"
        );
        let mut raw = world.raw().await;
        raw.send_text(&head).await;
        let head = raw.try_head().await;
        let seen = world.grid().recorder().requests();
        match head {
            Some((status, _)) if status == 200 => {
                assert_eq!(seen[0].tenant_id.as_deref(), Some("tnt_acme0001"), "{host}");
                assert!(world.grid().recorder().mentions("umbra").is_empty());
            }
            // Spin closes the connection where the host is none.
            head => {
                assert!(head.is_none_or(|head| head.0 == 400), "{host}");
                assert!(seen.is_empty());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_end_in_two_places_are_one_or_none() {
    let (world, token) = world().await;
    let smuggled = "GET /v1/scaigrid/modules HTTP/1.1\r\nHost: gate\r\n\r\n";
    let body = r#"{"model":"openai/gpt-4o","messages":[{"role":"user"}]}"#;
    for framing in [
        format!(
            "Content-Length: {}\nTransfer-Encoding: chunked\n",
            body.len()
        ),
        format!("Content-Length: {}\nContent-Length: 0\n", body.len()),
        "Transfer-Encoding: chunked, identity\n".to_owned(),
        "Transfer-Encoding : chunked\n".to_owned(),
        "Content-Length: +5\n".to_owned(),
    ] {
        world.grid().recorder().clear();
        let mut raw = world.raw().await;
        raw.send_text(&format!(
            "POST /v1/scaigrid/inference/chat HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\
             Content-Type: application/json\n{framing}\n"
        ))
        .await;
        raw.send(format!("0\r\n\r\n{smuggled}").as_bytes()).await;
        let (status, _) = raw.head().await;
        assert!(status.is_client_error(), "{framing}: {status}");
        assert_eq!(
            world.grid().recorder().count(Endpoint::Modules),
            0,
            "{framing}"
        );
    }
}
