//! Addresses, taken apart and put together as an attacker would.

use url::Url;

/// The parameter `name` of an address' query, decoded; empty when it is not there.
///
/// # Panics
/// When `address` is not absolute.
#[must_use]
pub fn parameter(address: &str, name: &str) -> String {
    let url = Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// The address with every parameter `name` replaced by one per `values`.
///
/// # Panics
/// When `address` is not absolute.
#[must_use]
pub fn with_parameter(address: &str, name: &str, values: &[&str]) -> String {
    let mut url = Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .extend_pairs(values.iter().map(|value| (name, *value)));
    url.into()
}

/// Path and query of an address, to send it elsewhere than to its host.
///
/// # Panics
/// When `address` is not absolute.
#[must_use]
pub fn path_and_query(address: &str) -> String {
    let url = Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}
