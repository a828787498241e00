use proptest::prelude::*;
use scaigate_types::Issuer;

use super::*;
use crate::fixtures::metadata;

fn code(query: &str) -> String {
    match parse_query(query).unwrap().outcome {
        CallbackOutcome::Code { code } => code.expose().clone(),
        CallbackOutcome::Refused { error, .. } => format!("refused {}", error.as_str()),
    }
}

fn refusal(query: &str) -> (AuthorizationError, Option<String>) {
    match parse_query(query).unwrap().outcome {
        CallbackOutcome::Refused { error, description } => (error, description),
        CallbackOutcome::Code { .. } => (AuthorizationError::Other, Some("a code".to_owned())),
    }
}

#[test]
fn a_code_comes_with_its_state_and_issuer() {
    let query = "code=a%2Bb&state=st&iss=https%3A%2F%2Fscaikey.example&session_state=x&ui=%C3%A9";
    let parameters = parse_query(query).unwrap();
    assert_eq!(code(query), "a+b");
    assert_eq!(parameters.state.as_deref(), Some("st"));
    assert_eq!(parameters.iss.as_deref(), Some("https://scaikey.example"));
}

#[test]
fn n_001_a_missing_or_empty_state_is_none() {
    assert_eq!(parse_query("code=a").unwrap().state, None);
    assert_eq!(parse_query("code=a&state=").unwrap().state, None);
    assert_eq!(parse_query("error=access_denied").unwrap().state, None);
}

#[test]
fn n_012_ambiguous_empty_long_or_foreign_answers_are_refused() {
    let long = "x".repeat(MAX_PARAMETER + 1);
    let table = [
        ("", CallbackError::NoOutcome),
        ("state=s", CallbackError::NoOutcome),
        ("code=&state=s", CallbackError::NoOutcome),
        ("code&state=s", CallbackError::NoOutcome),
        ("error=&state=s", CallbackError::NoOutcome),
        (
            "code=a&error=access_denied&state=s",
            CallbackError::CodeAndError,
        ),
        ("code=a&error=&state=s", CallbackError::CodeAndError),
        ("code=&error=access_denied", CallbackError::CodeAndError),
        ("code=a&code=b", CallbackError::Duplicate),
        ("code=a&co%64e=a", CallbackError::Duplicate),
        ("code=a&state=s&state=t", CallbackError::Duplicate),
        ("code=a&iss=x&iss=y", CallbackError::Duplicate),
        ("error=a&error=b", CallbackError::Duplicate),
        ("code=a&unknown=1&unknown=2", CallbackError::Duplicate),
        ("code=%C3%A9", CallbackError::Encoding),
        ("code=é", CallbackError::Encoding),
        ("code=a%0d%0aset-cookie:x", CallbackError::Encoding),
        ("code=a&state=%7f", CallbackError::Encoding),
        ("code=a&iss=%E2%80%AE", CallbackError::Encoding),
        ("error=a%0a", CallbackError::Encoding),
        (
            "error=access_denied&error_description=%C3%A9",
            CallbackError::Encoding,
        ),
        ("code=a%00", CallbackError::Encoding),
        ("code=%f", CallbackError::Encoding),
        ("code=%ff", CallbackError::Encoding),
        ("code=a#b", CallbackError::Encoding),
    ];
    for (query, expected) in table {
        assert_eq!(parse_query(query).unwrap_err(), expected, "{query:?}");
    }
    for name in [
        "code",
        "error",
        "code=a&state",
        "code=a&iss",
        "error=a&error_description",
    ] {
        let query = format!("{name}={long}");
        assert_eq!(
            parse_query(&query).unwrap_err(),
            CallbackError::TooLarge,
            "{name}"
        );
    }
    assert_eq!(
        code(&format!("code={}", "x".repeat(MAX_PARAMETER))).len(),
        MAX_PARAMETER
    );
}

#[test]
fn n_141_the_query_and_its_parameters_are_bounded() {
    let filler = |length: usize| format!("code=a&x={}", "y".repeat(length));
    assert_eq!(code(&filler(MAX_QUERY - 9)), "a");
    assert_eq!(
        parse_query(&filler(MAX_QUERY - 8)).unwrap_err(),
        CallbackError::TooLarge
    );
    let many: String = (0..MAX_FIELDS).map(|index| format!("&x{index}=")).collect();
    assert_eq!(
        parse_query(&format!("code=a{many}")).unwrap_err(),
        CallbackError::TooLarge
    );
}

#[test]
fn n_016_answers_of_another_form_are_refused() {
    for query in [
        "code=a&id_token=x",
        "access_token=x&token_type=bearer",
        "response=eyJ.eyJ.x",
        "error=access_denied&response=",
    ] {
        assert_eq!(
            parse_query(query).unwrap_err(),
            CallbackError::ResponseMode,
            "{query}"
        );
    }
}

#[test]
fn refusals_are_of_a_closed_list() {
    for error in AuthorizationError::ALL {
        assert_eq!(refusal(&format!("error={}", error.as_str())), (error, None));
    }
    for code in [
        "ACCESS_DENIED",
        "access_denied%20",
        "made_up",
        "%3Cscript%3E",
    ] {
        assert_eq!(
            refusal(&format!("error={code}")).0,
            AuthorizationError::Other,
            "{code}"
        );
    }
}

#[test]
fn n_013_the_words_of_a_refusal_are_short_and_printable() {
    let table = [
        ("no+session", Some("no session")),
        ("a%0d%0ab%00".trim_end_matches("%00"), Some("a  b")),
        ("+%09+", None),
        ("", None),
        (
            "code+SplxlOBeZQQYbYSWxSbIA+unknown",
            Some("code [removed] unknown"),
        ),
    ];
    for (words, expected) in table {
        let (_, description) = refusal(&format!("error=access_denied&error_description={words}"));
        assert_eq!(description.as_deref(), expected, "{words}");
    }
    let long = format!(
        "error=access_denied&error_description={}",
        "ab+".repeat(300)
    );
    assert_eq!(refusal(&long).1.unwrap().len(), 200);
    assert_eq!(code("code=a&error_description=ignored"), "a");
}

#[test]
fn n_007_n_008_n_009_the_answer_must_be_of_the_issuer_asked() {
    let platform = "https://scaikey.example";
    let tenant = "https://scaikey.example/tenants/tnt_acme0001";
    let missing = Err(CallbackError::IssuerMissing);
    let mismatch = Err(CallbackError::IssuerMismatch);
    let table = [
        (platform, false, None, Ok(())),
        (platform, true, None, missing),
        (platform, true, Some(platform), Ok(())),
        (platform, false, Some(platform), Ok(())),
        (platform, true, Some(tenant), Ok(())),
        (platform, true, Some(""), mismatch),
        (platform, false, Some(""), mismatch),
        (platform, false, Some("https://evil.example"), mismatch),
        (platform, true, Some("https://scaikey.example/"), mismatch),
        (platform, true, Some("https://SCAIKEY.example"), mismatch),
        (platform, true, Some("http://scaikey.example"), mismatch),
        (
            platform,
            true,
            Some("https://scaikey.example.evil"),
            mismatch,
        ),
        (
            platform,
            true,
            Some("https://scaikey.example/tenants/"),
            mismatch,
        ),
        (
            platform,
            true,
            Some("https://scaikey.example/tenants/a/b"),
            mismatch,
        ),
        (
            platform,
            true,
            Some("https://scaikey.example/tenants/.."),
            mismatch,
        ),
        (
            platform,
            true,
            Some("https://scaikey.example/tenants/a?b"),
            mismatch,
        ),
        (tenant, true, Some(tenant), Ok(())),
        (
            tenant,
            true,
            Some("https://scaikey.example/tenants/tnt_umbra0001"),
            mismatch,
        ),
        (tenant, true, Some(platform), mismatch),
        (
            tenant,
            true,
            Some("https://scaikey.example/tenants/tnt_acme0001/tenants/x"),
            mismatch,
        ),
    ];
    for (issuer, declared, iss, expected) in table {
        let metadata = Metadata {
            issuer: Issuer::parse(issuer).unwrap(),
            iss_parameter_supported: declared,
            ..metadata()
        };
        assert_eq!(
            check_issuer(&metadata, iss),
            expected,
            "{issuer} {declared} {iss:?}"
        );
    }
}

#[test]
fn n_055_neither_code_nor_state_is_shown() {
    let shown = format!("{:?}", parse_query("code=canary-code&state=canary-state"));
    assert!(!shown.contains("canary"), "{shown}");
}

proptest! {
    #[test]
    fn no_query_makes_the_reader_panic_or_pass_unprintable_text(
        query in "((code|error|state|iss|error_description|x)?[=&%]{0,2}.{0,8}){0,6}"
    ) {
        if let Ok(parameters) = parse_query(&query) {
            let texts = [parameters.state, parameters.iss, match parameters.outcome {
                CallbackOutcome::Code { code } => Some(code.expose().clone()),
                CallbackOutcome::Refused { description, .. } => description,
            }];
            for text in texts.into_iter().flatten() {
                prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert!(text.len() <= MAX_PARAMETER);
            }
        }
    }

    #[test]
    fn what_was_sent_is_read(code in "[ -~]{1,40}", state in "[ -~]{1,40}") {
        let query = form::encode(&[("state", &state), ("code", &code)]);
        prop_assert_eq!(self::code(&query), code);
        prop_assert_eq!(parse_query(&query).unwrap().state, Some(state));
    }
}
