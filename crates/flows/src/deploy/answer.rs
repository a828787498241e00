//! What is read of ScaiGrid's answers: an identifier, a slug, and its words where they are safe.

use serde_json::Value;

use super::grid::{GridAnswer, GridId};

/// Longest message that is passed on, in characters.
const MAX_MESSAGE: usize = 500;
/// Longest slug of a model.
const MAX_SLUG: usize = 256;

fn object(answer: &GridAnswer) -> Option<Value> {
    serde_json::from_slice(&answer.body)
        .ok()
        .filter(Value::is_object)
}

/// A text under one of `names`, in `data` or at the top.
fn text<'a>(body: &'a Value, names: &[&str]) -> Option<&'a str> {
    let places = [body.get("data"), Some(body)];
    let mut places = places.into_iter().flatten();
    places.find_map(|place| names.iter().find_map(|name| place.get(name)?.as_str()))
}

/// The identifier of what was made. One that looks like a credential is none (N-120).
pub(super) fn id(answer: &GridAnswer, names: &[&str]) -> Option<GridId> {
    let body = object(answer)?;
    let id = text(&body, names).filter(|id| !holds_a_credential(id))?;
    GridId::parse(id)
}

/// The slug of the model, as [`id`].
pub(super) fn slug(answer: &GridAnswer) -> Option<String> {
    let body = object(answer)?;
    let slug = text(&body, &["published_slug", "slug", "model_slug"])?;
    let is_slug =
        (1..=MAX_SLUG).contains(&slug.len()) && slug.bytes().all(|b| b.is_ascii_graphic());
    (is_slug && !holds_a_credential(slug)).then(|| slug.to_owned())
}

/// What ScaiGrid says went wrong: the author of the manifest needs its words. `otherwise` where it says
/// nothing, or something that looks like a credential.
pub(super) fn message(answer: &GridAnswer, otherwise: &str) -> String {
    let body = object(answer).unwrap_or_default();
    let places = ["/error/message", "/detail/message", "/detail", "/message"];
    let said = places
        .into_iter()
        .find_map(|place| body.pointer(place)?.as_str())
        .unwrap_or_default();
    let is_shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown: String = said.chars().filter(is_shown).take(MAX_MESSAGE).collect();
    if shown.trim().is_empty() || holds_a_credential(&shown) {
        return otherwise.to_owned();
    }
    shown
}

/// API keys, JWTs, and whatever is called a bearer: none of it belongs into a message.
fn holds_a_credential(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.contains("eyJ") || lower.contains("sgk_") || lower.contains("bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::json;

    fn answer(body: &Value) -> GridAnswer {
        of(Bytes::from(body.to_string()))
    }

    fn of(body: Bytes) -> GridAnswer {
        GridAnswer {
            status: http::StatusCode::OK,
            body,
            refusal: None,
        }
    }

    #[test]
    fn words_are_passed_on_where_they_are_safe() {
        let long = "x".repeat(MAX_MESSAGE + 10);
        for (body, expected) in [
            (
                json!({"error": {"code": "X", "message": "verifier error: a"}}),
                "verifier error: a",
            ),
            (json!({"detail": "no"}), "no"),
            (json!({"detail": {"error": "x", "message": "why"}}), "why"),
            (json!({"message": "m"}), "m"),
            (
                json!({"error": {"message": "a\u{1b}[31m\u{202e}b\n"}}),
                "a[31mb",
            ),
            (json!({"error": {"message": long}}), &long[..MAX_MESSAGE]),
            (
                json!({"error": {"message": "key SGK_abc is revoked"}}),
                "otherwise",
            ),
            (json!({"error": {"message": "Bearer abc"}}), "otherwise"),
            (
                json!({"error": {"message": "token eyJhbGciOi"}}),
                "otherwise",
            ),
            (json!({"error": {"message": " "}}), "otherwise"),
            (json!({"error": "text"}), "otherwise"),
            (json!([1]), "otherwise"),
            (json!(null), "otherwise"),
        ] {
            assert_eq!(message(&answer(&body), "otherwise"), expected, "{body}");
        }
        let page = of(Bytes::from_static(b"<html>bad gateway</html>"));
        assert_eq!(message(&page, "otherwise"), "otherwise");
    }

    #[test]
    fn identifiers_are_found_in_every_form_and_checked() {
        for (body, expected) in [
            (json!({"data": {"id": "core_1"}}), Some("core_1")),
            (
                json!({"data": {"core_id": "core_1", "x": 1}}),
                Some("core_1"),
            ),
            (json!({"id": "core_1"}), Some("core_1")),
            (json!({"data": {"id": "../x"}}), None),
            (json!({"data": {"id": 1}}), None),
            (json!({"data": {"id": "core_1sgk_abc"}}), None),
            (json!({"data": {"id": "eyJhbGciOi.x.y"}}), None),
            (json!({"data": []}), None),
            (json!({}), None),
        ] {
            let found = id(&answer(&body), &["id", "core_id"]);
            assert_eq!(found.as_ref().map(GridId::as_str), expected, "{body}");
        }
        let published = json!({"data": {"published_slug": "scaicore/acme/x"}});
        assert_eq!(
            slug(&answer(&published)).as_deref(),
            Some("scaicore/acme/x")
        );
        for bad in [
            json!({"data": {"published_slug": null}}),
            json!({"slug": "a b"}),
            json!({"slug": "scaicore/acme/sgk_abc"}),
        ] {
            assert_eq!(slug(&answer(&bad)), None, "{bad}");
        }
    }
}
