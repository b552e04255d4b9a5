//! System calls that the sandbox stopped, as callers see them.

use std::fmt;
use std::io;

use hotcell_protocol::wire::denial_record;
use hotcell_sandbox::{Remedy, Sandbox, Stopped, Syscall};
use hotcell_shm::DenialRecord;
use hotcell_supervisor::escape;
use serde_json::{Value, json};

use crate::remedy;

/// A system call that did not happen. It is what the worker noted: a library that is hostile enough can make it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Its name; none for a number that this machine does not have, or where the worker noted nothing.
    pub syscall: Option<&'static str>,
    /// Its number; none where the worker noted nothing.
    pub number: Option<u32>,
    /// Whether it is of another kind of program than this machine's, such as a 32-bit one.
    pub foreign: bool,
    /// What the library passed.
    pub arguments: [u64; 6],
    /// The path that it passed, as far as it was noted; escaped.
    pub path: Option<String>,
    /// The port that it passed, in an address.
    pub port: Option<u16>,
    /// What the library was given instead; 0 where the call ended with it.
    pub errno: i32,
    /// What of `sandbox` lets it pass, as far as that is known of a call that ended with it.
    pub remedy: Option<Box<Remedy>>,
}

/// System calls for which the library was given an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: u32,
    /// The last one.
    pub last: Denied,
}

impl Denied {
    pub(crate) fn of_record(record: &DenialRecord) -> Denied {
        /// Of x86-64: numbers from here on are of the x32 ABI.
        const X32: u32 = 0x4000_0000;
        let native = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
        let foreign =
            record.architecture != native || (cfg!(target_arch = "x86_64") && record.syscall >= X32);
        let known = if foreign { None } else { Syscall::of_number(record.syscall) };
        let has_path = known.is_some_and(|syscall| syscall.path.is_some()) && !record.text.is_empty();
        Denied {
            syscall: known.map(|syscall| syscall.name),
            number: Some(record.syscall),
            foreign,
            arguments: record.arguments,
            path: has_path.then(|| escape(&String::from_utf8_lossy(&record.text))),
            port: Some(record.port).filter(|&port| port != 0),
            errno: record.errno,
            remedy: None,
        }
    }

    /// With what would let it pass where this sandbox has stopped it, once it served or while the library was loading.
    pub(crate) fn by(mut self, record: &DenialRecord, sandbox: &Sandbox, loading: bool) -> Denied {
        /// What is as long as this may have been cut.
        const MOST: usize = denial_record::SIZE - denial_record::TEXT;
        let Some(syscall) = self.syscall.and_then(|_| Syscall::of_number(record.syscall)) else {
            return self;
        };
        let path = self.path.as_ref().and_then(|_| std::str::from_utf8(&record.text).ok());
        let path = path.filter(|path| path.len() < MOST);
        let stopped = Stopped { syscall, arguments: self.arguments, path, port: self.port, loading };
        self.remedy = Remedy::of(&stopped, sandbox).map(Box::new);
        self
    }

    /// What there is to say behind the words for what lets it pass.
    pub(crate) fn note(&self) -> Option<&'static str> {
        let syscall = Syscall::of_number(self.syscall.and(self.number)?)?;
        let path = self.path.as_deref();
        let stopped = Stopped { syscall, arguments: self.arguments, path, port: self.port, loading: false };
        self.remedy.as_deref()?.note(&stopped)
    }

    /// One of which the worker noted nothing.
    pub(crate) fn unknown() -> Denied {
        Denied {
            syscall: None,
            number: None,
            foreign: false,
            arguments: [0; 6],
            path: None,
            port: None,
            errno: 0,
            remedy: None,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let arguments: Vec<String> = self.arguments.iter().map(|argument| format!("{argument:#x}")).collect();
        json!({
            "syscall": self.syscall, "number": self.number, "foreign": self.foreign, "path": self.path,
            "port": self.port, "arguments": arguments, "errno": self.errno,
            "remedy": self.remedy.as_deref().map(remedy::to_json), "remedy_note": self.note(),
        })
    }
}

impl fmt::Display for Denied {
    /// `openat("/etc/passwd")`, `connect to port 80`, `ptrace`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.syscall, self.number) {
            (Some(name), _) => write!(f, "{name}")?,
            (None, Some(number)) if self.foreign => {
                write!(f, "system call {} of another kind of program", number & 0x3fff_ffff)?;
            }
            (None, Some(number)) => write!(f, "system call {number}")?,
            (None, None) => {
                let why = "a system call that could not be noted: all signals were blocked, as they are while the C library \
                           starts a process (posix_spawn, popen, system), or the library has taken SIGSYS for itself";
                f.write_str(why)?;
            }
        }
        if let Some(path) = &self.path {
            write!(f, "({path:?})")?;
        }
        self.port.map_or(Ok(()), |port| write!(f, " to port {port}"))
    }
}

impl Refused {
    /// What a worker refused behind the first `seen`.
    pub(crate) fn since(seen: u32, record: &DenialRecord) -> Option<Refused> {
        let count = record.count.wrapping_sub(seen);
        (count != 0).then(|| Refused { count, last: Denied::of_record(record) })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "count": self.count, "last": self.last.to_json() })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = io::Error::from_raw_os_error(self.last.errno);
        match self.count {
            1 => write!(f, "the sandbox refused {}: {error}", self.last),
            count => {
                write!(f, "the sandbox refused {count} system calls, the last of them {}: {error}", self.last)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hotcell_protocol::wire::Phase;

    use super::*;

    fn record(syscall: u32, architecture: u32, text: &[u8]) -> DenialRecord {
        let text = text.to_vec();
        DenialRecord {
            count: 3,
            syscall,
            architecture,
            errno: 13,
            arguments: [0; 6],
            port: 0,
            phase: Phase::Serve,
            text,
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn denials_are_named() {
        for (record, expect) in [
            (record(257, 0xc000_003e, b"/etc/\x1b[2J"), "openat(\"/etc/\\\\u{1b}[2J\")"),
            (record(101, 0xc000_003e, b"no path of ptrace"), "ptrace"),
            (record(500, 0xc000_003e, b""), "system call 500"),
            (record(20, 0x4000_0003, b""), "system call 20 of another kind of program"),
            (record(0x4000_0027, 0xc000_003e, b""), "system call 39 of another kind of program"),
            (DenialRecord { port: 80, ..record(42, 0xc000_003e, b"") }, "connect to port 80"),
        ] {
            assert_eq!(Denied::of_record(&record).to_string(), expect);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn refusals_are_counted_from_what_was_seen() {
        let record = record(257, 0xc000_003e, b"/proc/stat");
        assert_eq!(Refused::since(3, &record), None);
        let one = Refused::since(2, &record).unwrap().to_string();
        assert!(one.starts_with("the sandbox refused openat(\"/proc/stat\"): Permission denied"), "{one}");
        assert!(Refused::since(0, &record).unwrap().to_string().contains("refused 3 system calls"));
        assert_eq!(Refused::since(u32::MAX, &record).unwrap().count, 4, "counts wrap");
    }
}
