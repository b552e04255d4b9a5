//! What became of the process that reads, in words, and what to do.

use super::limits::{Limits, MIB, SECONDS, STACK};
use crate::diagnose;
use crate::error::{Diagnostic, Error, ErrorKind};
use crate::job::Job;

/// What can be done about an answer that is damaged.
pub(super) const DAMAGED: &str = "the parser may have been damaged by what it read: try another libclang (LIBCLANG_PATH), and please report it";

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a status.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// Somebody else knows.
    Unknown,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// It ended.
    Ended { end: End, said: String },
    /// It ended before it said which version it is.
    NoHello { program: String, said: String },
    /// It is of another version.
    Version { program: String, version: String },
    /// It took too long, and was ended.
    Slow,
    /// It took too much memory, and was ended.
    Big,
    /// It said more than can be read, and was ended.
    Long,
    /// It says nothing more, is there, and was ended.
    Silent,
    /// It cannot be spoken to.
    Io(std::io::Error),
}

/// The headers of a job, as messages name them.
pub(super) fn headers(job: &Job) -> String {
    let names = diagnose::blamed(job);
    if job.prelude.is_some() { format!("{names} and its prelude") } else { names }
}

/// The error for a fault while `subject` was read.
pub(super) fn error(fault: &Fault, subject: &str, limits: &Limits) -> Error {
    let less = "a header that takes so much repeats or includes itself, or includes what is no header";
    match fault {
        Fault::Ended { end, said } => ended(*end, said, subject),
        Fault::NoHello { program, said } => {
            let message =
                format!("{program} reads no headers: it is another program than `hotcell` {}", version());
            Error::new(ErrorKind::ReaderMissing, message).at(last_words(said)).help(INSTALL)
        }
        Fault::Version { program, version: other } => {
            let message =
                format!("{program} is `hotcell` {other}, and {} is needed to read headers", version());
            Error::new(ErrorKind::ReaderMissing, message).help(INSTALL)
        }
        Fault::Slow => {
            let seconds = limits.time.as_secs();
            let message = format!("reading {subject} took more than {seconds} s, and was ended");
            Error::new(ErrorKind::TooSlow, message).help(format!("{less}; {SECONDS}=N gives it N seconds"))
        }
        Fault::Big => {
            let message = format!(
                "reading {subject} needs more than {} of memory, and was ended",
                amount(limits.memory)
            );
            Error::new(ErrorKind::TooBig, message).help(format!("{less}; {MIB}=N gives it N MiB"))
        }
        Fault::Long => {
            let longest = amount(super::wire::LONGEST as u64);
            let message =
                format!("what {subject} declares is more than {longest}, and was not read to its end");
            Error::new(ErrorKind::TooBig, message).help("name fewer headers at a time")
        }
        Fault::Silent => {
            let message = format!("the process that reads headers fell silent while it read {subject}");
            Error::new(ErrorKind::ParserFailed, message).help(DAMAGED)
        }
        Fault::Io(error) => {
            let message = format!("the process that reads headers cannot be spoken to: {error}");
            Error::new(ErrorKind::ParserFailed, message)
        }
    }
}

const INSTALL: &str =
    "install the programs of one version beside each other, or name the program in HOTCELL_READER";

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn ended(end: End, said: &str, subject: &str) -> Error {
    // Rust's own words; the signal is SIGABRT then.
    let is_stack = said.contains("has overflowed its stack");
    let (what, help) = match end {
        End::Signal(signal) if is_stack => {
            let name = name(signal);
            let stack = amount(STACK as u64);
            (
                format!(
                    "the compiler's parser crashed ({name}) while it read {subject}: it needs more than {stack} of stack"
                ),
                "an expression or a declaration in it has too many levels: leave that header out, or that part of it by a macro \
                 (`-D`, `defines` in a contract)",
            )
        }
        End::Signal(9) => (
            format!("the process that read {subject} was killed (SIGKILL)"),
            "somebody killed it, or the system did because memory ran out",
        ),
        End::Signal(signal) => (
            format!("the compiler's parser crashed ({}) while it read {subject}", name(signal)),
            "leave the header out that it cannot read, or try another libclang (LIBCLANG_PATH); a compiler that crashes is a \
             fault that its makers want to know of",
        ),
        End::Exit(status) => (format!("the process that read {subject} ended with status {status}"), DAMAGED),
        End::Unknown => (
            format!("the process that read {subject} has ended, and this program has let go of how"),
            "run it by `hotcell check`, which tells more",
        ),
    };
    Error::new(ErrorKind::ParserCrashed, what).at(last_words(said)).help(help)
}

/// What it printed last, as a place without a file.
fn last_words(said: &str) -> Vec<Diagnostic> {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let cut = |line: &str| line.chars().take(300).flat_map(char::escape_debug).collect::<String>();
    let message = line.map(|line| format!("it said: {}", cut(line)));
    message.map(|message| Diagnostic { file: None, line: 0, message }).into_iter().collect()
}

fn amount(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) {
        format!("{} GiB", bytes >> 30)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

fn name(signal: i32) -> String {
    const NAMES: [(i32, &str); 15] = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (5, "SIGTRAP"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
        (25, "SIGXFSZ"),
        (31, "SIGSYS"),
    ];
    let known = NAMES.iter().find(|(number, _)| *number == signal);
    known.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned())
}
