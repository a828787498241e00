//! Parameters added to an endpoint.

use url::form_urlencoded;

use crate::form;

/// `endpoint` with `parameters` in its query. What the endpoint's own query holds is kept (RFC 6749
/// §3.1) unless one of ours has the same name: no parameter may be sent twice, and ours decide.
pub(crate) fn with_parameters(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let endpoint = endpoint.split('#').next().unwrap_or(endpoint);
    let (address, own) = endpoint.split_once('?').unwrap_or((endpoint, ""));
    let kept = own
        .split('&')
        .filter(|piece| !piece.is_empty() && !replaced(piece, parameters));
    let mut url = address.to_owned();
    let mut separator = '?';
    for piece in kept
        .map(str::to_owned)
        .chain(parameters.iter().map(|pair| form::encode(&[*pair])))
    {
        url.push(separator);
        url.push_str(&piece);
        separator = '&';
    }
    url
}

fn replaced(piece: &str, parameters: &[(&str, &str)]) -> bool {
    form_urlencoded::parse(piece.as_bytes())
        .any(|(name, _)| parameters.iter().any(|(own, _)| *own == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_query_is_kept_and_never_doubled() {
        let table = [
            ("https://k.example/a", "https://k.example/a?x=1+2"),
            ("https://k.example/a?", "https://k.example/a?x=1+2"),
            (
                "https://k.example/a?y=%20&z",
                "https://k.example/a?y=%20&z&x=1+2",
            ),
            (
                "https://k.example/a?x=evil&y=2",
                "https://k.example/a?y=2&x=1+2",
            ),
            ("https://k.example/a?%78=evil", "https://k.example/a?x=1+2"),
            ("https://k.example/a#f", "https://k.example/a?x=1+2"),
        ];
        for (endpoint, expected) in table {
            assert_eq!(
                with_parameters(endpoint, &[("x", "1 2")]),
                expected,
                "{endpoint}"
            );
        }
        assert_eq!(
            with_parameters("https://k.example/a", &[]),
            "https://k.example/a"
        );
    }
}
