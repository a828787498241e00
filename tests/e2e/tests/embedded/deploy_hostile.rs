//! Deploying to a ScaiGrid that misbehaves at every step: the outcome is documented, and no credential is
//! heard (G8, `negative-cases.md` 5.8).

use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::grid::{BodyLie, Deviation, Endpoint, ErrorLie, Fault, HeaderLie, ListLie};
use scaigate_e2e::{Answer, Deploying, Setup, World};

const BOB: &str = "bob@acme.example";
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review}\n""#;

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
    path: String,
}

impl Scene {
    async fn with(pin: &str) -> Self {
        let setup = Setup::default().variable("scaiflow_deploy_auth", pin);
        let Deploying { world, token, path } = Deploying::with(setup, WHOLE).await;
        let admin = world
            .signed_in_as(BOB, "viewer", Some("tenant_admin"))
            .await;
        world.set_key(&admin, ACME_KEY).await;
        // It is asked more often here than it would bear.
        world.grid().switches().change(|b| b.rate_limits = None);
        let scene = Self { world, token, path };
        // What ScaiGrid hears is what nobody else may.
        assert_eq!(scene.deploy().await.status, 200);
        for seen in scene.world.grid().recorder().requests() {
            let secret = seen.credential.expect("a credential").secret().to_owned();
            assert_eq!(secret == ACME_KEY, pin == "api_key");
            scene.world.canaries.add(&secret);
        }
        scene
    }

    /// The answer to a deploy, no byte of which may hold a secret, also where it worked.
    async fn deploy(&self) -> Answer {
        let head = format!(
            "POST {}/deploy HTTP/1.1\nHost: gate\nAuthorization: Bearer {}\nContent-Length: 0\n\n",
            self.path, self.token
        );
        self.world.raw_request(&head).await
    }

    /// Fails unless it fails as `step` does, or, where the lie may be overlooked, works.
    fn judge(&self, answer: &Answer, what: &str, code: &str, may_work: bool) {
        if may_work && answer.status == 200 {
            return;
        }
        assert_eq!(answer.code(), code, "{what}: {}", answer.text());
        answer.assert_problem(502, code);
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
    let scene = Scene::with("user_jwt").await;
    let switches = scene.world.grid().switches();
    for (endpoint, code) in STEPS {
        for fault in fatal() {
            switches.clear_all();
            switches.heal(endpoint);
            switches.fail_always(endpoint, fault.clone());
            let answer = scene.deploy().await;
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
    let scene = Scene::with("user_jwt").await;
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
const UNREADABLE: [BodyLie; 15] = [
    BodyLie::EchoAuthorization,
    BodyLie::KeyEverywhere,
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
const DOUBTFUL: [BodyLie; 10] = [
    BodyLie::KeyEscaped,
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
    let scene = Scene::with("user_jwt").await;
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
