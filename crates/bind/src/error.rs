//! Why a library was not bound.

use std::fmt;

use hotcell::ErrorKind;
use hotcell_contract::Diagnostic;
use hotcell_header::ErrorKind as HeaderKind;
use hotcell_model::Interface;
use hotcell_model::interface::{LeftOut, Status};

/// A kind of the closed table and a text for people, of several lines when places are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), help: None }
    }

    pub(crate) fn from_header(error: hotcell_header::Error) -> Error {
        let kind = match error.kind {
            HeaderKind::ParserMissing
            | HeaderKind::ParserVersion
            | HeaderKind::ParserFailed
            | HeaderKind::ParserCrashed
            | HeaderKind::ReaderMissing
            | HeaderKind::BuiltinHeadersMissing
            | HeaderKind::LibraryNotFound
            | HeaderKind::LibraryUnreadable
            | HeaderKind::NotElf
            | HeaderKind::Damaged
            | HeaderKind::Not64Bit
            | HeaderKind::WrongArchitecture
            | HeaderKind::StaticLibrary
            | HeaderKind::Executable
            | HeaderKind::NotShared => ErrorKind::LoadFailed,
            HeaderKind::TooSlow | HeaderKind::TooBig => ErrorKind::LimitExceeded,
            _ => ErrorKind::InvalidArgument,
        };
        let mut message = error.message.clone();
        for place in &error.diagnostics {
            message.push_str("\n  ");
            match &place.file {
                Some(file) => message.push_str(&format!("{file}:{}: {}", place.line, place.message)),
                None => message.push_str(&place.message),
            }
        }
        Error { kind, message, help: error.help }
    }

    /// Why nothing was generated.
    pub fn from_generate(error: hotcell_generate::Error) -> Error {
        use hotcell_generate::Error as E;
        let kind = match error {
            E::Unsupported { .. } => ErrorKind::Unsupported,
            E::Compile { .. } => ErrorKind::AbiMismatch,
            _ => ErrorKind::LoadFailed,
        };
        Error::new(kind, error.to_string())
    }

    pub(crate) fn from_contract(diagnostics: &[Diagnostic], source: &str) -> Error {
        // Without a place there is nothing to draw.
        if let [one] = diagnostics
            && one.span.is_none()
        {
            let (message, help) = (one.message.clone(), one.help.clone());
            return Error { kind: ErrorKind::InvalidArgument, message, help };
        }
        let text = hotcell_contract::render(diagnostics, source, false);
        Error::new(ErrorKind::InvalidArgument, text.trim_end().to_owned())
    }

    /// When nothing of what was wanted can be called.
    pub fn nothing_bound(interface: &Interface) -> Error {
        match interface.left_out.as_slice() {
            [one] => Error::left_out(one),
            [] => Error::new(ErrorKind::InvalidArgument, "the contract selects no function"),
            many => {
                let mut error = Error::left_out(&many[0]);
                error.message = format!("none of {} functions can be bound; {}", many.len(), error.message);
                error
            }
        }
    }

    /// Why a function cannot be called.
    pub fn left_out(function: &LeftOut) -> Error {
        let kind = match function.status {
            Status::NotExported => ErrorKind::SymbolMissing,
            _ => ErrorKind::Unsupported,
        };
        let word = match function.status {
            Status::Undecided => "is undecided",
            Status::NotExported => "is not exported",
            _ => "is not supported",
        };
        let message = format!("`{}` {word}: {}\n  {}", function.name, function.reason, function.signature);
        let help = function.help.as_ref().map(|help| format!("write into the contract:\n{help}"));
        Error { kind, message, help }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {}", help.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
