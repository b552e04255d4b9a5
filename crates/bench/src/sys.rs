//! What the compiler cannot check: calls of C in this process, and memory shared with the peer of the raw limits.

pub(crate) mod direct;
pub(crate) mod memory;
