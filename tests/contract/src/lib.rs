//! scaigate-contract
