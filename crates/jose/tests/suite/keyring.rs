//! The configured secrets.

use scaigate_jose::{KeyRing, KeyRingError, Purpose};
use scaigate_types::encoding::base64url;

use crate::ring_of;

const PURPOSES: [Purpose; 5] = [
    Purpose::SessionToken,
    Purpose::RefreshToken,
    Purpose::Seal,
    Purpose::LoginState,
    Purpose::BrowserCookie,
];

fn secret(byte: u8, length: usize) -> String {
    base64url(&vec![byte; length])
}

#[test]
fn n146_settings_that_are_no_key_ring_are_refused() {
    let good = secret(1, 32);
    let nine: Vec<String> = (0..9).map(|byte| secret(byte, 32)).collect();
    let cases = [
        (String::new(), KeyRingError::Empty),
        (" \n".to_owned(), KeyRingError::Empty),
        ("changeme!".to_owned(), KeyRingError::NotBase64(1)),
        (secret(1, 31), KeyRingError::Length(1)),
        (secret(1, 1025), KeyRingError::Length(1)),
        (format!("{good},{}", secret(2, 16)), KeyRingError::Length(2)),
        (format!("{good},"), KeyRingError::Length(2)),
        (format!("{good},***"), KeyRingError::NotBase64(2)),
        (format!("{good},{good}"), KeyRingError::Duplicate(2)),
        (nine.join(","), KeyRingError::TooMany),
    ];
    for (setting, error) in cases {
        assert_eq!(KeyRing::parse(&setting).err(), Some(error), "{setting:?}");
    }
    assert!(KeyRing::parse(&nine[..8].join(",")).is_ok());
    assert!(KeyRing::parse(&format!(" {good} , {} ", secret(2, 64))).is_ok());
}

#[test]
fn n031_every_purpose_and_secret_has_its_own_key() {
    let ring = ring_of(&[1, 2]);
    let mut seen = Vec::new();
    for purpose in PURPOSES {
        let keys = ring.derive(purpose);
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert!(!seen.contains(key.expose()), "{purpose:?}");
            seen.push(*key.expose());
        }
    }
    // Neither is the secret itself.
    assert!(!seen.contains(&[1; 32]));
}

#[test]
fn keys_and_ids_depend_on_nothing_but_the_secret() {
    let both = ring_of(&[1, 2]);
    let turned = ring_of(&[2, 1]);
    let ids: Vec<String> = both.key_ids().collect();
    let turned_ids: Vec<String> = turned.key_ids().collect();
    assert_eq!(ids, [turned_ids[1].clone(), turned_ids[0].clone()]);
    assert!(ids.iter().all(|id| id.len() == 8));
    let (first, last) = (both.derive(Purpose::Seal), turned.derive(Purpose::Seal));
    assert_eq!(first[0].expose(), last[1].expose());
}

#[test]
fn derivation_never_changes() {
    // What earlier versions sealed and signed hangs on this.
    let key = ring_of(&[7]).derive(Purpose::Seal);
    assert_eq!(base64url(key[0].expose()), SEAL_KEY_OF_SEVENS);
}

/// HKDF-SHA256 of 32 bytes of 7, salt `scaigate/v1`, info `seal`, computed by another program.
const SEAL_KEY_OF_SEVENS: &str = "eFPoiKYfgSZTgo9B0RgoNM7m1UbSm11uXG8BNB-f8x8";
