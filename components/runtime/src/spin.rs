//! The half that names Spin.

mod audited;
mod callers;
mod dev_headers;
mod due_sync;
mod limits;
mod once;
mod ports;
mod serve;
mod sign_in;
mod stream;
mod streaming;
mod variables;
pub mod wire;

pub use audited::{note_read, note_read_after_answer, note_refusal};
pub use callers::{Callers, site_of};
pub use due_sync::{ask_for_sync, notice_due_sync};
pub use limits::admit;
pub use once::Once;
pub use ports::{SpinClock, SpinEntropy, SpinOutbound};
pub use serve::Component;
pub use sign_in::SpinPorts;
pub use stream::{Arriving, StreamAnswer, StreamBody};
pub use streaming::{SpinDownload, SpinStreaming};
pub use variables::VariableValues;

/// Runs `task` after the answer has gone. A host may cut it short: it must be work that somebody
/// else finishes.
pub fn after_answer(task: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(task);
}
