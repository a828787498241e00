//! What needs a fault, the clock, the database or a kill: runs on the embedded runner.
#[path = "embedded/negative_5_1.rs"]
mod negative_5_1;
#[path = "embedded/negative_5_1_answer.rs"]
mod negative_5_1_answer;
#[path = "embedded/negative_5_2.rs"]
mod negative_5_2;
#[path = "embedded/negative_5_2_cookies.rs"]
mod negative_5_2_cookies;
#[path = "embedded/negative_5_2_lifetime.rs"]
mod negative_5_2_lifetime;
#[path = "embedded/open_redirect.rs"]
mod open_redirect;
#[path = "embedded/symptoms.rs"]
mod symptoms;
#[path = "embedded/races.rs"]
mod races;
#[path = "embedded/sessions.rs"]
mod sessions;
#[path = "embedded/variants.rs"]
mod variants;
#[path = "embedded/workspaces.rs"]
mod workspaces;
#[path = "embedded/id_token.rs"]
mod id_token;
#[path = "embedded/isolation.rs"]
mod isolation;
#[path = "embedded/negative_5_3.rs"]
mod negative_5_3;
#[path = "embedded/scaikey_down.rs"]
mod scaikey_down;
#[path = "embedded/stores_down.rs"]
mod stores_down;
