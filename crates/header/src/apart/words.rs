//! What became of the process that reads, in words, and what to do.

use std::path::PathBuf;

use hotcell_model::spelling::as_line;

use super::limits::{Limits, MIB, SECONDS, STACK};
use crate::diagnose;
use crate::error::{Diagnostic, Error, ErrorKind};
use crate::job::Job;
use crate::parser::Parser;

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
    Ended { end: End, said: String, stack: u64 },
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
    /// It has said something that nobody asked for, and was ended.
    Unasked,
    /// It has answered another request than the one that it was asked, and was ended.
    Other,
    /// What it answered would take more memory than it may.
    Large,
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
        Fault::Ended { end, said, stack } => ended(*end, said, *stack, subject),
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
        Fault::Unasked => {
            let message = format!(
                "the process that reads headers said more than it was asked for, before or while it read {subject}"
            );
            Error::new(ErrorKind::ParserFailed, message).help(DAMAGED)
        }
        Fault::Other => {
            let message = format!(
                "the process that reads headers answered another request than that to read {subject}"
            );
            Error::new(ErrorKind::ParserFailed, message).help(DAMAGED)
        }
        Fault::Large => {
            let largest = amount(super::wire::LARGEST as u64);
            let message = format!("what {subject} declares takes more than {largest}, and was not used");
            Error::new(ErrorKind::TooBig, message).help("name fewer headers at a time")
        }
        Fault::Io(error) => {
            let message = format!("the process that reads headers cannot be spoken to: {error}");
            Error::new(ErrorKind::ParserFailed, message)
        }
    }
}

const INSTALL: &str =
    "install the programs of one version beside each other, or name the program in HOTCELL_READER";

const MORE_STACK: &str = "an expression or a declaration in it has too many levels: leave that header out, or that part of it by a macro \
    (`-D`, `defines` in a contract)";

const LESS_STACK: &str = "there was no memory for the 1 GiB of stack that it has elsewhere: raise the limit (`ulimit -v`, `ulimit -d`), or leave \
    that header out";

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn ended(end: End, said: &str, stack: u64, subject: &str) -> Error {
    // Rust's own words; the signal is SIGABRT then.
    let is_stack = said.contains("has overflowed its stack");
    let (what, help) = match end {
        End::Signal(_) | End::Unknown if is_stack => {
            let how =
                if let End::Signal(signal) = end { format!(" ({})", name(signal)) } else { String::new() };
            let what = format!(
                "the compiler's parser crashed{how} while it read {subject}: it needs more than {} of stack",
                amount(stack)
            );
            let help = if stack < STACK as u64 { LESS_STACK } else { MORE_STACK };
            (what, help)
        }
        End::Signal(9) => (
            format!("the process that read {subject} was killed (SIGKILL)"),
            "somebody killed it, or the system did because memory ran out",
        ),
        // SIGHUP, SIGINT, SIGQUIT and SIGTERM.
        End::Signal(signal @ (1 | 2 | 3 | 15)) => (
            format!("the process that read {subject} was ended ({})", name(signal)),
            "somebody ended it: try it again",
        ),
        End::Signal(signal) => (
            format!("the compiler's parser crashed ({}) while it read {subject}", name(signal)),
            "leave the header out that it cannot read, or try another libclang (LIBCLANG_PATH); a compiler that crashes is a \
             fault that its makers want to know of",
        ),
        End::Exit(status) => (format!("the process that read {subject} ended with status {status}"), DAMAGED),
        End::Unknown => (
            format!("the process that read {subject} has ended, and this program has let go of how"),
            "somebody waits for all children of this program, or it ignores SIGCHLD: run it where nobody does",
        ),
    };
    Error::new(ErrorKind::ParserCrashed, what).at(last_words(said)).help(help)
}

/// What it printed last, as a place without a file.
fn last_words(said: &str) -> Vec<Diagnostic> {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let message = line.map(|line| format!("it said: {}", cut(line, 300)));
    message.map(|message| Diagnostic { file: None, line: 0, message }).into_iter().collect()
}

/// Whether the system gave it no more memory, in the words of LLVM, of Rust and of C++.
pub(super) fn is_out_of_memory(said: &str) -> bool {
    ["out of memory", "memory allocation of ", "std::bad_alloc"].iter().any(|words| said.contains(words))
}

/// The beginning of a text that may be any, as one line.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).flat_map(char::escape_debug).collect()
}

/// What the process says it reads by: it may say anything.
pub(super) fn judged_parser(parser: Parser) -> Parser {
    let path = |path: PathBuf| PathBuf::from(as_line(&path.to_string_lossy()));
    Parser {
        version: as_line(&parser.version),
        library: parser.library.map(path),
        builtin_headers: parser.builtin_headers.map(path),
    }
}

/// An error that the process has written: it may say anything.
pub(super) fn judged(mut error: Error) -> Error {
    const LONGEST: usize = 2000;
    const MOST: usize = 100;
    // Lines stay lines: help has several.
    let line = |text: &str| as_line(&text.chars().take(LONGEST).collect::<String>());
    let lines = |text: &str| text.lines().take(20).map(line).collect::<Vec<_>>().join("\n");
    error.message = lines(&error.message);
    error.help = error.help.as_deref().map(lines);
    error.diagnostics.truncate(MOST);
    for place in &mut error.diagnostics {
        place.message = lines(&place.message);
        place.file = place.file.as_deref().map(line);
    }
    error
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn of(fault: &Fault) -> Error {
        error(fault, "`a.h`", &Limits::default())
    }

    #[test]
    fn who_was_ended_has_not_crashed() {
        for (signal, says) in [
            (1, "was ended (SIGHUP)"),
            (2, "was ended (SIGINT)"),
            (3, "was ended (SIGQUIT)"),
            (15, "was ended (SIGTERM)"),
            (9, "was killed (SIGKILL)"),
            (11, "crashed (SIGSEGV)"),
        ] {
            let end = End::Signal(signal);
            let message = of(&Fault::Ended { end, said: String::new(), stack: 1 << 30 }).message;
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn what_it_said_is_told_where_nobody_knows_how_it_ended() {
        let ended = |said: &str| of(&Fault::Ended { end: End::Unknown, said: said.into(), stack: 1 << 30 });
        let message = ended("thread 'hotcell-header' has overflowed its stack\n").message;
        assert!(
            message.ends_with("crashed while it read `a.h`: it needs more than 1 GiB of stack"),
            "{message}"
        );
        assert!(ended("").message.ends_with("has let go of how"));
    }

    #[test]
    fn a_stack_is_told_as_large_as_it_was() {
        let said = "thread 'hotcell-header' has overflowed its stack\n".to_owned();
        let error = of(&Fault::Ended { end: End::Signal(6), said, stack: 256 << 20 });
        assert!(error.message.contains("needs more than 256 MiB of stack"), "{error}");
        assert!(error.help.unwrap().contains("raise the limit (`ulimit -v`"));
    }

    #[test]
    fn an_error_that_was_written_elsewhere_is_text() {
        let places =
            (0..1000).map(|line| Diagnostic { file: Some("\u{1b}a".into()), line, message: "\rb".into() });
        let error = Error::new(ErrorKind::HeaderInvalid, format!("\u{1b}[31m{}", "x".repeat(100_000)));
        let error = judged(error.at(places.collect()).help("one\ntwo\u{7}"));
        assert!(error.message.starts_with("\\u{1b}[31mxx") && error.message.len() < 2100);
        assert_eq!(error.help.as_deref(), Some("one\ntwo\\u{7}"));
        assert_eq!(error.diagnostics.len(), 100);
        assert_eq!(error.diagnostics[0].file.as_deref(), Some("\\u{1b}a"));
        assert_eq!(error.diagnostics[0].message, "\\rb");
    }
}
