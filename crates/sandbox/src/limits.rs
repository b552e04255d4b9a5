//! Resource limits of a worker.

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
}

/// Most descriptors a worker may be given.
pub(crate) const MOST_DESCRIPTORS: u64 = 4096;

impl Default for Limits {
    fn default() -> Self {
        Limits { descriptors: 256, stack: 8 << 20, data: None }
    }
}
