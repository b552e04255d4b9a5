//! Texts on their way to the terminal, or to whatever stands in its place.

use std::io::{self, ErrorKind, Write};

/// Prints to standard output. A reader that has read enough and gone (`| head`) is no failure.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints a line to standard error. Where nobody can be told, the exit status still tells.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
