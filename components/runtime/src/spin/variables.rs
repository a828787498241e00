//! Variables, read once.

use std::collections::BTreeMap;

use scaigate_problem::{Code, Problem};
use spin_sdk::variables::{self, Error};

/// The values of a component's variables.
pub struct VariableValues(BTreeMap<&'static str, String>);

impl VariableValues {
    /// Reads the variables `names`. One that is not granted to the component counts as unset.
    ///
    /// # Errors
    /// [`Code::ConfigurationInvalid`] when the provider of variables does not answer: that is not
    /// the same as unset.
    pub async fn read(names: &[&'static str]) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        for name in names {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads variables"
            )]
            match variables::get(name).await {
                Ok(value) => {
                    values.insert(*name, value);
                }
                Err(Error::Undefined(_)) => {}
                Err(Error::InvalidName(_) | Error::Provider(_) | Error::Other(_)) => {
                    return Err(Problem::new(Code::ConfigurationInvalid)
                        .with("reason", "the variable provider does not answer"));
                }
            }
        }
        Ok(Self(values))
    }

    /// The value of the variable `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}
