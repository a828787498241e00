//! The half that names Spin.

mod callers;
mod dev_headers;
mod due_sync;
mod limits;
mod ports;
mod refusals;
mod serve;
mod sign_in;
mod stream;
mod streaming;
mod variables;
pub mod wire;

pub use callers::Callers;
pub use dev_headers::note_dev_headers;
pub use due_sync::{ask_for_sync, notice_due_sync};
pub use limits::admit;
pub use ports::{SpinClock, SpinEntropy, SpinOutbound};
pub use refusals::note_refusal;
pub use serve::{Reply, respond, serve, serve_up_to};
pub use sign_in::SpinPorts;
pub use stream::{Arriving, StreamAnswer, StreamBody, respond_stream};
pub use streaming::{SpinDownload, SpinStreaming};
pub use variables::VariableValues;

/// Runs `task` after the answer has gone. A host may cut it short: it must be work that somebody
/// else finishes.
pub fn after_answer(task: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(task);
}
