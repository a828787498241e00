//! `docs/threats.md`: the attacks on a sign-in, and the tests that carry them out.
//!
//! The list of attacks is here; the tests are found by their names, which begin with the ids of what
//! they try (`n_033_…`). An attack without a test must say why it can't be tried.
//! `SCAIGATE_UPDATE=1` writes the file instead of comparing it.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: it stops at the first thing that isn't as expected, and cargo says in the environment where it is"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// An attack that a test carries out.
const fn tried(id: u16, attack: &'static str) -> (u16, &'static str, Option<&'static str>) {
    (id, attack, None)
}

/// An attack on something that is not offered.
const fn nothing(
    id: u16,
    attack: &'static str,
    why: &'static str,
) -> (u16, &'static str, Option<&'static str>) {
    (id, attack, Some(why))
}

/// Heading, and id, attack and why there is nothing to attack.
type Part = (
    &'static str,
    &'static [(u16, &'static str, Option<&'static str>)],
);

const PARTS: &[Part] = &[
    (
        "The authorization request and its answer",
        &[
            tried(1, "an answer without `state`"),
            tried(2, "an answer with a wrong `state`"),
            tried(3, "a good `state` in another browser"),
            tried(4, "a `state` used twice, or too late"),
            tried(5, "guessable state, nonce or verifier"),
            tried(6, "the verifier readable from the `state`"),
            tried(7, "`iss` missing although ScaiKey promises it"),
            tried(8, "`iss` of another server"),
            tried(
                9,
                "an answer of one tenant or provider brought to another's",
            ),
            tried(10, "a sign-in begun by one person and ended by another"),
            tried(
                12,
                "code and error together, empty, over-long or non-ASCII parameters",
            ),
            tried(13, "ScaiKey's error text as markup"),
            tried(14, "an error with a bad `state` ending something"),
            tried(15, "PKCE left out, weakened or fixed"),
            tried(16, "an answer in a fragment or another mode"),
            tried(
                17,
                "a sign-in started from outside with a foreign issuer or target",
            ),
            tried(18, "being signed in to the attacker's account"),
            tried(19, "any number of begun sign-ins"),
            tried(20, "a redirect that posts again"),
            tried(21, "the code left in history or referrer"),
        ],
    ),
    (
        "Sessions, cookies and redirects",
        &[
            tried(22, "a session identifier planted before the sign-in"),
            tried(23, "a cookie that another host, path or script can touch"),
            tried(24, "a page of another origin acting for the person"),
            tried(25, "signing somebody out from another site"),
            tried(26, "CORS with credentials for anybody"),
            tried(27, "a changed, cut or foreign cookie"),
            tried(29, "fields joined before they are authenticated"),
            tried(30, "stored records changed or moved"),
            tried(31, "a token of one purpose used for another"),
            tried(32, "a session beyond its end"),
            tried(
                33,
                "a session code used twice, in parallel, late, by another app, or guessed",
            ),
            tried(34, "codes and tokens in logs, referrers or stores"),
            tried(35, "an open redirect"),
            tried(36, "a host that ends like ours"),
            tried(37, "framing a page"),
            tried(38, "personal answers from a cache"),
            tried(39, "another person with the same e-mail address or subject"),
            tried(40, "an e-mail address that only looks like the named one"),
        ],
    ),
    (
        "The token endpoint and refreshing",
        &[
            tried(41, "a token type that is not bearer"),
            tried(42, "an answer without `expires_in`"),
            tried(43, "absurd lifetimes"),
            tried(
                45,
                "a token endpoint that redirects, answers something else, or has no TLS",
            ),
            tried(46, "a sign-in answer without ID token"),
            tried(47, "many refreshes of one token at once"),
            tried(48, "an outage taken for a refusal, or the reverse"),
            tried(49, "a refreshed ID token of another issuer or person"),
            tried(
                50,
                "a refreshed ID token of another client, time or sign-in",
            ),
            tried(51, "a refresh token replayed after its rotation"),
            tried(52, "a crash between ScaiKey's answer and our record"),
            tried(53, "a client assertion for another server"),
            tried(54, "our credentials sent to another server"),
            tried(55, "secrets in logs, errors or panics"),
        ],
    ),
    (
        "ID tokens, access tokens and keys",
        &[
            tried(56, "a wrong or missing `iss`"),
            tried(57, "a missing or empty `sub`"),
            tried(
                58,
                "a service passing for a person, or a person for a service",
            ),
            tried(59, "a wrong or missing `aud`"),
            tried(60, "an untrusted further audience"),
            tried(61, "`exp` missing, past, or of another type"),
            tried(62, "`iat` missing or in the future"),
            tried(63, "`nbf` in the future, or of another type"),
            tried(64, "a nonce missing, wrong or used before"),
            tried(65, "`alg` none"),
            tried(66, "a public key used as HMAC secret"),
            tried(67, "a bad signature, or an algorithm that is not the key's"),
            tried(68, "no `kid`, with one key and with several"),
            tried(
                70,
                "keys named or carried by the token, and extensions it demands",
            ),
            tried(71, "a rotation of ScaiKey's keys at any moment"),
            tried(72, "a storm of unknown keys"),
            tried(73, "keys used long after ScaiKey withdrew them"),
            tried(74, "discovery of another issuer"),
            tried(75, "discovery that points elsewhere"),
            tried(76, "one kind of token used as another"),
            tried(78, "an access token that is not the ID token's"),
            nothing(79, "UserInfo of somebody else", "UserInfo is never asked"),
            tried(
                80,
                "keys or verdicts of one issuer or tenant used for another",
            ),
            nothing(
                81,
                "an introspection answer used for too long",
                "tokens are verified here; introspection is never asked",
            ),
            tried(82, "one passed check standing for all"),
            tried(83, "a key-bound token used as bearer token"),
        ],
    ),
    (
        "Signing out",
        &[
            tried(
                84,
                "a logout token of another issuer, audience or algorithm",
            ),
            tried(
                85,
                "a logout token without its event or target, or with a nonce",
            ),
            tried(
                86,
                "a logout token replayed, too old, or while its memory is down",
            ),
            tried(87, "an ID token posted as logout token"),
            tried(
                88,
                "a logout in one tenant or issuer reaching another's sessions",
            ),
            tried(89, "a foreign address to return to"),
            nothing(
                90,
                "a front-channel logout by anybody",
                "front-channel logout is not offered",
            ),
            nothing(
                149,
                "a security event token of a stranger",
                "no stream of security events is received",
            ),
        ],
    ),
    (
        "Proxy, headers, paths",
        &[
            tried(111, "identity headers of a client, in any spelling"),
            tried(112, "`X-Forwarded-*` and its kin deciding the route"),
            tried(113, "`spin-*` headers of a client believed"),
            tried(114, "a path that two readers read differently"),
            tried(115, "a query or a User-Agent that opens a route"),
            tried(
                116,
                "a request choosing where a credential goes, or a redirect followed with it",
            ),
            tried(117, "cookies and orders to the browser passing through"),
            tried(119, "a method that is not listed, or an override of it"),
            tried(
                120,
                "a credential repeated in an answer, or one tenant's used for another",
            ),
            tried(121, "health and info routes round the guard"),
            tried(122, "an unknown `Host` leading to a tenant"),
        ],
    ),
    (
        "Token exchange",
        &[
            tried(123, "a subject token that may not be exchanged"),
            tried(124, "an audience or scope wider than allowed"),
            tried(125, "impersonating a person with more rights"),
            tried(126, "an actor token, or a token declared as another type"),
            tried(
                127,
                "a result that outlives its subject, or a refresh token in it",
            ),
            tried(128, "a forged or endless chain of actors"),
            tried(
                129,
                "a subject that is revoked, expired, or of another tenant",
            ),
            tried(130, "an answer of another type than asked"),
            tried(131, "an exchanged token handed to another caller"),
        ],
    ),
];

const INTRODUCTION: &str = "\
# Threats, and the tests that try them

Made by the test `threats` (`tests/architecture`), which fails when an attack has no test.
After a change: `SCAIGATE_UPDATE=1 cargo test --package scaigate-architecture --test threats`.

The ids are those of the test names. A test is named by its file and function.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The ids at the beginning of a test's name: `n_037_n_038_…` and `n037_…`.
fn ids(name: &str) -> Vec<u16> {
    let mut ids = Vec::new();
    let mut rest = name;
    while let Some(after) = rest.strip_prefix("n_").or_else(|| rest.strip_prefix('n')) {
        let digits = after.get(..3).and_then(|digits| digits.parse().ok());
        let Some(id) = digits.filter(|_| after.as_bytes().get(3) == Some(&b'_')) else {
            break;
        };
        ids.push(id);
        rest = after.get(4..).unwrap_or_default();
    }
    // A second kind of id may stand first: a symptom's.
    if ids.is_empty() && rest.starts_with("s_") {
        return rest.get(5..).map(self::ids).unwrap_or_default();
    }
    ids
}

fn tests() -> BTreeMap<u16, BTreeSet<String>> {
    let root = root();
    let mut files = Vec::new();
    for folder in ["crates", "kv", "components", "host", "tests"] {
        sources(&root.join(folder), &mut files);
    }
    let mut tests: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        for line in text.lines() {
            let line = line.trim_start();
            let Some(after) = line
                .strip_prefix("fn ")
                .or_else(|| line.strip_prefix("async fn "))
            else {
                continue;
            };
            let function = after.split(['(', '<']).next().unwrap_or_default();
            for id in ids(function) {
                tests
                    .entry(id)
                    .or_default()
                    .insert(format!("{name}: `{function}`"));
            }
        }
    }
    tests
}

#[test]
fn every_attack_is_tried_by_a_test() {
    let tests = tests();
    let mut text = INTRODUCTION.to_owned();
    let mut untried = Vec::new();
    for (heading, attacks) in PARTS {
        write!(text, "\n## {heading}\n").unwrap();
        for (id, attack, not_offered) in *attacks {
            write!(text, "\n**N-{id:03}** {attack}\n\n").unwrap();
            let found = tests.get(id);
            for test in found.into_iter().flatten() {
                writeln!(text, "- {test}").unwrap();
            }
            match (found, not_offered) {
                (None, Some(why)) => writeln!(text, "- nothing to attack: {why}").unwrap(),
                (None, None) => untried.push(format!("N-{id:03}")),
                (Some(_), Some(_)) => untried.push(format!("N-{id:03} is tried after all")),
                (Some(_), None) => {}
            }
        }
    }
    assert!(untried.is_empty(), "no test tries {untried:?}");
    let file = root().join("docs/threats.md");
    if std::env::var_os("SCAIGATE_UPDATE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "docs/threats.md is not what the tests are; SCAIGATE_UPDATE=1 makes it anew"
    );
}

#[test]
fn ids_are_read_from_names() {
    for (name, expected) in [
        ("n_037_n_038_nothing_is_framed", vec![37, 38]),
        ("n029_length_prefixes", vec![29]),
        ("n_071_s_15_a_rotation", vec![71]),
        ("s_14_n_067_x", vec![67]),
        ("nothing", vec![]),
        ("n_12_x", vec![]),
        ("narrow", vec![]),
    ] {
        assert_eq!(ids(name), expected, "{name}");
    }
}
