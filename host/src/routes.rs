//! Which component answers a path.
//!
//! Matching is `routefinder`'s, which Spin uses too: an exact segment wins over
//! a `:parameter`, and both over a trailing `/...`.

use anyhow::{Context as _, anyhow};

use crate::manifest::HttpTrigger;

/// Paths under this prefix are answered by the runner.
pub(crate) const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

pub(crate) struct Router {
    router: routefinder::Router<Route>,
    listed: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Route {
    component: String,
    /// The pattern as written.
    raw: String,
    /// The pattern with a leading and without a trailing slash.
    based: String,
}

/// A path and the component that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteMatch {
    pub component: String,
    pub raw: String,
    pub based: String,
    /// What the trailing wildcard took, with its leading slash.
    pub path_info: String,
    /// Named parameters in the order of the pattern.
    pub parameters: Vec<(String, String)>,
}

impl RouteMatch {
    /// The match of a call from another component: as if it had the route `/...`.
    pub(crate) fn internal(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            raw: "/...".to_owned(),
            based: "/...".to_owned(),
            path_info: path.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The pattern as written, without its trailing wildcard.
    pub(crate) fn raw_prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }
}

impl Router {
    /// Of several triggers with the same pattern the last wins, as in Spin.
    ///
    /// # Errors
    ///
    /// A pattern that cannot be parsed.
    pub(crate) fn new(triggers: &[HttpTrigger]) -> anyhow::Result<Self> {
        let mut listed: Vec<(String, String)> = Vec::new();
        for trigger in triggers {
            let Some(raw) = &trigger.route else { continue };
            match listed.iter_mut().find(|(known, _)| known == raw) {
                Some((_, component)) => component.clone_from(&trigger.component),
                None => listed.push((raw.clone(), trigger.component.clone())),
            }
        }
        let mut router = routefinder::Router::new();
        for (raw, component) in &listed {
            let based = based(raw);
            let spec = match based.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => based.clone(),
            };
            let route = Route {
                component: component.clone(),
                raw: raw.clone(),
                based,
            };
            router
                .add(spec, route)
                .map_err(|error| anyhow!("{error}"))
                .with_context(|| format!("route {raw:?} of component {component:?}"))?;
        }
        Ok(Self { router, listed })
    }

    /// Patterns and their components, in the order of the manifest.
    pub(crate) fn listed(&self) -> &[(String, String)] {
        &self.listed
    }

    pub(crate) fn find(&self, path: &str) -> Option<RouteMatch> {
        let found = self.router.best_match(path)?;
        let route = found.handler().clone();
        let captures = found.captures();
        let path_info = match captures.wildcard() {
            None => String::new(),
            // The router drops trailing slashes; Spin gives them back.
            Some("") if path.ends_with('/') => "/".to_owned(),
            Some("") => String::new(),
            Some(rest) if path.ends_with('/') => format!("/{rest}/"),
            Some(rest) => format!("/{rest}"),
        };
        let parameters = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(RouteMatch {
            component: route.component,
            raw: route.raw,
            based: route.based,
            path_info,
            parameters,
        })
    }
}

fn based(raw: &str) -> String {
    let absolute = if raw.starts_with('/') {
        raw.to_owned()
    } else {
        format!("/{raw}")
    };
    absolute.strip_suffix('/').unwrap_or(&absolute).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> anyhow::Result<Router> {
        let triggers: Vec<HttpTrigger> = routes
            .iter()
            .map(|(route, component)| HttpTrigger {
                component: (*component).to_owned(),
                route: (*route != "private").then(|| (*route).to_owned()),
            })
            .collect();
        Router::new(&triggers)
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() -> anyhow::Result<()> {
        let mut routes = vec![
            ("/", "root"),
            ("/...", "all"),
            ("/api/...", "api"),
            ("/api/users", "users"),
            ("/api/users/:id", "user"),
            ("/api/users/:id/...", "user-rest"),
            ("/api/users/me", "me"),
            ("private", "inner"),
        ];
        let cases = [
            ("/", "root"),
            ("/other", "all"),
            ("/other/", "all"),
            ("/api", "api"),
            ("/api/x/y", "api"),
            ("/api/users", "users"),
            ("/api/users/", "users"),
            ("/api/users/7", "user"),
            ("/api/users/me", "me"),
            ("/api/users/7/x", "user-rest"),
        ];
        for _ in 0..2 {
            let router = router(&routes)?;
            for (path, component) in cases {
                let found = router.find(path).map(|found| found.component);
                assert_eq!(found.as_deref(), Some(component), "{path}");
            }
            routes.reverse();
        }
        Ok(())
    }

    #[test]
    fn path_info_keeps_slashes_as_spin_does() -> anyhow::Result<()> {
        let router = router(&[("/foo/...", "foo")])?;
        for (path, path_info) in [
            ("/foo", ""),
            ("/foo/", "/"),
            ("/foo/bar", "/bar"),
            ("/foo/bar/", "/bar/"),
            ("/foo/bar/baz", "/bar/baz"),
        ] {
            let found = router.find(path).map(|found| found.path_info);
            assert_eq!(found.as_deref(), Some(path_info), "{path}");
        }
        assert!(router.find("/fo").is_none());
        Ok(())
    }

    #[test]
    fn parameters_are_captured_and_of_equal_patterns_the_last_wins() -> anyhow::Result<()> {
        let router = router(&[("/u/:id/k/:key", "a"), ("/u/:id/k/:key", "b")])?;
        let found = router.find("/u/7/k/x").context("no match")?;
        assert_eq!(found.component, "b");
        assert_eq!(
            found.parameters,
            [
                ("id".to_owned(), "7".to_owned()),
                ("key".to_owned(), "x".to_owned())
            ]
        );
        assert_eq!(router.listed().len(), 1);
        Ok(())
    }
}
