//! The time that is signed with a body.

use scaigate_directory::webhook::SignatureError;
use scaigate_types::Timestamp;

use crate::signature::{BODY, KNOWN, signed};
use crate::{Delivery, NOW, SECRET, mac};

#[test]
fn n_095_only_plain_digits_are_a_time() {
    for t in [
        "1777456800.0",
        "1777456800.",
        ".1777456800",
        "1777456800.{}",
        "-1777456800",
        "+1777456800",
        "1777456800 ",
        "17774568e2",
        "0x69f1d2a0",
        "1_777_456_800",
        "now",
        "0001777456800",
        "18446744073709551616",
        "١٧٧٧٤٥٦٨٠٠",
    ] {
        // Signed with our own secret: it is not taken whoever signed it.
        let v1 = mac(SECRET, t, b"{}");
        let delivery = Delivery::new("{}")
            .with("x-scaikey-timestamp", t)
            .with("x-scaikey-signature", &format!("v1={v1},t={t}"));
        let error = delivery.verify().unwrap_err();
        // Spaces around an element are no part of it, and other scripts no part of the header.
        let expected = match t {
            "1777456800 " => SignatureError::TimestampDiffers,
            "١٧٧٧٤٥٦٨٠٠" => SignatureError::SignatureMalformed,
            _ => SignatureError::TimestampMalformed,
        };
        assert_eq!(error, expected, "{t}");
    }
}

#[test]
fn n_095_the_delimiter_cannot_be_moved() {
    // One message, two ways to cut it.
    let v1 = mac(SECRET, "1777456800", b"5.{}");
    let cut_later = |t: &str, body: &str| {
        let mut delivery = Delivery::new(body).with("x-scaikey-timestamp", t);
        delivery.set("x-scaikey-signature", &format!("t={t},v1={v1}"));
        delivery.verify().err()
    };
    assert_eq!(cut_later("1777456800", "5.{}"), None);
    assert_eq!(
        cut_later("1777456800.5", "{}"),
        Some(SignatureError::TimestampMalformed)
    );
    assert_eq!(
        cut_later("1777456800", ".5.{}"),
        Some(SignatureError::SignatureMismatch)
    );
}

#[test]
fn a_time_is_taken_for_300_seconds_either_side() {
    for (signed, millis_now, taken) in [
        (NOW, NOW * 1000, true),
        (NOW - 300, NOW * 1000, true),
        (NOW - 300, NOW * 1000 + 999, true),
        (NOW - 301, NOW * 1000, false),
        (NOW + 300, NOW * 1000, true),
        (NOW + 301, NOW * 1000, false),
        (0, NOW * 1000, false),
        (999_999_999_999, NOW * 1000, false),
        (NOW, 0, false),
        (NOW, u64::MAX, false),
        (0, 0, true),
    ] {
        let delivery = Delivery::signed_at(signed, "{}");
        let result = delivery.verify_with(SECRET, Timestamp::from_millis(millis_now));
        let expected = (!taken).then_some(SignatureError::TimestampOutOfWindow);
        assert_eq!(result.err(), expected, "{signed} {millis_now}");
    }
}

#[test]
fn the_time_in_the_header_is_the_one_that_was_signed() {
    for other in [
        "1777456801",
        "1777456799",
        "01777456800",
        "x",
        "1777456800,1777456800",
    ] {
        let delivery = Delivery::new(BODY).with("x-scaikey-timestamp", other);
        let expected = Some(SignatureError::TimestampDiffers);
        assert_eq!(delivery.verify().err(), expected, "{other}");
    }
    // Both moved: the signature is of another time.
    let delivery =
        signed(&format!("t=1777456801,v1={KNOWN}")).with("x-scaikey-timestamp", "1777456801");
    assert_eq!(
        delivery.verify().err(),
        Some(SignatureError::SignatureMismatch)
    );
}
