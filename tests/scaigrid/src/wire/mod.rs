//! HTTP/1.1 on bytes. A library would keep what tests look for (the target and the header as sent) from them, and
//! would refuse to send most of the lies.

pub(crate) mod gzip;
pub(crate) mod head;
pub(crate) mod inbox;
pub(crate) mod pieces;
pub(crate) mod plan;
