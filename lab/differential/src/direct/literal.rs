//! Values as C writes them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::{fs, io};

use crate::plan::Input;

/// Data above this many bytes is kept in files.
const IN_SOURCE: usize = 4096;

/// A number as a literal.
pub(super) fn number(input: &Input) -> String {
    match input {
        Input::Int(value) if *value == i128::from(i64::MIN) => "INT64_MIN".into(),
        Input::Int(value) if *value < 0 => format!("({value}LL)"),
        Input::Int(value) => format!("{value}{}", if *value > i128::from(i64::MAX) { "ULL" } else { "LL" }),
        Input::Float(value) if value.is_nan() => "__builtin_nan(\"\")".into(),
        Input::Float(value) if value.is_infinite() && *value > 0.0 => "__builtin_inf()".into(),
        Input::Float(value) if value.is_infinite() => "(-__builtin_inf())".into(),
        Input::Float(value) => format!("({value:.17e})"),
        Input::Constant { c, .. } => format!("({c})"),
        _ => "0".into(),
    }
}

/// The data of all steps, each written once.
#[derive(Debug, Default)]
pub(super) struct Pool {
    known: HashMap<Rc<[u8]>, usize>,
    source: String,
    folder: PathBuf,
}

impl Pool {
    pub(super) fn new(folder: &Path) -> Pool {
        Pool { folder: folder.to_owned(), ..Pool::default() }
    }

    /// The definitions.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// An expression for fresh memory with these bytes, and so many zero ones behind them.
    pub(super) fn memory(&mut self, data: &Rc<[u8]>, tail: u32) -> io::Result<String> {
        let length = data.len();
        let next = self.known.len();
        let number = *self.known.entry(Rc::clone(data)).or_insert(next);
        let fresh = number == next;
        if length > IN_SOURCE {
            let path = self.folder.join(format!("data-{number}"));
            if fresh {
                fs::write(&path, data)?;
            }
            return Ok(format!("dt_load({}, {length})", text(&path.display().to_string())));
        }
        if fresh {
            let bytes = data.iter().fold(String::new(), |mut all, byte| {
                let _ = write!(all, "{byte},"); // a String takes everything
                all
            });
            self.source.push_str(&format!("static const unsigned char dt_data_{number}[] = {{{bytes}0}};\n"));
        }
        Ok(format!("dt_copy(dt_data_{number}, {length}, {tail})"))
    }
}

/// A string literal.
pub(super) fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b' '
            | b'_'
            | b'-'
            | b'.'
            | b'/'
            | b'('
            | b')'
            | b',' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}
