//! What reading may take.

use std::time::Duration;

/// Time and memory that one job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How long; time in which the caller was stopped does not count.
    pub(crate) time: Duration,
    /// Bytes of memory in use.
    pub(crate) memory: u64,
}

/// Names the seconds that a job may take.
pub(super) const SECONDS: &str = "HOTCELL_READER_SECONDS";

/// Names the MiB that a job may take.
pub(super) const MIB: &str = "HOTCELL_READER_MIB";

/// Bytes of the parsing thread's stack. They are taken when they are needed: libclang takes some for each operator of an expression.
pub(super) const STACK: usize = 1 << 30;

impl Default for Limits {
    /// Far more than the headers of large libraries take, and enough for 10 MB of declarations where the machine is slow.
    fn default() -> Limits {
        Limits { time: Duration::from_secs(120), memory: 4 << 30 }
    }
}

impl Limits {
    /// Those that the environment names, and the default for others.
    pub(crate) fn of_environment() -> Limits {
        let number = |name: &str| number(&std::env::var(name).ok()?);
        let default = Limits::default();
        let (time, memory) = (number(SECONDS).map(Duration::from_secs), number(MIB).map(|mib| mib << 20));
        Limits { time: time.unwrap_or(default.time), memory: memory.unwrap_or(default.memory) }
    }
}

/// A number above 0, of which 2^20 times as much is a number too.
fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| (1..=1 << 40).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_no_limit() {
        for (text, expect) in [
            ("1", Some(1)),
            (" 300 ", Some(300)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("18446744073709551615", None),
        ] {
            assert_eq!(number(text), expect, "{text:?}");
        }
    }
}
