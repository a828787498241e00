//! Signing in and staying signed in: the flows.
//!
//! Each module is one exchange of `product.md` section 4: it takes parsed input, runs over the
//! ports of [`Ports`], and yields a typed result or a [`Problem`](scaigate_problem::Problem). No
//! HTTP server, no cookie jar, no Spin in here: the components do that.

pub mod authenticate;
pub mod begin;
pub mod callback;
pub mod code_post;
pub mod config_document;
pub mod failure;
pub mod logout;
pub mod ports;
pub mod redeem;
pub mod refresh;
pub mod scaikey;
mod session_answer;
pub mod settings;
pub mod upstream_refresh;

pub use ports::{Deadline, Ports};
pub use scaikey::Memory;
pub use session_answer::{SessionAnswer, membership_json, refresh_after};
