//! What was seen of a library, and how it is written: a line for each.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::policy::Syscall;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// A worker of the library came up.
    Worker,
    /// It made a system call that `compute` does not allow.
    Call {
        /// The call.
        name: &'static str,
        /// What it was given.
        arguments: [u64; 6],
    },
    /// It read this file or directory.
    Read(PathBuf),
    /// It changed this file, or what is in this directory.
    Write(PathBuf),
    /// While it loaded, it read this, which a loader does not see.
    Load(PathBuf),
    /// It used the directory for temporary files.
    Temporary,
    /// It connected to this TCP port.
    Connect(u16),
    /// It listened at this TCP port.
    Bind(u16),
    /// Something was refused, as it is in every profile that does not allow it.
    Refused(Refused),
    /// It used what no profile can name.
    Unnamed(Unnamed),
    /// It made this call about a path or an address that could not be read: this machine does not let the program look.
    Hidden(&'static str),
}

/// A call that was refused, and with which error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// The call.
    pub name: &'static str,
    /// What it was given.
    pub arguments: [u64; 6],
    /// The path that it was about.
    pub path: Option<PathBuf>,
    /// The error.
    pub errno: i32,
}

/// A call about a path that cannot be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unnamed {
    /// The call.
    pub name: &'static str,
    /// What it named, in Unicode as far as it is that, on one line.
    pub path: String,
}

/// A text on one line, without what separates parts of one.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn numbers(arguments: &[u64; 6]) -> String {
    arguments.map(|argument| format!("{argument:x}")).join(" ")
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Worker => f.write_str("worker"),
            Seen::Call { name, arguments } => write!(f, "call\t{name}\t{}", numbers(arguments)),
            Seen::Read(path) => write!(f, "read\t{}", path.display()),
            Seen::Write(path) => write!(f, "write\t{}", path.display()),
            Seen::Load(path) => write!(f, "load\t{}", path.display()),
            Seen::Temporary => f.write_str("temporary"),
            Seen::Connect(port) => write!(f, "connect\t{port}"),
            Seen::Bind(port) => write!(f, "bind\t{port}"),
            Seen::Refused(Refused { name, arguments, path, errno }) => {
                let path = path.as_ref().map(|path| plain(&path.to_string_lossy())).unwrap_or_default();
                write!(f, "refused\t{name}\t{}\t{errno}\t{path}", numbers(arguments))
            }
            Seen::Unnamed(Unnamed { name, path }) => write!(f, "unnamed\t{name}\t{path}"),
            Seen::Hidden(name) => write!(f, "hidden\t{name}"),
        }
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(line: &str) -> Result<Seen, ()> {
        let mut parts = line.split('\t');
        let kind = parts.next();
        let mut next = || parts.next().ok_or(());
        let name = |text: &str| Syscall::named(text).map(|syscall| syscall.name).ok_or(());
        let seen = match kind.ok_or(())? {
            "worker" => Seen::Worker,
            "call" => Seen::Call { name: name(next()?)?, arguments: read(next()?)? },
            "read" => Seen::Read(next()?.into()),
            "write" => Seen::Write(next()?.into()),
            "load" => Seen::Load(next()?.into()),
            "temporary" => Seen::Temporary,
            "connect" => Seen::Connect(next()?.parse().map_err(|_| ())?),
            "bind" => Seen::Bind(next()?.parse().map_err(|_| ())?),
            "refused" => Seen::Refused(Refused {
                name: name(next()?)?,
                arguments: read(next()?)?,
                errno: next()?.parse().map_err(|_| ())?,
                path: Some(next()?).filter(|path| !path.is_empty()).map(PathBuf::from),
            }),
            "unnamed" => Seen::Unnamed(Unnamed { name: name(next()?)?, path: next()?.to_owned() }),
            "hidden" => Seen::Hidden(name(next()?)?),
            _ => return Err(()),
        };
        if parts.next().is_none() { Ok(seen) } else { Err(()) }
    }
}

/// Six numbers.
fn read(text: &str) -> Result<[u64; 6], ()> {
    let numbers: Result<Vec<u64>, _> = text.split(' ').map(|text| u64::from_str_radix(text, 16)).collect();
    numbers.map_err(|_| ())?.try_into().map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_read_as_it_was_written() {
        let arguments = [0, 1, u64::MAX, 0xffff_ff9c, 4, 5];
        for seen in [
            Seen::Worker,
            Seen::Call { name: "memfd_create", arguments },
            Seen::Read("/etc/a file".into()),
            Seen::Write("/var/tmp".into()),
            Seen::Load("/opt".into()),
            Seen::Temporary,
            Seen::Connect(443),
            Seen::Bind(0),
            Seen::Refused(Refused { name: "ioctl", arguments, path: None, errno: 25 }),
            Seen::Refused(Refused { name: "openat", arguments, path: Some("/proc/stat".into()), errno: 13 }),
            Seen::Unnamed(Unnamed { name: "openat", path: plain("/a\nb\tc") }),
            Seen::Hidden("openat"),
        ] {
            assert_eq!(seen.to_string().parse(), Ok(seen));
        }
        for line in ["", "call", "call\tno_call\t0 0 0 0 0 0", "call\tread\t0", "bind\t65536", "worker\t1"] {
            assert_eq!(line.parse::<Seen>(), Err(()), "{line}");
        }
    }
}
