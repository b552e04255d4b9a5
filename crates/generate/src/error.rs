//! What can go wrong between an interface and its files.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why nothing was generated, compiled or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The interface asks for something this generator does not write yet.
    Unsupported {
        /// The function, as C names it.
        function: String,
        /// What is not supported, in words that fit behind "because".
        what: String,
    },
    /// The interface contradicts itself: it was edited, or made by another version.
    Inconsistent {
        /// The function, as C names it.
        function: String,
        /// What does not fit together.
        what: String,
    },
    /// A template and its model do not fit together: a fault of this crate.
    Template(minijinja::Error),
    /// There is no C compiler.
    NoCompiler {
        /// The command that was tried.
        command: String,
        /// Why it did not start.
        source: io::Error,
    },
    /// The C compiler refused the shim.
    Compile {
        /// The command.
        command: String,
        /// The function whose code it refused, when its text says so.
        function: Option<String>,
        /// The compiler's text, shortened.
        text: String,
    },
    /// A file could not be read or written.
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Files on disk are not what would be generated now.
    Stale {
        /// They, relative to the directory.
        files: Vec<PathBuf>,
    },
}

impl Error {
    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Error::Io { operation, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported { function, what } => {
                write!(f, "cannot generate `{function}`, because {what} is not supported")
            }
            Error::Inconsistent { function, what } => {
                write!(f, "the interface contradicts itself at `{function}`: {what}; generate it again")
            }
            Error::Template(source) => write!(f, "a template failed: {source:#}"),
            Error::NoCompiler { command, source } => write!(
                f,
                "no C compiler: `{command}` did not start ({source})\n\
                 help: the shim is compiled against the library's own header, so it needs one; install gcc or \
                 clang, or name yours in $CC"
            ),
            Error::Compile { command, function, text } => {
                match function {
                    Some(name) => writeln!(f, "`{command}` refused the shim at `{name}`:")?,
                    None => writeln!(f, "`{command}` refused the shim:")?,
                }
                f.write_str(text)
            }
            Error::Io { operation, path, source } => {
                write!(f, "cannot {operation} {}: {source}", path.display())
            }
            Error::Stale { files } => {
                f.write_str("generated files are stale:")?;
                files.iter().try_for_each(|file| write!(f, "\n  {}", file.display()))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Template(source) => Some(source),
            Error::NoCompiler { source, .. } | Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<minijinja::Error> for Error {
    fn from(source: minijinja::Error) -> Self {
        Error::Template(source)
    }
}
