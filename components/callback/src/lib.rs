//! scaigate-callback
