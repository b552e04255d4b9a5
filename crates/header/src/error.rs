//! The crate's error: its kind, its text, the places it is about, and what to do.

use std::fmt;

use hotcell_elf::{Wrong, WrongKind};
use serde::{Deserialize, Serialize};

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The job cannot be run as it stands: no header, or a name that cannot stand in an `#include`.
    InvalidJob,
    /// libclang is not installed or cannot be loaded.
    ParserMissing,
    /// The libclang found is of a version whose answers are not trusted.
    ParserVersion,
    /// libclang failed without saying what is wrong with the headers.
    ParserFailed,
    /// The process in which libclang ran has ended.
    ParserCrashed,
    /// The program that reads headers in a process of its own is not there, or of another version.
    ReaderMissing,
    /// The headers take longer to read than they may.
    TooSlow,
    /// The headers need more memory than they may, or declare more than can be read.
    TooBig,
    /// The compiler's own headers (`stddef.h`) are not installed.
    BuiltinHeadersMissing,
    /// A header, or one that it includes, was not found.
    HeaderNotFound,
    /// The headers do not compile.
    HeaderInvalid,
    /// No library of that name was found.
    LibraryNotFound,
    /// The file cannot be read.
    LibraryUnreadable,
    /// Not an ELF file.
    NotElf,
    /// An ELF file that ends too early or contradicts itself.
    Damaged,
    /// A 32-bit library.
    Not64Bit,
    /// A library for other machines than this one.
    WrongArchitecture,
    /// A static library (`.a`).
    StaticLibrary,
    /// A program.
    Executable,
    /// An ELF file that is neither a shared library nor a program: an object file, a core dump.
    NotShared,
}

/// A complaint of the parser about a place in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// File as the parser names it; `prelude` for the job's prelude, `<contract>` for what is
    /// added behind the headers; absent when it has no place.
    pub file: Option<String>,
    /// 1-based line; 0 when it has no place.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// Why headers could not be parsed or a library could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// What went wrong, for programs.
    pub kind: ErrorKind,
    /// What went wrong, in one sentence.
    pub message: String,
    /// Every place it is about.
    pub diagnostics: Vec<Diagnostic>,
    /// What to do.
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), diagnostics: Vec::new(), help: None }
    }

    /// What is wrong with a library's file.
    pub(crate) fn of_file(wrong: Wrong) -> Self {
        let kind = match wrong.kind {
            WrongKind::NotElf => ErrorKind::NotElf,
            WrongKind::Damaged => ErrorKind::Damaged,
            WrongKind::Not64Bit => ErrorKind::Not64Bit,
            WrongKind::WrongArchitecture => ErrorKind::WrongArchitecture,
            WrongKind::StaticLibrary => ErrorKind::StaticLibrary,
            WrongKind::Executable => ErrorKind::Executable,
            WrongKind::NotShared => ErrorKind::NotShared,
        };
        let error = Error::new(kind, wrong.message);
        Error { help: wrong.help.map(str::to_owned), ..error }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for Diagnostic { file, line, message } in &self.diagnostics {
            match file {
                Some(file) => write!(f, "\n  --> {file}:{line}: {message}")?,
                None => write!(f, "\n  --> {message}")?,
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {}", help.replace('\n', "\n          "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
