//! scaigate-empty
