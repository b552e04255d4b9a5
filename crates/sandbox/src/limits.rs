//! Resource limits of a worker.

use std::time::Duration;

/// Limits set before exec; soft and hard alike, so that the library cannot raise them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Descriptors (RLIMIT_NOFILE), at most 4096.
    pub descriptors: u64,
    /// Bytes of the main thread's stack (RLIMIT_STACK).
    pub stack: u64,
    /// Bytes of writable private memory (RLIMIT_DATA); `None` for no limit, or where there is one on `memory`, for twice that
    /// [some more](Limits::BESIDE), and the stacks of [many threads](Limits::THREADS). Not RLIMIT_AS: guarded blocks reserve address space by the gigabyte without using it.
    pub data: Option<u64>,
    /// Bytes of address space (RLIMIT_AS); `None` for no limit. The worker itself takes some 20 MB, and each segment of data
    /// counts.
    pub address_space: Option<u64>,
    /// Time on CPUs that a worker may take in its whole life, all threads together (RLIMIT_CPU), in whole seconds; `None` for no
    /// limit. A worker that has taken so much ends with `LimitExceeded`, and the next call has another.
    pub cpu: Option<Duration>,
    /// Threads that a worker may have, its own among them: two, and one more for each call at a time beyond the first; `None` for
    /// no limit. The host counts them, fifty times a second: a worker that has more ends with `LimitExceeded`, and the next call
    /// has another. In namespaces of its own the kernel lets it have 64 more at most until then.
    pub threads: Option<u64>,
    /// Bytes that the library may have allocated at a time, by `malloc` and its kin; `None` for no limit. Beyond it the library
    /// gets NULL, to within 128 KiB for each of its threads. Not what the worker itself allocates.
    pub memory: Option<u64>,
    /// Bytes on the disk that the library may have in its directory for temporary files, which profiles with files have; `None`
    /// for no limit. 1 GiB. The kernel has none for one process, so the host counts them, the more often the less is left: a
    /// worker that has more ends with `LimitExceeded`, what is in the directory is removed, and the next call has another worker.
    pub temporary: Option<u64>,
}

/// Most descriptors a worker may be given.
pub(crate) const MOST_DESCRIPTORS: u64 = 4096;

impl Limits {
    /// Bytes that stand behind a limit on `memory`, for the worker's own memory and what lies between blocks.
    pub const BESIDE: u64 = 512 << 20;

    /// Threads for whose stacks there is room behind a limit on `memory`: a stack counts as a whole, used or not.
    pub const THREADS: u64 = 256;

    /// What RLIMIT_DATA is set to.
    pub(crate) fn data(&self) -> Option<u64> {
        let beside = self.stack.saturating_mul(Limits::THREADS).saturating_add(Limits::BESIDE);
        let behind = |memory: u64| memory.saturating_mul(2).saturating_add(beside);
        self.data.or(self.memory.map(behind))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            descriptors: 256,
            stack: 8 << 20,
            data: None,
            memory: None,
            address_space: None,
            cpu: None,
            threads: None,
            temporary: Some(1 << 30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_on_memory_has_one_on_data_behind_it() {
        let limits = |memory, data| Limits { memory, data, ..Limits::default() }.data();
        assert_eq!(limits(None, None), None);
        assert_eq!(limits(Some(1 << 20), None), Some((2 << 20) + (2 << 30) + Limits::BESIDE));
        assert_eq!(limits(Some(1 << 20), Some(5)), Some(5), "what was asked for");
        assert_eq!(limits(Some(u64::MAX), None), Some(u64::MAX));
    }
}
