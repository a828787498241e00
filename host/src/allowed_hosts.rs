//! Which hosts a component may call: `allowed_outbound_hosts`.
//!
//! An entry is `<scheme>://<host>[:<port>]`, each part possibly `*`; a host may
//! be `*.domain`, `self`, an address range, or `<component>.spin.internal`.

use std::net::IpAddr;
use std::ops::Range;

use anyhow::{Context as _, bail, ensure};
use url::{Host, Url};

use crate::variables::{Template, Values};

const INTERNAL_DOMAIN: &str = "spin.internal";

/// The component named by `<component>.spin.internal[:port]`.
pub(crate) fn internal_component(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let (component, domain) = host.trim().split_once('.')?;
    (domain == INTERNAL_DOMAIN).then_some(component)
}

/// The resolved entries of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `None` for `*`.
    scheme: Option<String>,
    host: HostRule,
    ports: PortRule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Any,
    SelfRequests,
    Exact(Host),
    /// The domain with its leading dot.
    Subdomains(String),
    /// Network bits of an address, and how many count.
    Network(IpAddr, u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PortRule {
    Any,
    Within(Range<u32>),
}

impl AllowedHosts {
    /// Checks literal entries only; templates wait for their values.
    ///
    /// # Errors
    ///
    /// The first malformed literal entry or template.
    pub(crate) fn check_literals(entries: &[String]) -> anyhow::Result<()> {
        for text in entries {
            if Template::parse(text)?.is_literal() {
                Entry::parse(text)?;
            }
        }
        Ok(())
    }

    /// Fills templates and parses. A template that becomes empty, or only
    /// `http://` or `https://`, is skipped. `*.spin.internal` becomes one entry
    /// for each of `components`.
    ///
    /// # Errors
    ///
    /// The first malformed entry: Spin then refuses every outbound request of
    /// the component.
    pub(crate) fn resolve(
        entries: &[String],
        values: &Values,
        components: &[String],
    ) -> anyhow::Result<Self> {
        let mut resolved = Vec::new();
        for text in entries {
            let template = Template::parse(text)?;
            let filled = match values.fill(&template) {
                Ok(filled) => filled,
                Err(unknown) => bail!("unknown variable {unknown:?}"),
            };
            let empty = matches!(filled.as_str(), "" | "http://" | "https://");
            if empty && !template.is_literal() {
                continue;
            }
            let entry = Entry::parse(&filled)?;
            match &entry.host {
                HostRule::Subdomains(domain)
                    if domain.strip_prefix('.') == Some(INTERNAL_DOMAIN) =>
                {
                    for component in components {
                        resolved.push(Entry {
                            host: HostRule::Exact(Host::Domain(format!(
                                "{component}.{INTERNAL_DOMAIN}"
                            ))),
                            ..entry.clone()
                        });
                    }
                }
                _ => resolved.push(entry),
            }
        }
        Ok(Self(resolved))
    }

    /// No host at all.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether a request to this absolute URL is allowed.
    pub(crate) fn allows(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        let Some(host) = url.host_str().and_then(|host| Host::parse(host).ok()) else {
            return false;
        };
        let port = url.port().or_else(|| default_port(url.scheme()));
        self.0.iter().any(|entry| {
            entry.allows_scheme(url.scheme())
                && entry.host.allows(&host)
                && entry.ports.allows(port)
        })
    }

    /// Whether a component may call its own application by a relative URL.
    pub(crate) fn allows_self(&self) -> bool {
        self.0.iter().any(|entry| {
            matches!(entry.host, HostRule::Any | HostRule::SelfRequests)
                && (entry.allows_scheme("http") || entry.allows_scheme("https"))
        })
    }
}

impl Entry {
    fn parse(text: &str) -> anyhow::Result<Self> {
        Self::parse_parts(text.trim())
            .with_context(|| format!("{text:?} is not an allowed outbound host"))
    }

    fn parse_parts(text: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = text
            .split_once("://")
            .context("it must be <scheme>://<host>[:<port>]")?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "the scheme must be `*` or letters"
        );
        // An address with colons and without a port is a host as a whole.
        let (host, port) = match rest.rsplit_once(':') {
            None => (rest, ""),
            Some((host, "")) => (host, ""),
            Some(_) if HostRule::parse(rest).is_ok() => (rest, ""),
            Some((host, port)) => (host, port.strip_suffix('/').unwrap_or(port)),
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostRule::parse(host)?,
            ports: PortRule::parse(port, scheme)?,
        })
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|own| own == scheme)
    }
}

impl HostRule {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::SelfRequests),
            _ => {}
        }
        if let Some(network) = network(text) {
            return Ok(network);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        ensure!(!text.contains('/'), "it must not have a path");
        if let Some(domain) = text.strip_prefix("*.") {
            return match Host::parse(domain)? {
                Host::Domain(domain) if !domain.contains('*') => {
                    Ok(Self::Subdomains(format!(".{domain}")))
                }
                _ => bail!("`*.` must be followed by a domain"),
            };
        }
        ensure!(!text.contains('*'), "`*` may only stand for subdomains");
        Ok(Self::Exact(Host::parse(text)?))
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Exact(own), _) => own == host,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Network(network, bits), Host::Ipv4(address)) => {
                same_network(*network, IpAddr::V4(*address), *bits)
            }
            (Self::Network(network, bits), Host::Ipv6(address)) => {
                same_network(*network, IpAddr::V6(*address), *bits)
            }
            (Self::Subdomains(_) | Self::Network(..) | Self::SelfRequests, _) => false,
        }
    }
}

fn network(text: &str) -> Option<HostRule> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(HostRule::Network(address, bits))
}

fn same_network(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32_u32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let ignored = width.saturating_sub(u32::from(bits));
    // Shifting out all 128 bits leaves nothing to compare.
    network.checked_shr(ignored).unwrap_or(0) == address.checked_shr(ignored).unwrap_or(0)
}

impl PortRule {
    fn parse(text: &str, scheme: &str) -> anyhow::Result<Self> {
        let one = |port: u16| Self::Within(u32::from(port)..u32::from(port) + 1);
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.is_empty() {
            return default_port(scheme)
                .map(one)
                .context("it has no port, and the scheme has no default port");
        }
        if let Some((start, end)) = text.split_once("..") {
            let start: u16 = start.parse()?;
            let end: u16 = end.parse()?;
            return Ok(Self::Within(u32::from(start)..u32::from(end)));
        }
        Ok(one(text.parse().context("the port is not a number")?))
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match self {
            Self::Any => true,
            Self::Within(range) => port.is_some_and(|port| range.contains(&u32::from(port))),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::manifest::Variable;

    fn values(name: &str, value: &str) -> anyhow::Result<Values> {
        let declared: BTreeMap<String, Variable> = toml::from_str("v = { required = true }")?;
        Values::resolve(
            &declared,
            &BTreeMap::from([(name.to_owned(), value.to_owned())]),
        )
    }

    fn resolve(entry: &str, value: &str) -> anyhow::Result<AllowedHosts> {
        let components = ["web".to_owned(), "session".to_owned()];
        AllowedHosts::resolve(&[entry.to_owned()], &values("v", value)?, &components)
    }

    #[test]
    fn allows_what_the_entry_says_and_nothing_else() -> anyhow::Result<()> {
        let cases = [
            ("https://a.test", "https://a.test/x", true),
            ("https://a.test", "https://a.test:443/x", true),
            ("https://a.test", "https://A.test/x", true),
            ("https://a.test", "http://a.test/", false),
            ("https://a.test", "https://a.test:444/", false),
            ("https://a.test", "https://b.a.test/", false),
            ("https://a.test", "https://a.test.evil.test/", false),
            ("https://a.test", "https://a.test@evil.test/", false),
            ("https://a.test/", "https://a.test/", true),
            ("http://a.test:8080", "http://a.test:8080/", true),
            ("http://a.test:8000..8002", "http://a.test:8001/", true),
            ("http://a.test:8000..8002", "http://a.test:8002/", false),
            ("http://a.test:*", "http://a.test:1/", true),
            ("*://a.test:*", "https://a.test/", true),
            ("https://*.a.test", "https://b.a.test/", true),
            ("https://*.a.test", "https://a.test/", false),
            ("*://*:*", "https://anything.test:1/", true),
            ("http://127.0.0.1:80", "http://127.0.0.1/", true),
            ("http://10.0.0.0/8:80", "http://10.9.9.9/", true),
            ("http://10.0.0.0/8:80", "http://11.0.0.1/", false),
            ("http://[::1]:80", "http://[::1]/", true),
            ("http://[::1]", "http://[::1]/", true),
            ("http://self", "http://self/", false),
            (
                "http://session.spin.internal",
                "http://session.spin.internal/x",
                true,
            ),
            (
                "http://session.spin.internal",
                "http://web.spin.internal/x",
                false,
            ),
            ("http://*.spin.internal", "http://web.spin.internal/", true),
            (
                "http://*.spin.internal",
                "http://other.spin.internal/",
                false,
            ),
            ("{{ v }}", "https://idp.test/x", true),
            ("{{ v }}", "https://other.test/x", false),
        ];
        for (entry, url, expected) in cases {
            let hosts = resolve(entry, "https://idp.test")?;
            assert_eq!(hosts.allows(url), expected, "{entry} {url}");
        }
        Ok(())
    }

    #[test]
    fn a_template_that_becomes_empty_is_skipped() -> anyhow::Result<()> {
        for (entry, value) in [
            ("{{ v }}", ""),
            ("https://{{ v }}", ""),
            ("http://{{ v }}", ""),
        ] {
            assert_eq!(resolve(entry, value)?, AllowedHosts::none(), "{entry}");
        }
        Ok(())
    }

    #[test]
    fn refuses_malformed_entries() {
        for entry in [
            "",
            "*",
            "a.test",
            "https://",
            "ht1://a.test:1",
            "https://a.test/path",
            "https://a*.test",
            "https://*.1.2.3.4",
            "gopher://a.test",
            "https://a.test:x",
            "https://{{ v",
            "https://{{ w }}",
        ] {
            assert!(resolve(entry, "x").is_err(), "{entry}");
        }
        let literal = ["https://a.test/path".to_owned()];
        assert!(AllowedHosts::check_literals(&literal).is_err());
        let template = ["{{ anything }}/path".to_owned()];
        assert!(AllowedHosts::check_literals(&template).is_ok());
    }

    #[test]
    fn only_self_and_any_allow_calls_to_oneself() -> anyhow::Result<()> {
        for (entry, expected) in [
            ("http://self", true),
            ("*://*:*", true),
            ("http://a.test", false),
        ] {
            assert_eq!(resolve(entry, "x")?.allows_self(), expected, "{entry}");
        }
        Ok(())
    }

    #[test]
    fn finds_the_internal_component() {
        for (host, component) in [
            ("web.spin.internal", Some("web")),
            ("web.spin.internal:80", Some("web")),
            ("spin.internal", None),
            ("a.b.spin.internal", None),
            ("web.spin.internal.evil.test", None),
        ] {
            assert_eq!(internal_component(host), component, "{host}");
        }
    }
}
