//! Events on their way.

mod support;

use scaikey_emulator::{Envelope, WebhookEvent, seed, sign_webhook};
use serde_json::{Value, json};
use support::{Bench, START};

#[tokio::test]
async fn webhooks_arrive_signed_in_each_envelope() {
    let bench = Bench::start().await;
    // Any endpoint records what arrives; this one answers 404.
    let target = bench.url("/hook");
    for (envelope, id_field) in [
        (Envelope::ScaiKey, "event_id"),
        (Envelope::Short, "event_id"),
        (Envelope::ScaiFlow, "id"),
    ] {
        let mut event = WebhookEvent::new("user.created", "usr_x");
        event.envelope = envelope;
        event.tenant_id = Some(seed::ACME.to_owned());
        event.data = json!({"id": "usr_x", "email": "x@acme.example"});
        let answer = bench
            .emulator
            .send_webhook(&target, "hook-secret", &event)
            .await
            .unwrap();
        assert_eq!(answer.status(), 404);
        let seen = bench.emulator.recorder().requests().pop().unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body[id_field], event.id.as_str());
        let signature = format!(
            "t={START},v1={}",
            sign_webhook("hook-secret", START, &seen.body)
        );
        assert_eq!(seen.header("X-ScaiKey-Signature"), Some(signature.as_str()));
        assert_eq!(seen.header("X-ScaiKey-Event-ID"), Some(event.id.as_str()));
        assert_eq!(seen.header("user-agent"), Some("ScaiKey-Webhook/1.0"));
    }
}
