//! The library's memory in a call, from the command line.

use clap::{Args, ValueEnum};
use hotcell::{Guard, Limits};

/// What the library may have of memory, and how it is looked after.
#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// Give the library at most so much memory: bytes, or `64KiB`, `64MiB`, `1GiB`
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) memory: Option<u64>,
    /// Guard its blocks, instead of what its contract says [default of contracts: none]
    #[arg(long, value_name = "WHICH")]
    pub(crate) guard: Option<GuardName>,
    /// Tell what the library has allocated and not freed when the call has returned, by function
    #[arg(long)]
    pub(crate) heap: bool,
}

/// Which blocks are guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GuardName {
    /// None
    None,
    /// One in 5 000: cheap enough for every day
    Sampled,
    /// As many as there is room for: slow, to find out what is wrong
    All,
}

impl MemoryArgs {
    /// The guard that was asked for; none where the contract's is to hold.
    pub(crate) fn guard(&self) -> Option<Guard> {
        self.guard.map(|name| match name {
            GuardName::None => Guard::None,
            GuardName::Sampled => Guard::Sampled,
            GuardName::All => Guard::All,
        })
    }

    /// The limits of the worker.
    pub(crate) fn limits(&self) -> Limits {
        Limits { memory: self.memory, ..Limits::default() }
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)]
        .into_iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
        .unwrap_or((text, 0));
    let number = digits.trim_end().parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number.filter(|number| *number > 0).ok_or_else(|| "write bytes, or `64KiB`, `64MiB`, `1GiB`".into())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_units() {
        let sizes = [("1", 1), ("64KiB", 64 << 10), ("3 MiB", 3 << 20), ("1GiB", 1 << 30)];
        for (text, expect) in sizes {
            assert_eq!(bytes(text), Ok(expect), "{text}");
        }
        for text in ["", "0", "-1", "1.5MiB", "1MB", "MiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
