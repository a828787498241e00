//! What works, what does not, and what to do about it (`product.md` section 8, `symptoms.md`).
//!
//! A check asks one part of the world for real, within its own time-out, and gives what it saw: how long
//! it took, facts, and findings. A finding has a stable code, a severity, evidence and a fix that names a
//! setting, a command or an endpoint that there is.
//!
//! Nothing here holds a secret. Whether one is set and has the right form is asked of the component that
//! holds it (`siblings`).

mod bounded;
mod check;
mod directory;
mod finding;
mod list;
mod reference;
mod report;
mod scaigrid;
mod scaikey;
mod settings;
mod siblings;
mod stores;

pub use bounded::within;
pub use check::Check;
pub use finding::{Finding, Severity};
pub use list::Name;
pub use reference::markdown;
pub use report::{Asked, Report, detailed, local, own, ready};
pub use settings::{Judged, NAMES as SETTINGS, judge, origins};
pub use siblings::SettingState;
