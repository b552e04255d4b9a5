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

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Tries whether processes like this one can be looked at here. Others can look at it meanwhile; no other one is asked.
///
/// # Errors
///
/// Why not.
pub fn attempt() -> io::Result<()> {
    let seen = endpoint::open_while(|| look::at_this_process(PATIENCE))??;
    let own = seen.hosts.into_iter().find(|host| host.is_process(std::process::id()));
    match own.map(|host| host.answer) {
        Some(Ok(_)) => Ok(()),
        Some(Err(why)) => Err(io::Error::other(why)),
        None => Err(io::Error::other("this process is not in the kernel's list of sockets")),
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
        /// One more than its place among all, 0 before the first look: no lock that a fork could leave taken.
        static ENVIRONMENT: AtomicUsize = AtomicUsize::new(0);
        const ALL: [Watch; 3] = [Watch::Off, Watch::Look, Watch::Reload];
        option.unwrap_or_else(|| {
            let known = ENVIRONMENT.load(Ordering::Relaxed).checked_sub(1).and_then(|at| ALL.get(at));
            if let Some(known) = known {
                return *known;
            }
            // A program with more rights than who started it does not do what his environment says.
            let own = !hotcell_sandbox::has_more_rights();
            let said =
                std::env::var(VARIABLE).ok().filter(|_| own).map_or(Watch::Off, |text| Watch::read(&text));
            let at = ALL.iter().position(|it| *it == said).map_or(0, |at| at + 1);
            // Of two that look first, one decides for both.
            match ENVIRONMENT.compare_exchange(0, at, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => said,
                Err(first) => first.checked_sub(1).and_then(|at| ALL.get(at)).copied().unwrap_or(said),
            }
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
