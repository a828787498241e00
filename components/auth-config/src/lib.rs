//! scaigate-auth-config
