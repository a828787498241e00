//! The console in headless Chromium.

mod keyboard;
mod looks;
mod sign_in;
mod trouble;
mod views;
