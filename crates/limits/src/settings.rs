//! The setting `rate_limits`: `category=number` pairs with commas between, or `off`.

use scaigate_signin::settings::{Fault, Variables};

use crate::Category;

const SETTING: &str = "rate_limits";

/// The most requests a minute that can be set.
const MAX: u32 = 1_000_000;

/// Requests a minute of each category; none: not limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits(Vec<(Category, Option<u32>)>);

impl Default for RateLimits {
    fn default() -> Self {
        let limit = |category: Category| (category, Some(category.default_limit()));
        Self(Category::ALL.map(limit).into())
    }
}

impl RateLimits {
    /// No limits at all.
    #[must_use]
    pub const fn off() -> Self {
        Self(Vec::new())
    }

    /// Requests a minute, which may also all be made at once; `None`: as many as they like.
    #[must_use]
    pub fn of(&self, category: Category) -> Option<u32> {
        let (_, limit) = self.0.iter().find(|(known, _)| *known == category)?;
        *limit
    }

    /// Reads the setting. Categories that it does not name keep their default; `off` in place of a
    /// number takes a limit away.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(variables: &impl Variables) -> Result<Self, Vec<Fault>> {
        let Some(text) = variables.variable(SETTING) else {
            return Ok(Self::default());
        };
        if text == "off" {
            return Ok(Self::off());
        }
        let mut limits = Self::default();
        let mut named = Vec::new();
        for pair in text.split(',') {
            let (name, number) = pair
                .split_once('=')
                .ok_or_else(|| fault("not a list of category=number"))?;
            let category =
                Category::parse(name.trim()).ok_or_else(|| fault("an unknown category"))?;
            if named.contains(&category) {
                return Err(fault("a category that is named twice"));
            }
            named.push(category);
            let limit = match number.trim() {
                "off" => None,
                number => Some(
                    number
                        .parse()
                        .ok()
                        .filter(|limit| (1..=MAX).contains(limit))
                        .ok_or_else(|| fault("a number that is not from 1 to 1000000"))?,
                ),
            };
            for (known, old) in &mut limits.0 {
                if *known == category {
                    *old = limit;
                }
            }
        }
        Ok(limits)
    }
}

fn fault(problem: &'static str) -> Vec<Fault> {
    vec![Fault {
        setting: SETTING,
        problem,
        fix: "List requests a minute, as in lookup=600,inference=120,deploy=30,admin=300; `off` instead of a number, or alone, limits nothing.",
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<[Option<u32>; 4], &'static str> {
        let variables = |name: &str| (name == SETTING).then(|| text.to_owned());
        RateLimits::parse(&variables)
            .map(|limits| Category::ALL.map(|category| limits.of(category)))
            .map_err(|faults| faults[0].problem)
    }

    #[test]
    fn what_is_not_named_keeps_its_default() {
        let default = [Some(600), Some(120), Some(30), Some(300)];
        for (text, expected) in [
            ("", Ok(default)),
            ("  ", Ok(default)),
            ("off", Ok([None; 4])),
            ("admin=5", Ok([Some(600), Some(120), Some(30), Some(5)])),
            (
                " deploy = 1 ,lookup=1000000",
                Ok([Some(1_000_000), Some(120), Some(1), Some(300)]),
            ),
            ("inference=off", Ok([Some(600), None, Some(30), Some(300)])),
            ("on", Err("not a list of category=number")),
            ("admin=5,", Err("not a list of category=number")),
            (
                "admin=5;deploy=1",
                Err("a number that is not from 1 to 1000000"),
            ),
            ("Admin=5", Err("an unknown category")),
            ("sign_in=5", Err("an unknown category")),
            ("=5", Err("an unknown category")),
            ("admin=5,admin=6", Err("a category that is named twice")),
            ("admin=0", Err("a number that is not from 1 to 1000000")),
            ("admin=-1", Err("a number that is not from 1 to 1000000")),
            (
                "admin=1000001",
                Err("a number that is not from 1 to 1000000"),
            ),
            ("admin=", Err("a number that is not from 1 to 1000000")),
            ("admin=1e3", Err("a number that is not from 1 to 1000000")),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
