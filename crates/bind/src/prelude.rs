//! Headers that do not compile by themselves: which standard headers they expect to be included before.

use std::time::Duration;

use hotcell_header::{ErrorKind, Reader};

use crate::error::Error;

/// What headers expect, the cheapest first. `stdio.h` brings types of the others too, so it is the first to be
/// left away again.
const STANDARD: [&str; 7] =
    ["stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "sys/types.h", "time.h", "stdio.h"];

/// The smallest prelude of standard headers with which headers compile that do not by themselves. `failure` is why they do not, which it took so long
/// to find.
///
/// # Errors
///
/// That failure, when no such prelude helps.
pub(crate) fn needed(
    reader: &Reader,
    mut headers: hotcell_header::Job,
    (failure, spent): (hotcell_header::Error, Duration),
) -> Result<String, Error> {
    if failure.kind != ErrorKind::HeaderInvalid || headers.prelude.is_some() {
        return Err(Error::from_header(failure));
    }
    let trials = reader.trials(spent);
    let mut compiles = |names: &[&str]| {
        headers.prelude = Some(text(names));
        match trials.parse(&headers) {
            Ok(_) => Ok(true),
            Err(error) if is_of_headers(error.kind) => Ok(false),
            Err(error) => Err(Error::from_header(error)),
        }
    };
    let mut needed = STANDARD.to_vec();
    if !compiles(&needed)? {
        return Err(Error::from_header(failure));
    }
    for name in STANDARD.iter().rev() {
        let fewer: Vec<&str> = needed.iter().copied().filter(|it| it != name).collect();
        if compiles(&fewer)? {
            needed = fewer;
        }
    }
    Ok(text(&needed))
}

/// Whether another prelude may mend it: not where the parser crashed, took too long, or is not there.
pub(crate) fn is_of_headers(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::HeaderInvalid | ErrorKind::HeaderNotFound)
}

fn text(names: &[&str]) -> String {
    let lines: Vec<String> = names.iter().map(|name| format!("#include <{name}>")).collect();
    lines.join("\n")
}
