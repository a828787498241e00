//! Registering (`POST /v1/auth/register`): however many requests do it at once, there is one
//! participant with one workspace of their own, and one of the requests made them.

use std::collections::BTreeSet;

use http::Request;
use scaigate_e2e::{Answer, Client, Setup, World, together};

const ALICE: &str = "alice@acme.example";

/// By what the caller is known.
#[derive(Clone, Copy, Debug)]
enum By {
    Session,
    AccessToken,
    Mock,
    DevHeaders,
}

type Headers = Vec<(&'static str, String)>;

async fn register(client: Client, headers: Headers) -> Answer {
    let mut request = Request::post("/v1/auth/register");
    for (name, value) in &headers {
        request = request.header(*name, value);
    }
    let request = request.body(Default::default()).expect("a request");
    client.send(request).await
}

async fn headers(world: &World, by: By) -> Headers {
    let token = match by {
        By::Session => world.sign_in(ALICE).await["access_token"].clone(),
        By::AccessToken => {
            // The tenant is known, the person is not.
            world.sign_in(ALICE).await;
            world.tokens_of("carol@acme.example").await["access_token"].clone()
        }
        By::Mock => "anything".into(),
        By::DevHeaders => return vec![("x-dev-subject", "usr_dev".to_owned())],
    };
    vec![(
        "authorization",
        format!("Bearer {}", token.as_str().expect("a token")),
    )]
}

async fn a_hundred_at_once(by: By) {
    for mut setup in [Setup::default(), Setup::default().without_reuse()] {
        if matches!(by, By::Mock) {
            setup = setup.variable("scaiwave_auth_mode", "mock");
        }
        let world = World::with(setup).await;
        let headers = headers(&world, by).await;
        let answers = together(100, |_| register(world.client.clone(), headers.clone())).await;
        let mut made = BTreeSet::new();
        let mut created = 0;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{by:?}: {}", answer.text());
            let body = answer.json();
            assert_eq!(body["data"]["participant_id"], body["participant_id"]);
            created += usize::from(body["created"] == true);
            made.insert((
                body["participant_id"].to_string(),
                body["personal_workspace_id"].to_string(),
            ));
        }
        assert_eq!((made.len(), created), (1, 1), "{by:?}: {made:?}");
        let (participant, workspace) = made.pop_first().expect("one");
        assert!(participant.starts_with("\"per_") && workspace.starts_with("\"ws_"));
        let count = |sql: &str| world.sql_text(sql, &[]).expect("a count");
        let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM workspace WHERE kind = 'personal'";
        assert_eq!(count(sql), "1", "{by:?}");
        let people = if matches!(by, By::AccessToken) {
            "2"
        } else {
            "1"
        };
        assert_eq!(count("SELECT CAST(COUNT(*) AS TEXT) FROM person"), people);
        // Every instance knows within two seconds.
        world.advance(2);
        let mut request = Request::get("/v1/me");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let request = request.body(Default::default()).expect("a request");
        let me = world.client.send(request).await.json();
        assert_eq!(me["participant_id"].to_string(), participant, "{by:?}");
        // A session token says what was true when it was made; the next refresh says it.
        let shown = match by {
            By::Session => "null".to_owned(),
            By::AccessToken | By::Mock | By::DevHeaders => workspace,
        };
        assert_eq!(me["personal_workspace_id"].to_string(), shown, "{by:?}");
        let again = register(world.client.clone(), headers).await.json();
        assert_eq!(again["created"], false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_registrations_at_once_make_one_participant_however_the_caller_is_known() {
    // One after the other: side by side they would wait for the machine, and then for SQLite's lock
    // longer than its five seconds.
    for by in [By::Session, By::AccessToken, By::Mock, By::DevHeaders] {
        a_hundred_at_once(by).await;
    }
}
