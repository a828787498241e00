//! Foreign text that may be shown.

/// Longest text kept, in characters.
pub(crate) const MAX: usize = 200;
/// Shortest unbroken run that may be a credential. Codes and tokens are longer, words shorter.
const SUSPECT: usize = 20;

/// `text` as at most [`MAX`] printable ASCII characters: anything else becomes a space, and a run
/// that looks random is left out, because a server may repeat the code or token that it refuses
/// (N-055). Still foreign: escape it where it is shown (N-013). `None` when nothing is left.
pub(crate) fn sanitise(text: &str) -> Option<String> {
    // Four times the limit is read so that leaving out runs doesn't empty the text.
    let text = printable(text, 4 * MAX);
    let mut kept = String::new();
    for piece in text.split_inclusive(|c| !is_run(c)) {
        let run = piece.trim_end_matches(|c| !is_run(c));
        if looks_random(run) {
            kept.push_str("[removed]");
            kept.push_str(piece.strip_prefix(run).unwrap_or_default());
        } else {
            kept.push_str(piece);
        }
    }
    Some(printable(&kept, MAX)).filter(|short| !short.is_empty())
}

/// The first `max` characters of `text`, trimmed, with a space for each that is not printable ASCII.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let shown = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    let text: String = text.trim().chars().take(max).map(shown).collect();
    text.trim().to_owned()
}

fn is_run(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=' | '~')
}

fn looks_random(run: &str) -> bool {
    let has = |test: fn(&u8) -> bool| run.as_bytes().iter().any(test);
    run.len() >= SUSPECT
        && (has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_013_text_is_short_and_printable() {
        let table = [
            ("code already used", Some("code already used")),
            ("  a\r\nb\u{0}c\u{7f}é\u{202e}d ", Some("a  b c   d")),
            ("\u{0}\n ", None),
            ("", None),
            ("redirect_uri_mismatch", Some("redirect_uri_mismatch")),
            (
                "https://app.example/auth/callback",
                Some("https://app.example/auth/callback"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(sanitise(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(
            sanitise(&"ab ".repeat(500)).map(|text| text.len()),
            Some(MAX)
        );
    }

    #[test]
    fn n_055_what_looks_like_a_credential_is_left_out() {
        for secret in [
            "rr1k00w8tbeej3xquqzklevs55zp6dp1",
            "SplxlOBeZQQYbYSWxSbIA",
            "eyJhbGciOiJSUzI1NiJ9",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ] {
            let text = format!("code {secret}, unknown");
            assert_eq!(sanitise(&text).as_deref(), Some("code [removed], unknown"));
        }
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2sifQ.c2lnbmF0dXJlLW9mLWNhbmFyeQ1";
        assert_eq!(
            sanitise(jwt).as_deref(),
            Some("[removed].[removed].[removed]")
        );
        // A run that the length limit would cut is judged as a whole.
        let late = format!("{} {}", "word ".repeat(37), "a1".repeat(30));
        assert!(!sanitise(&late).unwrap_or_default().contains("a1a1"));
    }
}
