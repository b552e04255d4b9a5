//! What libclang complains about, as one error that says what to do.

use std::fs;
use std::path::PathBuf;

use clang::TranslationUnit;
use clang::diagnostic::Severity;
use hotcell_model::api::CONTRACT;

use crate::error::{Diagnostic, Error, ErrorKind};
use crate::job::{Job, Source};
use crate::origin;
use crate::toolchain;

/// Where packages put directories with headers.
const ROOTS: [&str; 2] = ["/usr/include", "/usr/local/include"];

/// What C++ is recognised by in a message of a C compiler.
const CPP_WORDS: &[&str] = &["'class'", "'constexpr'", "'namespace'", "'template'", "'using'"];

const CPP: &str =
    "this looks like a header of C++, and C is what can be read: name a header with a C interface";

/// Most places that an error names: what is no header at all has a complaint for every few bytes.
const MOST: usize = 50;

/// Fails when libclang reported an error: what it returns then has wrong layouts.
pub(crate) fn check(unit: &TranslationUnit<'_>, job: &Job, source: &Source) -> Result<(), Error> {
    let diagnostics: Vec<Diagnostic> = unit
        .get_diagnostics()
        .into_iter()
        .filter(|diagnostic| diagnostic.get_severity() >= Severity::Error)
        .map(|diagnostic| {
            let place = diagnostic.get_location().get_file_location();
            let file = place.file.map(|file| file.get_path());
            let message = diagnostic.get_text();
            match file {
                Some(file) if origin::is_main(&file) && job.header_of_line(place.line, source).is_some() => {
                    Diagnostic { file: None, line: 0, message }
                }
                Some(file) if origin::is_main(&file) => match source.added_line(place.line) {
                    Some(line) => Diagnostic { file: Some(CONTRACT.into()), line, message },
                    None => Diagnostic { file: Some("prelude".into()), line: place.line, message },
                },
                Some(file) => {
                    let file = Some(file.to_string_lossy().into_owned());
                    Diagnostic { file, line: place.line, message }
                }
                None => Diagnostic { file: None, line: 0, message },
            }
        })
        .collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(explain(diagnostics, job)) }
}

fn explain(diagnostics: Vec<Diagnostic>, job: &Job) -> Error {
    const BUILTIN: &[&str] = &["stddef.h", "stdarg.h", "stdbool.h", "float.h", "limits.h", "stdint.h"];
    const LIBRARY: &[&str] = &["stdlib.h", "stdio.h", "string.h", "errno.h", "math.h", "unistd.h"];
    let missing = diagnostics.iter().find_map(|diagnostic| {
        let name = diagnostic.message.strip_suffix("' file not found")?.strip_prefix('\'')?;
        Some((name.to_owned(), diagnostic.file.is_none()))
    });
    let Some((name, asked)) = missing else {
        let count = diagnostics.len();
        let what = format!(
            "{} {} compile: {count} error{}",
            blamed(job),
            if job.headers.len() > 1 { "do not" } else { "does not" },
            if count == 1 { "" } else { "s" }
        );
        let help = match diagnostics
            .iter()
            .any(|diagnostic| CPP_WORDS.iter().any(|word| diagnostic.message.contains(word)))
        {
            true => CPP,
            false if job.headers.is_empty() => {
                "the prelude is C text that compiles by itself: correct it (`--prelude` of `hotcell init`, `prelude` in\n\
                 a contract)"
            }
            false => {
                "a header must compile by itself as C: define what it expects, include first what it needs, or\n\
                 add the C text it needs as the prelude (`--prelude` of `hotcell init`, `prelude` in a contract)"
            }
        };
        return Error::new(ErrorKind::HeaderInvalid, what).at(first(diagnostics)).help(help);
    };
    if BUILTIN.contains(&name.as_str()) {
        return toolchain::builtin_missing().at(diagnostics);
    }
    let help = if LIBRARY.contains(&name.as_str()) {
        "install the C library's headers (Debian and Ubuntu: `apt install libc6-dev`)".to_owned()
    } else if !asked && !name.contains('.') {
        CPP.to_owned()
    } else if let Some(dir) = below(&ROOTS.map(PathBuf::from), without_root(&name)) {
        let (dir, below) = (dir.display(), without_root(&name));
        let path = if asked {
            format!("there is {dir}/{below}: name that path, or")
        } else {
            format!("there is {dir}/{below}:")
        };
        format!("{path} name {dir} as an include directory (`-I {dir}`,\n`include_dirs` in a contract)")
    } else if job.include_dirs.is_empty() {
        format!(
            "install the package that has `{name}`, or name the directory it is in as an include directory (`-I DIR`,\n\
             `include_dirs` in a contract)"
        )
    } else {
        let dirs: Vec<_> = job.include_dirs.iter().map(|dir| dir.display().to_string()).collect();
        format!("searched {} and the compiler's own directories", quoted(&dirs))
    };
    let what = if asked {
        format!("header `{name}` was not found")
    } else {
        format!("`{name}`, which {} needs, was not found", blamed(job))
    };
    let places = diagnostics.into_iter().filter(|diagnostic| diagnostic.file.is_some()).collect();
    Error::new(ErrorKind::HeaderNotFound, what).at(first(places)).help(help)
}

/// The first of them, and how many more there are.
fn first(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let more = diagnostics.len().saturating_sub(MOST);
    if more > 0 {
        diagnostics.truncate(MOST);
        diagnostics.push(Diagnostic { file: None, line: 0, message: format!("and {more} more") });
    }
    diagnostics
}

/// Whose text was compiled: the headers', or that of the prelude alone.
pub(crate) fn blamed(job: &Job) -> String {
    if job.headers.is_empty() { "the prelude".into() } else { quoted(&job.headers) }
}

/// A path below one of the directories, as an `#include` would name it: `/usr/include/curl/curl.h` is `curl/curl.h`.
fn without_root(name: &str) -> &str {
    let below = ROOTS.iter().find_map(|root| name.strip_prefix(root)?.strip_prefix('/'));
    below.unwrap_or(name)
}

/// The directory below one of these in which a header is, at most two levels down.
fn below(roots: &[PathBuf], name: &str) -> Option<PathBuf> {
    let folders = |dir: &PathBuf| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        found.sort();
        found
    };
    let first: Vec<PathBuf> = roots.iter().flat_map(folders).collect();
    let second = || first.iter().flat_map(folders);
    first.iter().cloned().chain(second()).find(|dir| dir.join(name).is_file())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_looked_for_below_the_directories_that_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("b/opus/deep");
        fs::create_dir_all(&deep).unwrap();
        fs::write(dir.path().join("b/opus/opus.h"), "").unwrap();
        fs::write(deep.join("far.h"), "").unwrap();
        let roots = [dir.path().to_owned()];
        assert_eq!(below(&roots, "opus.h"), Some(dir.path().join("b/opus")));
        assert_eq!(below(&roots, "far.h"), None);
        assert_eq!(without_root("/usr/include/curl/curl.h"), "curl/curl.h");
        assert_eq!(without_root("curl/curl.h"), "curl/curl.h");
    }

    #[test]
    fn headers_of_another_language_are_called_so() {
        for message in
            ["'string' file not found", "unknown type name 'class'", "unknown type name 'namespace'"]
        {
            let diagnostic = Diagnostic { file: Some("a.h".into()), line: 1, message: message.into() };
            let error = explain(vec![diagnostic], &Job::new(["a.h"]));
            assert!(error.help.as_ref().unwrap().contains("C++"), "{error}");
        }
    }

    #[test]
    fn missing_headers_are_told_apart() {
        for (name, kind, part) in [
            ("stddef.h", ErrorKind::BuiltinHeadersMissing, "libclang-common-19-dev"),
            ("stdio.h", ErrorKind::HeaderNotFound, "libc6-dev"),
            ("foo/bar.h", ErrorKind::HeaderNotFound, "the package that has `foo/bar.h`"),
        ] {
            let place = Some("/usr/include/a.h".into());
            let diagnostic = Diagnostic { file: place, line: 3, message: format!("'{name}' file not found") };
            let error = explain(vec![diagnostic], &Job::new(["a.h"]));
            assert_eq!(error.kind, kind);
            assert!(error.help.as_ref().unwrap().contains(part), "{error}");
            assert_eq!(error.diagnostics.len(), 1);
        }
    }
}
