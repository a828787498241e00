//! Signatures. The fixed ones were made with OpenSSL and Python, not with the code that checks them.

use scaigate_directory::webhook::{MAX_BODY, MatchedSecret, SignatureError, parse};

use crate::{Delivery, OTHER, SECRET, mac, now};

/// `json.dumps(…, separators=(",", ":"), sort_keys=True)`, as ScaiKey writes it.
pub const BODY: &str = r#"{"actor":{"id":null,"type":"admin"},"data":{"email":"ada@acme.example","first_name":"Ada","id":"usr_ada","last_name":"L\u00f6velace","status":"ACTIVE","tenant":{"id":"tnt_acme","name":"Acme","slug":"acme"}},"event_id":"evt_Vx3pQ9","event_type":"user.created","partner_id":"prt_one","resource":{"id":"usr_ada","type":"user"},"tenant_id":"tnt_acme","timestamp":"2026-04-29T10:00:00Z"}"#;
/// `printf '1777456800.%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET"`
pub const KNOWN: &str = "04332a76f9bc8ac730cdfc3d47180e04aedf085ee212c68369cf5df95ef06586";
/// The same with the other secret.
const KNOWN_OTHER: &str = "3ab09c50134cb8250d4ea898f6ac440eb7e5281b420c752df3332edec479bbd6";

/// The fixed body with a signature header.
pub fn signed(signature: &str) -> Delivery {
    Delivery::new(BODY).with("x-scaikey-signature", signature)
}

/// Why a signature header is refused; `None` when it is taken.
fn refusal(signature: &str) -> Option<SignatureError> {
    signed(signature).verify().err()
}

#[test]
fn a_signature_made_elsewhere_is_taken() {
    let delivery = signed(&format!("t=1777456800,v1={KNOWN}"));
    let verified = delivery.verify().unwrap();
    assert_eq!(verified.body(), BODY.as_bytes());
    assert_eq!(verified.signed_at(), now());
    assert_eq!(verified.secret(), MatchedSecret::First);
    let envelope = parse(&verified).unwrap();
    assert_eq!(envelope.event_id().as_str(), "evt_Vx3pQ9");
    assert_eq!(
        envelope.digest(),
        "sDrf-_Q_WLViO3LL_KyJiU0VFfKfOibw4fcFGZLbC4g"
    );
}

#[test]
fn what_was_verified_is_shown_without_what_it_says() {
    let delivery = signed(&format!("t=1777456800,v1={KNOWN}"));
    let shown = format!("{:?}", delivery.verify().unwrap());
    assert!(shown.starts_with("Verified { signed_at: "), "{shown}");
    assert!(
        shown.contains("First") && !shown.contains("evt_Vx3pQ9"),
        "{shown}"
    );
}

#[test]
fn a_secret_longer_than_a_block_is_hashed_first() {
    let mac = "9a72f69388bd1c1cb6fe7ecccdf4148aa1581638fa98cf0f9dc8d974e8d5718e";
    let delivery =
        Delivery::new("{}").with("x-scaikey-signature", &format!("t=1777456800,v1={mac}"));
    assert!(delivery.verify_with(&"k".repeat(100), now()).is_ok());
}

#[test]
fn the_header_has_the_documented_form_with_some_room() {
    let upper = KNOWN.to_uppercase();
    for taken in [
        format!("t=1777456800,v1={KNOWN}"),
        format!("v1={KNOWN},t=1777456800"),
        format!("t=1777456800, v1={KNOWN}"),
        format!(" t=1777456800\t,\tv1={KNOWN} "),
        format!("t=1777456800,v1={upper}"),
        format!("t=1777456800,v0=abc,v1={KNOWN},v2=def,x"),
        format!("t=1777456800,v1={KNOWN},"),
        format!("t=1777456800,v1={KNOWN},v1={KNOWN}"),
    ] {
        assert_eq!(refusal(&taken), None, "{taken}");
    }
}

#[test]
fn n_091_empty_truncated_and_partial_signatures_never_match() {
    use SignatureError::{SignatureMismatch, SignatureMissing};
    let half = &KNOWN[..32];
    let without_last = &KNOWN[..63];
    let without_byte = &KNOWN[..62];
    let one_off = format!("{without_last}7");
    let not_hex = format!("{without_last}g");
    let too_long = format!("{KNOWN}00");
    let zeros = "0".repeat(64);
    for (v1, error) in [
        ("v1=", SignatureMismatch),
        ("v1= ", SignatureMismatch),
        ("v1=,v1=", SignatureMismatch),
        (&format!("v1={half}"), SignatureMismatch),
        (&format!("v1={without_last}"), SignatureMismatch),
        (&format!("v1={without_byte}"), SignatureMismatch),
        (&format!("v1={one_off}"), SignatureMismatch),
        (&format!("v1={not_hex}"), SignatureMismatch),
        (&format!("v1={too_long}"), SignatureMismatch),
        (&format!("v1={KNOWN}{KNOWN}"), SignatureMismatch),
        (&format!("v1=0x{KNOWN}"), SignatureMismatch),
        (&format!("v1=+{without_last}"), SignatureMismatch),
        (&format!("v1=\"{KNOWN}\""), SignatureMismatch),
        (&format!("v1={zeros}"), SignatureMismatch),
        (&format!("v1={half},v1={}", &KNOWN[32..]), SignatureMismatch),
        ("v1", SignatureMissing),
        ("v1,", SignatureMissing),
        ("", SignatureMissing),
        (&format!("V1={KNOWN}"), SignatureMissing),
        (&format!("v1 ={KNOWN}"), SignatureMissing),
        (KNOWN, SignatureMissing),
    ] {
        assert_eq!(refusal(&format!("t=1777456800,{v1}")), Some(error), "{v1}");
    }
}

#[test]
fn n_091_each_bit_of_the_signature_counts() {
    for (position, digit) in KNOWN.char_indices() {
        for bit in 0..4 {
            let flipped = char::from_digit(digit.to_digit(16).unwrap() ^ (1 << bit), 16).unwrap();
            let v1 = format!("{}{flipped}{}", &KNOWN[..position], &KNOWN[position + 1..]);
            assert_eq!(
                refusal(&format!("t=1777456800,v1={v1}")),
                Some(SignatureError::SignatureMismatch),
                "{position} {bit}"
            );
        }
    }
}

#[test]
fn n_092_what_is_signed_are_the_bytes_that_came() {
    let respaced = BODY.replace(':', ": ");
    let reordered = serde_json::from_str::<serde_json::Value>(BODY).unwrap();
    let unescaped = BODY.replace(r"\u00f6", "ö");
    for body in [
        format!("{BODY} "),
        format!("{BODY}\n"),
        format!(" {BODY}"),
        BODY.replacen(',', ", ", 1),
        respaced,
        unescaped,
        BODY.replace("ada@acme", "eve@acme"),
        serde_json::to_string_pretty(&reordered).unwrap(),
        String::new(),
    ] {
        let mut delivery = signed(&format!("t=1777456800,v1={KNOWN}"));
        delivery.body = body.into_bytes();
        assert_eq!(
            delivery.verify().err(),
            Some(SignatureError::SignatureMismatch)
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    use SignatureError::{SignatureMissing, TimestampMissing};
    let whole = || Delivery::new(BODY);
    for (delivery, error) in [
        (whole().without("x-scaikey-signature"), SignatureMissing),
        (whole().with("x-scaikey-signature", ""), SignatureMissing),
        (
            whole().with("x-scaikey-signature", "t=1777456800"),
            SignatureMissing,
        ),
        (whole().without("x-scaikey-timestamp"), TimestampMissing),
        (whole().with("x-scaikey-timestamp", ""), TimestampMissing),
        (signed(&format!("v1={KNOWN}")), TimestampMissing),
        (signed(&format!("t=,v1={KNOWN}")), TimestampMissing),
        (signed(&format!("t,v1={KNOWN}")), TimestampMissing),
        (
            whole()
                .without("x-scaikey-signature")
                .without("x-scaikey-timestamp"),
            SignatureMissing,
        ),
    ] {
        assert_eq!(delivery.verify().err(), Some(error));
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    use SignatureError::{SignatureMalformed, TimestampMalformed};
    let whole = || Delivery::new(BODY);
    for (delivery, error) in [
        (whole().twice("x-scaikey-signature"), SignatureMalformed),
        (whole().twice("x-scaikey-timestamp"), TimestampMalformed),
        (
            signed(&format!("t=1777456800,t=1777456800,v1={KNOWN}")),
            SignatureMalformed,
        ),
        (
            signed(&format!("t=1777456800,v1={KNOWN},t=1")),
            SignatureMalformed,
        ),
    ] {
        assert_eq!(delivery.verify().err(), Some(error));
    }
}

#[test]
fn one_of_several_signatures_has_to_match() {
    let wrong = "ab".repeat(32);
    let others = |count: usize| format!("v1={wrong},").repeat(count);
    for (signature, error) in [
        (format!("t=1777456800,v1={wrong},v1={KNOWN}"), None),
        (format!("t=1777456800,v1={KNOWN},v1={wrong}"), None),
        (format!("t=1777456800,v1=,v1=zz,v1={KNOWN}"), None),
        (format!("t=1777456800,{}v1={KNOWN}", others(7)), None),
        (
            format!("t=1777456800,{}v1={KNOWN}", others(8)),
            Some(SignatureError::SignatureMalformed),
        ),
        (
            format!("t=1777456800,{}v1={KNOWN}", "v1=,".repeat(8)),
            Some(SignatureError::SignatureMalformed),
        ),
        (
            format!("t=1777456800,{}v1={wrong}", others(7)),
            Some(SignatureError::SignatureMismatch),
        ),
    ] {
        assert_eq!(refusal(&signature), error, "{signature}");
    }
}

#[test]
fn the_header_is_bounded_and_printable() {
    let padding = |len: usize| format!("t=1777456800,v1={KNOWN},x={}", "x".repeat(len));
    let room = 2048 - padding(0).len();
    assert_eq!(refusal(&padding(room)), None);
    let malformed = Some(SignatureError::SignatureMalformed);
    assert_eq!(refusal(&padding(room + 1)), malformed);
    assert_eq!(refusal(&format!("t=1777456800,v1={KNOWN},ä")), malformed);
}

#[test]
fn both_secrets_are_taken_during_a_rotation() {
    let rotating = format!("{SECRET},{OTHER}");
    let old_first = format!("{OTHER},{SECRET}");
    let secret = |v1: &str, setting: &str| {
        let delivery = signed(&format!("t=1777456800,v1={v1}"));
        delivery
            .verify_with(setting, now())
            .map(|verified| verified.secret())
    };
    use MatchedSecret::{First, Second};
    assert_eq!(secret(KNOWN, &rotating), Ok(First));
    assert_eq!(secret(KNOWN_OTHER, &rotating), Ok(Second));
    assert_eq!(secret(KNOWN, &old_first), Ok(Second));
    assert_eq!(secret(KNOWN_OTHER, &old_first), Ok(First));
    let mismatch = Err(SignatureError::SignatureMismatch);
    assert_eq!(secret(KNOWN_OTHER, SECRET), mismatch);
    assert_eq!(
        secret(
            &mac("a third secret of nobody", "1777456800", BODY.as_bytes()),
            &rotating
        ),
        mismatch
    );
    // The two together are no secret.
    assert_eq!(
        secret(&mac(&rotating, "1777456800", BODY.as_bytes()), &rotating),
        mismatch
    );
}

#[test]
fn n_097_other_schemes_count_for_nothing() {
    for scheme in ["v0", "v1a", "v2", "V1", "v11", "hmac"] {
        let error = refusal(&format!("t=1777456800,{scheme}={KNOWN}"));
        assert_eq!(error, Some(SignatureError::SignatureMissing), "{scheme}");
    }
    // What an attacker makes of a public key that is known to everybody, used as an HMAC key.
    let public = "whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQ";
    let v1 = mac(public, "1777456800", BODY.as_bytes());
    assert_eq!(
        refusal(&format!("t=1777456800,v1a={v1},v1={v1}")),
        Some(SignatureError::SignatureMismatch)
    );
}

#[test]
fn n_098_a_signature_with_the_empty_key_is_not_taken() {
    let v1 = mac("", "1777456800", BODY.as_bytes());
    assert_eq!(
        refusal(&format!("t=1777456800,v1={v1}")),
        Some(SignatureError::SignatureMismatch)
    );
}

#[test]
fn n_101_nothing_is_read_that_is_not_signed() {
    // No JSON, or too much of it: what is complained about is the signature.
    for body in ["{", "", "[[[[", "\u{0}"] {
        let mut delivery = Delivery::new(body);
        delivery.set("x-scaikey-signature", &format!("t=1777456800,v1={KNOWN}"));
        assert_eq!(
            delivery.verify().err(),
            Some(SignatureError::SignatureMismatch)
        );
    }
}

#[test]
fn n_101_a_body_beyond_the_cap_is_refused() {
    assert!(Delivery::new(vec![b' '; MAX_BODY]).verify().is_ok());
    let delivery = Delivery::new(vec![b' '; MAX_BODY + 1]);
    assert_eq!(delivery.verify().err(), Some(SignatureError::BodyTooLarge));
    // Before anything else about it.
    let delivery = delivery.without("x-scaikey-signature");
    assert_eq!(delivery.verify().err(), Some(SignatureError::BodyTooLarge));
}

#[test]
fn debug_shows_neither_body_nor_signature() {
    let delivery = Delivery::new(BODY);
    let shown = format!("{:?}", delivery.verify().unwrap());
    assert!(!shown.contains("ada") && !shown.contains(KNOWN), "{shown}");
}
