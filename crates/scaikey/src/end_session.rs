//! Logout at ScaiKey by way of the browser (OpenID Connect RP-Initiated Logout 1.0 §2).

use scaigate_types::ClientId;

use crate::discovery::Metadata;
use crate::query;

/// The address that ends the person's session at ScaiKey; `None` when it declares no such endpoint.
/// `state` comes back on `post_logout_redirect_uri`.
#[must_use]
pub fn url(
    metadata: &Metadata,
    client_id: &ClientId,
    id_token_hint: Option<&str>,
    post_logout_redirect_uri: Option<&str>,
    state: Option<&str>,
) -> Option<String> {
    let endpoint = metadata.end_session_endpoint.as_deref()?;
    let mut parameters = vec![("client_id", client_id.as_str())];
    let optional = [
        ("id_token_hint", id_token_hint),
        ("post_logout_redirect_uri", post_logout_redirect_uri),
        ("state", state),
    ];
    parameters.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    Some(query::with_parameters(endpoint, &parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{client, metadata};

    #[test]
    fn only_what_is_given_is_sent() {
        let id = client().id;
        let base = "https://scaikey.example/oauth/logout?client_id=app_1";
        assert_eq!(url(&metadata(), &id, None, None, None).unwrap(), base);
        assert_eq!(
            url(
                &metadata(),
                &id,
                Some("a.b.c"),
                Some("https://app.example/?a=1"),
                Some("s&t")
            ),
            Some(format!(
                "{base}&id_token_hint=a.b.c\
                 &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F%3Fa%3D1&state=s%26t"
            ))
        );
    }

    #[test]
    fn there_is_no_address_where_no_endpoint_is_declared() {
        let metadata = Metadata {
            end_session_endpoint: None,
            ..metadata()
        };
        assert_eq!(url(&metadata, &client().id, None, None, None), None);
    }
}
