//! Everything that needs no fault and no clock: runs on the embedded runner and on `spin`.

#[path = "portable/ways_in.rs"]
mod ways_in;
