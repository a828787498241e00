//! The world of an end-to-end test: an emulated ScaiKey, the runner with the wasm that ships, a
//! clock both share, and browsers.
//!
//! Whatever a test sees that must stay secret (codes, states, tokens, cookies, settings) is
//! remembered, and searched for in every error answer and every log line: see [`Canaries`].

pub mod address;
mod app;
mod browser;
mod canaries;
mod client;
pub mod conformance;
mod console;
mod deploying;
mod diagnosis;
mod directory;
mod flows;
mod json_schema;
mod mirror;
mod outcome;
mod patience;
mod raw;
mod scaigrid;
mod scaikey;
mod scene;
pub mod seen;
mod spin_process;
mod together;
mod traces;
mod world;

pub use app::pkce_challenge;
pub use browser::Browser;
pub use canaries::Canaries;
pub use client::{Answer, Client};
pub use console::{ConsolePage, LOGIN_COOKIE, SESSION_COOKIE};
pub use deploying::Deploying;
pub use diagnosis::Ran;
pub use flows::MANIFEST;
pub use mirror::{Live, reorganised};
pub use raw::Raw;
pub use scene::{Scene, set_scopes};
pub use together::together;
pub use traces::Traces;
pub use world::{CREDENTIALS_KEY, Setup, WEBHOOK_SECRET, World};

pub use scaigate_host::{Call, Effect, ReuseOptions, Target, When};
pub use scaigrid_emulator as grid;
pub use scaikey_emulator as emulator;
