//! ScaiKey as the flows see it: its discovery document, its keys and its token endpoint, with what
//! is remembered of them.

mod documents;
mod grant;
mod identity;
mod remembered;

use std::cell::RefCell;
use std::time::Duration;

use scaigate_jose::Jwks;
use scaigate_scaikey::Metadata;

use crate::held_tokens::HeldTokens;
use crate::seen::Seen;

pub use documents::metadata;
pub(crate) use documents::{check, check_access_token, metadata_for};
pub(crate) use grant::ready_for_grant;
pub use grant::{GrantFailure, grant};
pub(crate) use identity::is_admin_role;
pub use identity::{Identity, verify};
pub(crate) use remembered::Asker;
use remembered::Known;

/// How far ScaiKey's clock may differ from ours.
pub(crate) const SKEW: Duration = Duration::from_secs(60);

/// What an instance remembers: ScaiKey's documents, and which credentials it has lately found good.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) seen: Seen,
    pub(crate) tokens: HeldTokens,
    metadata: RefCell<Option<Known<Metadata>>>,
    keys: RefCell<Option<Known<Jwks>>>,
}
