//! What the audit log says of a request besides what it did.

use std::cell::{LazyCell, OnceCell};

use crate::TenantId;

/// Who made a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `person:…`, `service:…` or `operator`.
    pub name: String,
    /// Their tenant; `None` for a service of the platform.
    pub tenant_id: Option<TenantId>,
}

/// Somebody, named when a row says so: most requests write none.
type Named = LazyCell<Actor, Box<dyn FnOnce() -> Actor>>;

/// A request as the audit log knows it: by its id, from where, and by whom once that is proven.
#[derive(Debug, Default)]
pub struct Trail {
    /// The id that the answer and the log line have.
    pub request_id: String,
    /// The address that connected.
    pub source: Option<String>,
    actor: OnceCell<Named>,
}

impl Trail {
    /// The trail of a request; `peer` is who connected, as address and port.
    #[must_use]
    pub fn new(request_id: String, peer: Option<&str>) -> Self {
        Self {
            request_id,
            source: peer.and_then(address).map(str::to_owned),
            actor: OnceCell::new(),
        }
    }

    /// Notes who it is. The first who was proven stays.
    pub fn prove(&self, actor: impl FnOnce() -> Actor + 'static) {
        let _ = self.actor.set(LazyCell::new(Box::new(actor)));
    }

    /// Who it is, if that is proven.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.actor.get().map(|actor| &**actor)
    }
}

/// Longest text of an address.
const MAX_ADDRESS: usize = 45;

/// The address of `address:port` or `[address]:port`. Its parts are the runtime's to know; here it is only
/// seen to that nothing else gets into the log (the library's parser would be 10 kB in every component).
fn address(peer: &str) -> Option<&str> {
    let (host, _) = peer.rsplit_once(':')?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let host = host
        .strip_prefix("::ffff:")
        .filter(|v4| v4.contains('.'))
        .unwrap_or(host);
    let is_address = host.len() <= MAX_ADDRESS
        && host.contains(['.', ':'])
        && host
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    is_address.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_an_address_without_a_port() {
        for (peer, source) in [
            ("192.0.2.7:4711", Some("192.0.2.7")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("[::ffff:192.0.2.7]:80", Some("192.0.2.7")),
            ("example.test:80", None),
            ("192.0.2.7", None),
            ("192.0.2.7\n:80", None),
            (":80", None),
            ("", None),
        ] {
            let trail = Trail::new("req".to_owned(), Some(peer));
            assert_eq!(trail.source.as_deref(), source, "{peer}");
        }
    }

    #[test]
    fn the_first_who_was_proven_stays() {
        let trail = Trail::new("req".to_owned(), None);
        assert_eq!(trail.actor(), None);
        for name in ["person:a", "person:b"] {
            trail.prove(|| Actor {
                name: name.to_owned(),
                tenant_id: None,
            });
        }
        assert_eq!(
            trail.actor().map(|actor| actor.name.as_str()),
            Some("person:a")
        );
    }
}
