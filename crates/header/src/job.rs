//! What to parse, and the source text that includes it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// What to parse.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Headers in the order to include them: the path of an existing file, or a name as in
    /// `#include <name>`.
    pub headers: Vec<String>,
    /// Directories to search for headers, as with `-I`.
    pub include_dirs: Vec<PathBuf>,
    /// Macros to define, as with `-D`: `NAME` or `NAME=VALUE`.
    pub defines: Vec<String>,
    /// C text to put before the headers.
    pub prelude: Option<String>,
    /// C text to put behind the headers, a line each.
    pub added: Vec<String>,
}

/// Name of the file, never written to disk, that includes the headers.
pub(crate) const MAIN_FILE: &str = "hotcell-headers.c";

/// The text of that file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The prelude, then one `#include` for each header.
    pub(crate) text: String,
    /// Lines of the prelude.
    pub(crate) prelude_lines: u32,
    /// Lines that include headers.
    pub(crate) headers: u32,
}

impl Source {
    /// The number, from 1, of the line behind the headers that a line of the text is.
    pub(crate) fn added_line(&self, line: u32) -> Option<u32> {
        line.checked_sub(self.prelude_lines + self.headers).filter(|line| *line > 0)
    }
}

impl Job {
    /// A job for these headers, with nothing else to set.
    pub fn new<H: Into<String>>(headers: impl IntoIterator<Item = H>) -> Self {
        Job { headers: headers.into_iter().map(Into::into).collect(), ..Job::default() }
    }

    pub(crate) fn source(&self) -> Result<Source, Error> {
        if self.headers.is_empty() {
            return Err(Error::new(ErrorKind::InvalidJob, "no header was given"));
        }
        let mut text = self.prelude.clone().unwrap_or_default();
        if text.contains('\0') {
            return Err(Error::new(ErrorKind::InvalidJob, "the prelude contains a NUL character"));
        }
        if !text.is_empty() {
            // Twice, so that a backslash at its end does not swallow the first header.
            text.push_str("\n\n");
        }
        let prelude_lines = text.lines().count() as u32;
        for header in &self.headers {
            text.push_str(&format!("#include {}\n", operand(header)?));
        }
        for line in &self.added {
            if line.contains(['\0', '\n']) {
                return Err(Error::new(ErrorKind::InvalidJob, format!("{line:?} is not one line")));
            }
            text.push_str(&format!("{line}\n"));
        }
        Ok(Source { text, prelude_lines, headers: self.headers.len() as u32 })
    }

    pub(crate) fn arguments(&self) -> Result<Vec<String>, Error> {
        let mut arguments = Vec::new();
        for dir in &self.include_dirs {
            let Some(dir) = dir.to_str() else {
                let message = format!("the include directory {} is not UTF-8", dir.display());
                return Err(Error::new(ErrorKind::InvalidJob, message));
            };
            arguments.extend(["-I".into(), dir.to_owned()]);
        }
        for define in &self.defines {
            arguments.extend(["-D".into(), define.clone()]);
        }
        match arguments.iter().find(|argument| argument.contains('\0')) {
            Some(bad) => Err(Error::new(ErrorKind::InvalidJob, format!("{bad:?} contains a NUL character"))),
            None => Ok(arguments),
        }
    }

    /// The header that a line of the source includes.
    pub(crate) fn header_of_line(&self, line: u32, source: &Source) -> Option<&str> {
        let index = line.checked_sub(source.prelude_lines + 1)?;
        self.headers.get(index as usize).map(String::as_str)
    }
}

/// How a header stands in an `#include`.
fn operand(header: &str) -> Result<String, Error> {
    let path = Path::new(header);
    let invalid = |why: String| Error::new(ErrorKind::InvalidJob, why);
    if path.is_dir() {
        return Err(invalid(format!("`{header}` is a directory, not a header"))
            .help("name a header in it, or pass the directory as an include directory"));
    }
    // It is read more than once, and what nobody writes to is waited for without an end.
    if path.exists() && !path.is_file() {
        return Err(invalid(format!("`{header}` is neither a file nor a directory"))
            .help("a header is read more than once: write it into a file first"));
    }
    if header.is_empty() || header.contains(['"', '<', '>', '\n', '\r', '\0']) {
        return Err(invalid(format!("{header:?} cannot stand in an `#include`")));
    }
    if path.is_file() {
        let absolute = std::path::absolute(path)
            .map_err(|error| invalid(format!("the path of `{header}` cannot be made absolute: {error}")))?;
        return match absolute.to_str() {
            Some(path) if !path.contains(['"', '\n']) => Ok(format!("\"{path}\"")),
            _ => Err(invalid(format!("the path {absolute:?} cannot stand in an `#include`"))),
        };
    }
    Ok(format!("<{header}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_follow_the_prelude() {
        let mut job = Job::new(["a.h", "b/c.h"]);
        job.prelude = Some("#define A \\".into());
        let source = job.source().unwrap();
        assert_eq!(source.text, "#define A \\\n\n#include <a.h>\n#include <b/c.h>\n");
        assert_eq!(source.prelude_lines, 2);
        assert_eq!(job.header_of_line(2, &source), None);
        assert_eq!(job.header_of_line(3, &source), Some("a.h"));
        assert_eq!(job.header_of_line(4, &source), Some("b/c.h"));
        assert_eq!(job.header_of_line(5, &source), None);
        job.added = vec!["int added;".into()];
        let source = job.source().unwrap();
        assert!(source.text.ends_with("#include <b/c.h>\nint added;\n"), "{}", source.text);
        assert_eq!((source.added_line(4), source.added_line(5)), (None, Some(1)));
        job.added = vec!["two\nlines".into()];
        assert!(job.source().is_err());
    }

    #[test]
    fn existing_files_are_included_by_their_paths() {
        let file = std::env::current_dir().unwrap().join("Cargo.toml");
        let expect = format!("\"{}\"", file.display());
        assert_eq!(operand(file.to_str().unwrap()).unwrap(), expect);
        assert_eq!(operand("Cargo.toml").unwrap(), expect);
        assert_eq!(operand("sys/stat.h").unwrap(), "<sys/stat.h>");
    }
}
