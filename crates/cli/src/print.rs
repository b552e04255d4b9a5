//! Texts on their way to the terminal, or to whatever stands in its place.

use std::io::{self, ErrorKind, Write};

/// Prints to standard output. A reader that has read enough and gone (`| head`) is no failure. Colours are left
/// away where they are not wanted: on what is no terminal, or with `NO_COLOR`.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints a line to standard error. Where nobody can be told, the exit status still tells.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Columns of the terminal that standard output is; `None` where it is none: lines are then as long as they are.
pub(crate) fn out_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Columns of the terminal that standard error is.
pub(crate) fn complain_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0))
}
