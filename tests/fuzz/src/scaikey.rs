//! What ScaiKey answers, and what a browser brings from it.

use scaigate_scaikey::callback::{self as answer, CallbackOutcome, MAX_PARAMETER};
use scaigate_scaikey::directory::{
    DirectoryRow, GroupRow, List, MAX_PAGE_ROWS, TenantRow, UserRow, parse_page, request,
};
use scaigate_scaikey::form as forms;
use scaigate_scaikey::token::{self, MAX_LIFETIME};
use scaigate_scaikey::{Metadata, discovery as document};
use scaigate_types::Secret;

use crate::fixed::{assert_sentence, base, json_answer};
use crate::lines::text;

/// A discovery document: nothing in it leads away from ScaiKey's origin.
pub fn discovery(input: &[u8]) {
    let base = base();
    let metadata = match document::parse_response(&base, &json_answer(200, input)) {
        Ok(metadata) => metadata,
        Err(error) => return assert_sentence(&error),
    };
    assert!(input.len() <= document::MAX_BYTES);
    assert_eq!(metadata.check(&base), Ok(()));
    let called = [&metadata.token_endpoint, &metadata.jwks_uri];
    for address in called.into_iter().chain(&metadata.revocation_endpoint) {
        // As another reader of addresses sees it, too.
        let url = url::Url::parse(address).expect("an address that is called");
        assert_eq!(url.scheme(), "https", "{address}");
        assert_eq!(url.host_str(), Some("scaikey.example"), "{address}");
        assert_eq!(url.port(), None, "{address}");
        let uri: http::Uri = address.parse().expect("an address that is called");
        assert_eq!(
            uri.authority().map(http::uri::Authority::as_str),
            Some("scaikey.example")
        );
    }
    let shown = [&metadata.authorization_endpoint];
    for address in shown.into_iter().chain(&metadata.end_session_endpoint) {
        assert!(address.starts_with("https://"), "{address}");
    }
    // It is kept with a pending login.
    let kept = serde_json::to_vec(&metadata).expect("metadata can be kept");
    assert_eq!(
        serde_json::from_slice::<Metadata>(&kept).ok(),
        Some(metadata)
    );
}

/// A token answer: tokens that can be sent, and a life that ends.
pub fn token_response(input: &[u8]) {
    for status in [200, 400, 401, 429, 500] {
        match token::parse_response(&json_answer(status, input)) {
            Ok(tokens) => {
                assert_eq!(status, 200);
                let all = [
                    Some(&tokens.access_token),
                    tokens.refresh_token.as_ref(),
                    tokens.id_token.as_ref(),
                ];
                let shown = format!("{tokens:?}");
                for token in all.into_iter().flatten().map(Secret::expose) {
                    assert!(!token.is_empty() && token.bytes().all(|c| c.is_ascii_graphic()));
                    assert!(token.len() < 24 || !shown.contains(token.as_str()));
                }
                assert!(tokens.expires_in <= MAX_LIFETIME);
            }
            Err(error) => assert_sentence(&error),
        }
    }
    if let Ok(exchanged) = token::parse_exchange_response(&json_answer(200, input)) {
        assert!(exchanged.refresh_token.is_none());
    }
}

/// A page of the directory: bounded rows, whose identifiers lead where they should.
pub fn directory_page(input: &[u8]) {
    for row in page::<TenantRow>(input) {
        let list = List::EffectiveUsers {
            tenant_id: &row.tenant_id,
            application_id: "me",
        };
        assert_below(list, 7);
        [row.name, row.slug].into_iter().flatten().for_each(bounded);
    }
    for row in page::<UserRow>(input) {
        row.display_name.into_iter().for_each(bounded);
        assert!(row.email.is_none_or(|email| email.len() <= 320));
    }
    for row in page::<GroupRow>(input) {
        assert_below(
            List::GroupMembers {
                group_id: &row.group_id,
            },
            6,
        );
        [row.name, row.group_type]
            .into_iter()
            .flatten()
            .for_each(bounded);
    }
    for status in [302, 400, 401, 403, 404, 422, 429, 500] {
        let error = parse_page::<UserRow>(&json_answer(status, input));
        assert_sentence(&error.expect_err("no page without 200"));
    }
}

fn page<T: DirectoryRow>(input: &[u8]) -> Vec<T> {
    match parse_page::<T>(&json_answer(200, input)) {
        Ok(page) => {
            assert!(page.rows.len() <= MAX_PAGE_ROWS);
            page.rows
        }
        Err(error) => {
            assert_sentence(&error);
            Vec::new()
        }
    }
}

fn bounded(text: String) {
    assert!(text.chars().count() <= 256, "{} bytes", text.len());
}

/// The list is at an address of that many segments, however often somebody normalises it.
fn assert_below(list: List<'_>, segments: usize) {
    let request = request(&base(), &Secret::new("token".to_owned()), list, 1, 100);
    let address = request.uri().to_string();
    let path = request.uri().path().to_owned();
    assert_eq!(path.split('/').count(), segments + 1, "{path}");
    assert_eq!(url::Url::parse(&address).expect("an address").path(), path);
}

/// The query of the redirect back to us.
pub fn callback(input: &[u8]) {
    let Some(query) = text(input) else { return };
    let parameters = match answer::parse_query(query) {
        Ok(parameters) => parameters,
        Err(error) => return assert_sentence(&error),
    };
    let printable = |text: &str| {
        text.len() <= MAX_PARAMETER && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    assert!(parameters.state.as_deref().is_none_or(printable));
    assert!(parameters.iss.as_deref().is_none_or(printable));
    let shown = format!("{parameters:?}");
    match &parameters.outcome {
        CallbackOutcome::Code { code } => {
            assert!(!code.expose().is_empty() && printable(code.expose()));
            let is_said = parameters
                .iss
                .as_deref()
                .is_some_and(|iss| iss.contains(code.expose().as_str()));
            assert!(code.expose().len() < 16 || is_said || !shown.contains(code.expose().as_str()));
        }
        CallbackOutcome::Refused { description, .. } => {
            assert!(
                description
                    .as_deref()
                    .is_none_or(|text| text.len() <= 200 && printable(text))
            );
        }
    }
    // Whoever reads the query otherwise finds the same state.
    if let Some(state) = &parameters.state {
        let mut found =
            url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state");
        assert_eq!(
            found.next().map(|(_, value)| value.into_owned()).as_ref(),
            Some(state)
        );
        assert_eq!(found.next(), None);
    }
}

/// A form: read as everybody reads it, and written back.
pub fn form(input: &[u8]) {
    let form = match forms::parse(input, 32) {
        Ok(form) => form,
        Err(error) => return assert_sentence(&error),
    };
    assert!(input.len() <= forms::MAX_BYTES && form.len() <= 32);
    let fields: Vec<_> = form.iter().collect();
    let others: Vec<_> = url::form_urlencoded::parse(input).collect();
    assert!(
        others
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .eq(fields.iter().copied())
    );
    for (at, (name, value)) in fields.iter().enumerate() {
        assert!(!name.is_empty() && !name.contains('\0') && !value.contains('\0'));
        assert!(fields[..at].iter().all(|(earlier, _)| earlier != name));
    }
    let written = forms::encode(&fields);
    // Encoding may make it longer than what is read.
    if written.len() <= forms::MAX_BYTES {
        let again = forms::parse(written.as_bytes(), 32).expect("our own form");
        assert_eq!(again.iter().collect::<Vec<_>>(), fields);
    }
}
