//! Our refresh tokens.

use ring::hmac;
use scaigate_jose::{Purpose, RefreshSigner, RefreshToken, RefreshTokenError};
use scaigate_types::SessionId;
use scaigate_types::encoding::base64url;

use crate::ring_of;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn sid(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

#[test]
fn every_caller_derives_the_same_token_of_a_generation() {
    let ring = ring_of(&[1]);
    let (here, there) = (RefreshSigner::new(&ring), RefreshSigner::new(&ring));
    for generation in [0, 1, 255, 256, u32::MAX] {
        let token = RefreshToken::issue(&here, &sid("ses_1"), generation);
        let again = RefreshToken::issue(&there, &sid("ses_1"), generation);
        assert_eq!(token.expose(), again.expose());
        assert!(RefreshToken::looks_like(token.expose()));
        let read = RefreshToken::verify(&there, token.expose());
        assert_eq!(
            read,
            Ok(RefreshToken {
                sid: sid("ses_1"),
                generation
            })
        );
    }
}

#[test]
fn tokens_of_sessions_and_generations_differ() {
    let signer = RefreshSigner::new(&ring_of(&[1]));
    let token = |session: &str, generation| {
        RefreshToken::issue(&signer, &sid(session), generation)
            .expose()
            .clone()
    };
    assert_ne!(token("ses_1", 1), token("ses_1", 2));
    assert_ne!(token("ses_1", 1), token("ses_2", 1));
    assert_ne!(token("ses_1", 1), token("ses_11", 1));
}

#[test]
fn any_changed_character_is_refused() {
    let signer = RefreshSigner::new(&ring_of(&[1]));
    let token = RefreshToken::issue(&signer, &sid("ses_01J0000000000000000000000"), 7);
    let token = token.expose().as_bytes();
    for index in 0..token.len() {
        for character in ALPHABET
            .bytes()
            .chain(*b"=.+/ \n")
            .filter(|c| *c != token[index])
        {
            let mut changed = token.to_vec();
            changed[index] = character;
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                RefreshToken::verify(&signer, &changed).is_err(),
                "{index} {character}"
            );
        }
    }
}

#[test]
fn n141_other_texts_are_no_refresh_tokens() {
    let signer = RefreshSigner::new(&ring_of(&[1]));
    let good = RefreshToken::issue(&signer, &sid("ses_1"), 7)
        .expose()
        .clone();
    for text in [
        String::new(),
        "sgr_".to_owned(),
        "sgr_AAAA".to_owned(),
        good.trim_start_matches("sgr_").to_owned(),
        format!("{good}="),
        format!("{good}A"),
        format!("rtk_{}", good.trim_start_matches("sgr_")),
        format!("sgr_{}", "A".repeat(10_000)),
        format!("sgr_{}", "A".repeat(136)),
    ] {
        assert!(RefreshToken::verify(&signer, &text).is_err(), "{text:?}");
    }
    assert!(!RefreshToken::looks_like("rtk_abc"));
}

#[test]
fn rightly_authenticated_bytes_of_another_form_are_refused() {
    let ring = ring_of(&[1]);
    let key = ring.derive(Purpose::RefreshToken);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key[0].expose());
    let verify = |content: &[u8]| {
        let tag = hmac::sign(&key, content);
        let text = format!("sgr_{}", base64url(&[content, tag.as_ref()].concat()));
        RefreshToken::verify(&RefreshSigner::new(&ring), &text)
    };
    let good = RefreshToken {
        sid: sid("ses"),
        generation: 258,
    };
    assert_eq!(verify(b"\x01\x03ses\x00\x00\x01\x02"), Ok(good));
    let contents: [&[u8]; 7] = [
        b"\x02\x03ses\x00\x00\x01\x02",
        b"\x01\x02ses\x00\x00\x01\x02",
        b"\x01\x04ses\x00\x00\x01\x02",
        b"\x01\x00\x00\x00\x01\x02",
        b"\x01\x03s\xff\xfe\x00\x00\x01\x02",
        b"\x01\x03",
        b"",
    ];
    for content in contents {
        assert_eq!(
            verify(content),
            Err(RefreshTokenError::Malformed),
            "{content:?}"
        );
    }
}

#[test]
fn longest_session_id_makes_a_token_that_verifies() {
    let signer = RefreshSigner::new(&ring_of(&[1]));
    let longest = sid(&"s".repeat(64));
    let token = RefreshToken::issue(&signer, &longest, u32::MAX);
    assert_eq!(
        RefreshToken::verify(&signer, token.expose()).unwrap().sid,
        longest
    );
}

#[test]
fn an_older_key_verifies_until_it_is_taken_away() {
    let old = RefreshSigner::new(&ring_of(&[1]));
    let token = RefreshToken::issue(&old, &sid("ses_1"), 7);
    assert!(RefreshToken::verify(&RefreshSigner::new(&ring_of(&[2, 1])), token.expose()).is_ok());
    let rejected = Err(RefreshTokenError::Rejected);
    assert_eq!(
        RefreshToken::verify(&RefreshSigner::new(&ring_of(&[2])), token.expose()),
        rejected
    );
}
