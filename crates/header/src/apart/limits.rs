//! What reading may take.

use std::ffi::OsStr;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::words::cut;
use crate::error::{Error, ErrorKind};

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
    ///
    /// # Errors
    ///
    /// When what it names is none.
    pub(crate) fn of_environment() -> Result<Limits, Error> {
        let named = |name: &str| std::env::var_os(name).map(|text| number(name, &text)).transpose();
        let default = Limits::default();
        let (time, memory) = (named(SECONDS)?.map(Duration::from_secs), named(MIB)?.map(|mib| mib << 20));
        Ok(Limits { time: time.unwrap_or(default.time), memory: memory.unwrap_or(default.memory) })
    }

    /// Bytes of data after which the system gives no more, though nobody were looking: far more than [`Limits::memory`], so that it
    /// is the caller who ends it where it can.
    pub(super) fn data(&self) -> u64 {
        let more = self.memory.max(4 << 30);
        self.memory.saturating_add(more).saturating_add(STACK as u64)
    }

    /// Whether the system gives a process that this one starts less only for [`Limits::data`].
    pub(super) fn is_narrowest(&self) -> bool {
        let limits = [Resource::As, Resource::Data].map(|resource| getrlimit(resource).current);
        limits.iter().flatten().all(|limit| *limit >= self.data())
    }
}

/// A number above 0, of which 2^20 times as much is a number too.
fn number(name: &str, text: &OsStr) -> Result<u64, Error> {
    let text = text.to_string_lossy();
    let number = text.trim().parse().ok().filter(|number| (1..=1 << 40).contains(number));
    number.ok_or_else(|| {
        let message = format!("{name} is `{}`, and has to be a whole number above 0", cut(&text, 40));
        Error::new(ErrorKind::InvalidJob, message)
    })
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
            assert_eq!(number(SECONDS, OsStr::new(text)).ok(), expect, "{text:?}");
        }
    }
}
