//! scaigate-e2e
