//! The one thread that talks to libclang.
//!
//! The `clang` crate allows one `Clang` in a process and loads the library per thread. A thread that keeps
//! it for the life of the process serialises the jobs and loads the library once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use clang::{Clang, Index};
use hotcell_model::api::Api;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::job::Job;
use crate::parse;
use crate::toolchain::Toolchain;

/// Versions whose layouts and kinds were compared with a compiler's. Clang 22 dropped the type node that
/// carries a record's written name, and layouts read through libclang went wrong (rust-bindgen#3275).
const VERSIONS: std::ops::RangeInclusive<u32> = 14..=21;

/// A chain of records that point to each other is followed by recursion.
pub(crate) const STACK: usize = 64 << 20;

/// The parser that is in use: a libclang and where its parts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Parser {
    /// What it says of itself, such as `Debian clang version 19.1.7`.
    pub version: String,
    /// The library file.
    pub library: Option<PathBuf>,
    /// The directory with the compiler's own headers.
    pub builtin_headers: Option<PathBuf>,
}

enum Request {
    Parse(Job, mpsc::Sender<Result<Api, Error>>),
    Describe(mpsc::Sender<Result<Parser, Error>>),
}

/// With the process that has the thread.
static PARSER: OnceLock<(u32, Mutex<Option<mpsc::Sender<Request>>>)> = OnceLock::new();

/// Runs a job on the parser's thread and waits for it.
pub(crate) fn run(job: &Job) -> Result<Api, Error> {
    ask(|answer| Request::Parse(job.clone(), answer))
}

/// Starts the thread with a stack of so many bytes, or as large a part of it as there is memory for. How large it is.
pub(crate) fn start_with(stack: usize) -> Option<usize> {
    let mut sizes =
        std::iter::successors(Some(stack), |size| Some(size / 2)).take_while(|size| *size >= STACK);
    let (size, sender) = sizes.find_map(|size| Some((size, start(size)?)))?;
    let is_first = PARSER.set((std::process::id(), Mutex::new(Some(sender)))).is_ok();
    is_first.then_some(size)
}

/// Says which parser is used here.
pub(crate) fn describe() -> Result<Parser, Error> {
    ask(Request::Describe)
}

fn ask<T>(request: impl FnOnce(mpsc::Sender<Result<T, Error>>) -> Request) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    let (process, parser) = PARSER.get_or_init(|| (std::process::id(), Mutex::new(start(STACK))));
    // A child that was forked has none of the threads, and no second libclang.
    if *process != std::process::id() {
        return Err(Error::new(
            ErrorKind::ParserFailed,
            "this process was forked of one that has read headers, and reads none itself: use a generated package, or \
             another session of what was bound before",
        ));
    }
    parser
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .and_then(|parser| parser.send(request(sender)).ok())
        .ok_or_else(|| Error::new(ErrorKind::ParserFailed, "the parser's thread cannot be started"))?;
    receiver
        .recv()
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::ParserFailed, "the parser's thread has ended")))
}

fn start(stack: usize) -> Option<mpsc::Sender<Request>> {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name("hotcell-header".into()).stack_size(stack);
    thread.spawn(move || serve(&receiver)).is_ok().then_some(sender)
}

fn serve(requests: &mpsc::Receiver<Request>) {
    // Loaded once: after a failure the `clang` crate calls its one instance taken.
    let clang = load();
    let ready = clang.as_ref().map_err(Error::clone).and_then(|clang| {
        let index = Index::new(clang, false, false);
        let toolchain = guarded(|| Toolchain::discover(&index, &[]))?;
        Ok((index, toolchain))
    });
    let ready = ready.as_ref().map_err(Error::clone);
    // Nobody is left to tell when the caller has gone.
    for request in requests {
        match request {
            Request::Parse(job, reply) => {
                let answer = ready.clone();
                let answer = answer.and_then(|(index, tools)| guarded(|| parse::parse(index, tools, &job)));
                let _ = reply.send(answer);
            }
            Request::Describe(reply) => {
                let answer = ready.clone();
                let answer = answer.map(|(index, tools)| Parser {
                    version: clang::get_version(),
                    library: library(),
                    builtin_headers: tools.builtin_headers(index),
                });
                let _ = reply.send(answer);
            }
        }
    }
}

/// The file of the libclang in this process.
fn library() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = |line: &str| Some(PathBuf::from(line.get(line.find('/')?..)?));
    let is_libclang =
        |path: &PathBuf| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("libclang"));
    maps.lines().filter_map(path).find(is_libclang)
}

/// The `clang` crate panics on text that is not UTF-8 and on functions that a libclang lacks.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(Error::new(ErrorKind::ParserFailed, format!("the header parser failed: {reason}"))
            .help("text outside of comments that is not UTF-8 is one cause; please report any other"))
    })
}

fn load() -> Result<Clang, Error> {
    let clang = Clang::new().map_err(|reason| missing(&reason))?;
    check_version(&clang::get_version())?;
    Ok(clang)
}

fn missing(reason: &str) -> Error {
    Error::new(ErrorKind::ParserMissing, format!("libclang cannot be loaded: {reason}")).help(
        "install it (Debian and Ubuntu: `apt install libclang1-19 libclang-common-19-dev`;\n\
         Fedora: `dnf install clang-libs`), or set LIBCLANG_PATH to the directory it is in",
    )
}

fn check_version(text: &str) -> Result<(), Error> {
    let refuse = |why: String| {
        Err(Error::new(ErrorKind::ParserVersion, why).help(format!(
            "install a libclang from {} to {} and set LIBCLANG_PATH to the directory it is in",
            VERSIONS.start(),
            VERSIONS.end()
        )))
    };
    match major(text) {
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) if version > *VERSIONS.end() => {
            refuse(format!("libclang {version} is too new: since 22 it reports some record layouts wrongly"))
        }
        Some(version) => refuse(format!("libclang {version} is too old: it was never checked")),
        None => refuse(format!("libclang does not say its version: {text:?}")),
    }
}

/// The major version in `Debian clang version 19.1.7 (3~deb12u1)`.
pub(crate) fn major(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("version ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_outside_the_checked_range_are_refused() {
        assert_eq!(check_version("Debian clang version 19.1.7 (3~deb12u1)"), Ok(()));
        assert_eq!(check_version("clang version 14.0.6"), Ok(()));
        for (text, part) in [
            ("clang version 22.1.0", "too new"),
            ("Ubuntu clang version 13.0.1-2", "too old"),
            ("clang", "does not say"),
        ] {
            let error = check_version(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::ParserVersion, "{text}");
            assert!(error.message.contains(part), "{}", error.message);
            assert!(error.help.unwrap().contains("14 to 21"));
        }
    }

    #[test]
    fn a_missing_libclang_names_the_package() {
        let error = missing("couldn't find any valid shared libraries");
        assert_eq!(error.kind, ErrorKind::ParserMissing);
        assert!(error.to_string().contains("= help: install it (Debian and Ubuntu: `apt install libclang1"));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guarded::<()>(|| panic!("invalid Rust string")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::ParserFailed);
        assert!(error.message.ends_with("invalid Rust string"));
    }
}
