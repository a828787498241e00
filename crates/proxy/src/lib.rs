//! Speaking to ScaiGrid on behalf of a tenant (`product.md` section 7): whose credential, which
//! permission, what passes and what a failure is called.
//!
//! [`scaigrid`](scaigate_scaigrid) knows what ScaiGrid speaks; here is who may say it. A request goes
//! through [`serve()`]: its target is parsed once, the caller's permission becomes a value, a credential
//! is chosen, and the answer is a list of ours or a body that streams through. [`call`] is for calls of
//! our own. [`tenant_keys`] is where a tenant's administrators put their key.

pub mod call;
pub mod credential;
pub mod failure;
mod lookup;
mod pass;
pub mod permission;
mod serve;
pub mod settings;
pub mod tenant_keys;
mod upload;
mod watched;

pub use credential::Caller;
pub use lookup::Listed;
pub use pass::{GridPorts, Passed};
pub use serve::{Call, Served, read, serve};
pub use settings::Settings;
pub use upload::{MAX as MAX_UPLOAD, Upload};
pub use watched::{Cut, Watched};
