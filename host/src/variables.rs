//! Application variables and the templates that use them
//! (`{{ name }}` in component variables and allowed hosts).

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{bail, ensure};

use crate::manifest::{Component, Variable};
use crate::variable_name::check_name;

/// Why a variable has no value, in the terms of `spin:variables@3.0.0`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum VariableError {
    InvalidName(String),
    Undefined(String),
}

/// Text with `{{ name }}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((name, tail)) = after.split_once("}}") else {
                bail!("invalid template: `{{{{` without `}}}}`");
            };
            parts.push(Part::Name(name.trim().to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    pub(crate) fn is_literal(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

/// The values of the application's variables.
#[derive(Clone)]
pub(crate) struct Values(BTreeMap<String, String>);

impl fmt::Debug for Values {
    // Values may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}

impl Values {
    /// Joins the manifest's defaults with what was given.
    ///
    /// # Errors
    ///
    /// Names a given variable the manifest does not declare, and every required
    /// variable that was not given.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Variable>,
        given: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
            bail!("the manifest declares no variable {unknown:?}");
        }
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            match given.get(name).or(variable.default.as_ref()) {
                Some(value) => {
                    values.insert(name.clone(), value.clone());
                }
                None => missing.push(name.as_str()),
            }
        }
        ensure!(
            missing.is_empty(),
            "no value for the required variable(s) {}",
            missing.join(", ")
        );
        Ok(Self(values))
    }

    /// Puts values into a template. `Err` names an unknown variable.
    pub(crate) fn fill(&self, template: &Template) -> Result<String, String> {
        let mut text = String::new();
        for part in &template.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Name(name) => match self.0.get(name) {
                    Some(value) => text.push_str(value),
                    None => return Err(name.clone()),
                },
            }
        }
        Ok(text)
    }
}

/// The variables one component may read.
pub(crate) struct ComponentVariables {
    component: String,
    values: BTreeMap<String, String>,
}

impl ComponentVariables {
    /// Fills the component's templates.
    ///
    /// # Errors
    ///
    /// A malformed template, or one that names an undeclared variable.
    pub(crate) fn new(id: &str, component: &Component, values: &Values) -> anyhow::Result<Self> {
        let mut filled = BTreeMap::new();
        for (name, text) in &component.variables {
            let template = Template::parse(text)?;
            match values.fill(&template) {
                Ok(value) => filled.insert(name.clone(), value),
                Err(unknown) => bail!("component {id:?}: unknown variable {unknown:?} in {name:?}"),
            };
        }
        Ok(Self {
            component: id.to_owned(),
            values: filled,
        })
    }

    pub(crate) fn get(&self, name: &str) -> Result<String, VariableError> {
        if let Err(error) = check_name(name) {
            return Err(VariableError::InvalidName(error.to_string()));
        }
        self.values.get(name).cloned().ok_or_else(|| {
            VariableError::Undefined(format!("no variable for {:?}.{name:?}", self.component))
        })
    }
}

/// The values the environment has for declared variables, as Spin reads them:
/// `SPIN_VARIABLE_` and the name in upper case.
pub(crate) fn from_environment(
    declared: &BTreeMap<String, Variable>,
    read: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    declared
        .keys()
        .filter_map(|name| {
            let key = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            Some((name.clone(), read(&key)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        Values(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn templates_fill() {
        let values = values(&[("a", "1"), ("b", "{{ a }}")]);
        for (text, expected) in [
            ("", Some("")),
            ("plain } text", Some("plain } text")),
            ("{{a}}", Some("1")),
            ("x-{{ a }}-{{ b }}", Some("x-1-{{ a }}")),
            ("{{ missing }}", None),
            ("{{ a", None),
        ] {
            let filled = Template::parse(text)
                .ok()
                .and_then(|template| values.fill(&template).ok());
            assert_eq!(filled.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_required_variable_without_a_value_is_an_error_that_names_it() {
        let declared: BTreeMap<String, Variable> =
            toml::from_str("key = { required = true }\nurl = { default = \"u\" }")
                .unwrap_or_default();
        let error = Values::resolve(&declared, &BTreeMap::new());
        assert!(error.is_err_and(|error| error.to_string().contains("key")));
        let given = BTreeMap::from([("key".to_owned(), "k".to_owned())]);
        assert!(Values::resolve(&declared, &given).is_ok());
        let unknown = BTreeMap::from([("kex".to_owned(), "k".to_owned())]);
        let error = Values::resolve(&declared, &unknown);
        assert!(error.is_err_and(|error| error.to_string().contains("kex")));
    }

    #[test]
    fn debug_of_values_shows_names_only() {
        assert_eq!(format!("{:?}", values(&[("key", "hidden")])), "[\"key\"]");
    }
}
