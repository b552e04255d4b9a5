//! Resource limits of a worker.

use std::time::Duration;

/// Limits set before exec; soft and hard alike, so that the library cannot raise them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Descriptors (RLIMIT_NOFILE), at most 4096.
    pub descriptors: u64,
    /// Bytes of the main thread's stack (RLIMIT_STACK).
    pub stack: u64,
    /// Bytes of writable private memory (RLIMIT_DATA); `None` for no limit. Not RLIMIT_AS: guard
    /// allocators reserve address space by the hundred gigabytes without using it.
    pub data: Option<u64>,
    /// Bytes of address space (RLIMIT_AS); `None` for no limit. The worker itself takes some 20 MB, and each segment of data
    /// counts.
    pub address_space: Option<u64>,
    /// Time on CPUs that a worker may take in its whole life, all threads together (RLIMIT_CPU), in whole seconds; `None` for no
    /// limit. A worker that has taken so much ends with `LimitExceeded`, and the next call has another.
    pub cpu: Option<Duration>,
}

/// Most descriptors a worker may be given.
pub(crate) const MOST_DESCRIPTORS: u64 = 4096;

impl Default for Limits {
    fn default() -> Self {
        Limits { descriptors: 256, stack: 8 << 20, data: None, address_space: None, cpu: None }
    }
}
