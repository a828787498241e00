//! What an emulator of a server is made of, whatever it emulates: a clock that tests set, gates that hold requests
//! and answers back so that tests need no sleeps, and switches for what it does and which lies it tells.

mod clock;
mod gates;
mod switches;

pub use clock::{Clock, http_date, iso8601, iso8601_millis, system_clock};
pub use gates::{Gate, Gates};
pub use switches::{Setting, Switches};
