//! Signing in and staying signed in: the flows.
//!
//! Each module is one exchange of `product.md` section 4: it takes parsed input, runs over the
//! ports of [`Ports`], and yields a typed result or a [`Problem`](scaigate_problem::Problem). No
//! HTTP server, no cookie jar, no Spin in here: the components do that.

pub mod authenticate;
pub mod backchannel_logout;
pub mod begin;
pub mod bounded;
pub mod callback;
pub mod code_post;
pub mod config_document;
pub mod failure;
mod fresh;
mod held_tokens;
pub mod kept_tokens;
pub mod logout;
pub mod ports;
pub mod principal;
pub mod redeem;
pub mod refresh;
pub mod register;
pub mod revoke;
mod said;
pub mod scaikey;
mod seen;
pub mod service_token;
mod session_answer;
pub mod settings;
pub mod token_exchange;
pub mod upstream_refresh;
pub mod workspace;

pub use ports::{Deadline, Ports};
pub use principal::{Authentication, Credential, Principal, Service, User};
pub use said::Said;
pub use scaikey::Memory;
pub use session_answer::{SessionAnswer, membership_json, refresh_after};
