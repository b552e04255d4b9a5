//! The one clock of the protocol: CLOCK_MONOTONIC in nanoseconds, the same in host and worker.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since an arbitrary point; never 0, which means "none" on the wire.
#[inline]
pub fn now() -> u64 {
    // In a model nothing may depend on when it runs.
    if cfg!(all(test, loom)) { 1 } else { nanoseconds(clock_gettime(ClockId::Monotonic)).max(1) }
}

/// The same clock as of the kernel's last tick, a few milliseconds ago: it costs next to nothing.
#[inline]
pub fn coarse() -> u64 {
    nanoseconds(clock_gettime(ClockId::MonotonicCoarse))
}

#[inline]
fn nanoseconds(time: Timespec) -> u64 {
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// A duration for the kernel.
pub(crate) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    }
}
