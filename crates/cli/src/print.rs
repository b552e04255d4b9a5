//! Texts on their way to the terminal, or to whatever stands in its place.

use std::io::{self, ErrorKind, Write};

use serde_json::Value;

/// Prints to standard output. A reader that has read enough and gone (`| head`) is no failure. Colours are left
/// away where they are not wanted: on what is no terminal, or with `NO_COLOR`.
pub(crate) fn out(text: &str) -> io::Result<()> {
    shown(text).map(|_| ())
}

/// As [`out`]: whether there still is a reader, as far as printing this tells.
pub(crate) fn shown(text: &str) -> io::Result<bool> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// JSON on lines of its own. Beyond what JSON itself asks for, control characters are escaped, of which some steer terminals:
/// texts of a library may have them.
pub(crate) fn json(value: &Value) -> String {
    escaped(&format!("{value:#}\n"))
}

/// As [`json`], on one line.
pub(crate) fn json_line(value: &Value) -> String {
    escaped(&format!("{value}\n"))
}

fn escaped(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character {
            '\u{7f}'..='\u{9f}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => text.push(other),
        }
    }
    text
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_in_json_steers_a_terminal() {
        let text = "a\u{9b}2J\u{1b}[2J\u{7f}\u{85}é\n";
        let printed = json(&json!({ "text": text }));
        assert!(printed.chars().all(|character| character == '\n' || !character.is_control()), "{printed:?}");
        let read: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read["text"], text);
    }
}
