//! What libclang complains about, as one error that says what to do.

use clang::TranslationUnit;
use clang::diagnostic::Severity;

use crate::error::{Diagnostic, Error, ErrorKind};
use crate::job::{Job, Source};
use crate::origin;
use crate::toolchain;

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
                Some(file) if origin::is_main(&file) => {
                    Diagnostic { file: Some("prelude".into()), line: place.line, message }
                }
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
            quoted(&job.headers),
            if job.headers.len() == 1 { "does not" } else { "do not" },
            if count == 1 { "" } else { "s" }
        );
        return Error::new(ErrorKind::HeaderInvalid, what).at(diagnostics).help(
            "a header must compile by itself as C: define what it expects, include first what it needs, or\n\
             add the C text it needs as the prelude",
        );
    };
    if BUILTIN.contains(&name.as_str()) {
        return toolchain::builtin_missing().at(diagnostics);
    }
    let help = if LIBRARY.contains(&name.as_str()) {
        "install the C library's headers (Debian and Ubuntu: `apt install libc6-dev`)".to_owned()
    } else if job.include_dirs.is_empty() {
        format!(
            "install the package that has `{name}`, or name the directory it is in as an include directory"
        )
    } else {
        let dirs: Vec<_> = job.include_dirs.iter().map(|dir| dir.display().to_string()).collect();
        format!("searched {} and the compiler's own directories", quoted(&dirs))
    };
    let what = if asked {
        format!("header `{name}` was not found")
    } else {
        format!("`{name}`, which {} needs, was not found", quoted(&job.headers))
    };
    let places = diagnostics.into_iter().filter(|diagnostic| diagnostic.file.is_some()).collect();
    Error::new(ErrorKind::HeaderNotFound, what).at(places).help(help)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
