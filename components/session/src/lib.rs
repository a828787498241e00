//! scaigate-session
