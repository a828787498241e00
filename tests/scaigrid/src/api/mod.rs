//! What ScaiGrid serves, honestly.

pub(crate) mod api_keys;
pub(crate) mod bunkers;
pub(crate) mod chat;
pub(crate) mod checkpoints;
pub(crate) mod cores;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod listing;
pub(crate) mod models;
pub(crate) mod queues;
