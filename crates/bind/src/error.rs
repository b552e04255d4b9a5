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
    /// What is wrong, all of it.
    pub message: String,
    /// What is shown of that to people, where it is less: the first faults of a contract with very many.
    pub shown: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

/// Faults of a contract, and remarks on one, that are shown: who has more has one cause for most of them.
const MOST_SHOWN: usize = 100;

/// How many there are that are not shown, and who tells them.
fn more(count: usize) -> String {
    format!("… and {count} more; `hotcell check --format json` tells all of them")
}

/// Remarks as they are shown: so many at most, and then how many more there are.
pub fn shown(remarks: &[String]) -> impl Iterator<Item = String> {
    let left = remarks.len().saturating_sub(MOST_SHOWN);
    let first = remarks.iter().take(MOST_SHOWN).map(|remark| remark.trim_end().to_owned());
    first.chain(
        (left > 0)
            .then(|| format!("… and {left} more remarks; `hotcell check --format json` tells all of them")),
    )
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), shown: None, help: None }
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
        Error { kind, message, shown: None, help: error.help }
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
            return Error { kind: ErrorKind::InvalidArgument, message, shown: None, help };
        }
        let render = |diagnostics: &[Diagnostic]| {
            hotcell_contract::render(diagnostics, source, false).trim_end().to_owned()
        };
        let mut error = Error::new(ErrorKind::InvalidArgument, render(diagnostics));
        if diagnostics.len() > MOST_SHOWN {
            let mut first = diagnostics.to_vec();
            // What keeps it from being read comes before remarks.
            first.sort_by_key(|diagnostic| diagnostic.severity);
            first.truncate(MOST_SHOWN);
            error.shown = Some(format!("{}\n\n{}", render(&first), more(diagnostics.len() - MOST_SHOWN)));
        }
        error
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
        Error { kind, message, shown: None, help }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown.as_ref().unwrap_or(&self.message))?;
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {}", help.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_very_many_faults_are_shown_and_errors_before_remarks() {
        let faults = |count: usize| -> Vec<Diagnostic> {
            let remark = |number| Diagnostic::warning(format!("remark {number}"));
            let fault = |number| Diagnostic::error(format!("fault {number}"));
            (0..count).map(remark).chain((0..count).map(fault)).collect()
        };
        let few = Error::from_contract(&faults(50), "");
        assert_eq!((few.shown.clone(), few.to_string()), (None, few.message));
        let many = Error::from_contract(&faults(101), "");
        for text in ["remark 0", "remark 100", "fault 0", "fault 100"] {
            assert!(many.message.lines().any(|line| line.ends_with(text)), "{text}");
        }
        let shown = many.to_string();
        assert_eq!(shown.lines().filter(|line| line.contains("fault ")).count(), MOST_SHOWN);
        assert!(!shown.contains("remark "), "{shown}");
        assert!(
            shown.ends_with("\n\n… and 102 more; `hotcell check --format json` tells all of them"),
            "{shown}"
        );
    }

    #[test]
    fn the_first_of_very_many_remarks_are_shown() {
        let remarks =
            |count: usize| -> Vec<String> { (0..count).map(|number| format!("{number}\n")).collect() };
        assert_eq!(shown(&remarks(100)).count(), 100);
        let many: Vec<String> = shown(&remarks(103)).collect();
        assert_eq!((many.len(), many[99].as_str()), (101, "99"));
        assert_eq!(many[100], "… and 3 more remarks; `hotcell check --format json` tells all of them");
    }
}
