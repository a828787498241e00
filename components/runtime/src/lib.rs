//! scaigate-runtime
