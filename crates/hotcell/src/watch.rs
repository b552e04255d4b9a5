//! Looking at the sessions of a process from another one of the same user.
//!
//! A process whose [options](crate::Options::watch) or environment let others look listens on a socket that has no file: a name in the
//! kernel's list, which goes with the process however that ends. One thread sleeps there. Who connects is known by the kernel's word;
//! only the same user and root are answered.
//!
//! ```no_run
//! for host in hotcell::watch::look(hotcell::watch::PATIENCE)?.hosts {
//!     match &host.answer {
//!         Ok(answer) => println!("{}: {} sessions", host.pid, answer["sessions"].as_array().map_or(0, Vec::len)),
//!         Err(why) => println!("{}: {why}", host.pid),
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

mod answer;
mod endpoint;
mod look;
mod peers;

pub(crate) use endpoint::open;
pub use look::{Host, Seen, look};

/// Version of what is asked and answered.
pub const VERSION: u64 = 1;

/// How long those that are asked may take, where nobody knows better.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The variable of the environment that lets others look where options say nothing.
pub const VARIABLE: &str = "HOTCELL_WATCH";

/// What other processes of the same user may see and do of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Watch {
    /// Nothing.
    #[default]
    Off,
    /// See what [`Session::stats`](crate::Session::stats) has.
    Look,
    /// That, and have the library loaded anew, as by [`Session::reload`](crate::Session::reload).
    Reload,
}

/// Why nobody can look at this process, though a session of it lets others: `None` where somebody can, or none does.
pub fn failure() -> Option<String> {
    endpoint::failure()
}

/// Tries whether processes like this one can be looked at here: lets others look at it, for good, and looks.
///
/// # Errors
///
/// Why not.
pub fn attempt() -> std::io::Result<()> {
    open()?;
    let seen = look(PATIENCE)?;
    let own = seen.hosts.iter().find(|host| host.is_process(std::process::id()));
    match own.map(|host| &host.answer) {
        Some(Ok(_)) => Ok(()),
        Some(Err(why)) => Err(std::io::Error::other(why.clone())),
        None => Err(std::io::Error::other("this process is not in the kernel's list of sockets")),
    }
}

/// Whose libraries are to be loaded anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The library's name; `None`: all.
    pub library: Option<String>,
    /// The files, as in [`Reload::libraries`](crate::Reload::libraries).
    pub libraries: Option<Vec<PathBuf>>,
    /// How long calls that are under way may take, as in [`Reload::drain`](crate::Reload::drain).
    pub drain: Duration,
}

impl Watch {
    /// What holds: the option, or else the environment, as it was at the first look.
    pub(crate) fn of(option: Option<Watch>) -> Watch {
        static ENVIRONMENT: OnceLock<Watch> = OnceLock::new();
        option.unwrap_or_else(|| {
            *ENVIRONMENT.get_or_init(|| {
                // A program with more rights than who started it does not do what his environment says.
                let own = !hotcell_sandbox::has_more_rights();
                std::env::var(VARIABLE).ok().filter(|_| own).map_or(Watch::Off, |text| Watch::read(&text))
            })
        })
    }

    fn read(text: &str) -> Watch {
        match text {
            "look" | "1" => Watch::Look,
            "reload" => Watch::Reload,
            _ => Watch::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_lets_nobody_look() {
        let cases = [
            ("", Watch::Off),
            ("0", Watch::Off),
            ("yes", Watch::Off),
            ("1", Watch::Look),
            ("look", Watch::Look),
            ("reload", Watch::Reload),
            ("RELOAD", Watch::Off),
        ];
        cases.iter().for_each(|(text, expect)| assert_eq!(Watch::read(text), *expect, "{text}"));
        assert!(Watch::Off < Watch::Look && Watch::Look < Watch::Reload);
        assert_eq!(Watch::of(Some(Watch::Off)), Watch::Off, "the option goes first");
    }
}
