//! The console as a person has it: headless Chromium, the components that ship behind a certificate, and
//! an emulated ScaiKey to sign in at.

mod axe;
mod chromium;
mod keyboard;
mod scene;
mod tls;
mod webdriver;

pub use chromium::Chromium;
pub use keyboard::Key;
pub use scene::Scene;

pub use scaigate_e2e as e2e;
