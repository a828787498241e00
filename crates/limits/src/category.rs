//! The kinds of requests that are limited.

/// A kind of request with a limit of its own. Each counts whoever is behind it: what nobody proven
/// calls, such as beginning a sign-in, has no category, for an address is no principal. The one
/// exception is [`Payer::DevDeploy`](crate::Payer::DevDeploy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Reads passed through to ScaiGrid.
    Lookup,
    /// Inference at ScaiGrid.
    Inference,
    /// Deploying and changing flows.
    Deploy,
    /// The pages of administrators.
    Admin,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lookup, Self::Inference, Self::Deploy, Self::Admin];

    /// The name in the setting, in answers and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Inference => "inference",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }

    /// The category of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == name)
    }

    /// Requests a minute unless the setting says otherwise.
    #[must_use]
    pub const fn default_limit(self) -> u32 {
        match self {
            Self::Lookup => 600,
            Self::Inference => 120,
            Self::Deploy => 30,
            Self::Admin => 300,
        }
    }
}
