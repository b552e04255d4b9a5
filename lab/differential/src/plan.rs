//! What is called, on both sides: functions, their cases, and the steps of a case.

use std::fmt;
use std::rc::Rc;

/// All calls of a run.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// One for each function that is called, or for each scenario.
    pub groups: Vec<Group>,
    /// Functions that are not called, and why.
    pub skipped: Vec<(String, String)>,
}

/// Cases that run one after the other in one process on each side.
#[derive(Debug, Clone)]
pub struct Group {
    /// The function, or the scenario's own name.
    pub name: String,
    /// Each stands by itself: when one ends the process, the next one starts a new one.
    pub cases: Vec<Case>,
}

/// Steps that build upon each other.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// In order.
    pub steps: Vec<Step>,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Step {
    /// Index of the function in the interface.
    pub function: u16,
    /// A value for each parameter that callers see, in C order; of an out buffer its capacity in elements.
    pub args: Vec<Input>,
}

/// What is passed.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// NULL.
    Null,
    /// An integer.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A text, without its NUL.
    Text(Rc<[u8]>),
    /// The bytes of a buffer.
    Data(Rc<[u8]>),
}

impl Input {
    /// A text.
    pub fn text(text: &str) -> Input {
        Input::Text(text.as_bytes().into())
    }

    /// Bytes of a text or buffer.
    pub fn bytes(&self) -> Option<&Rc<[u8]>> {
        match self {
            Input::Text(bytes) | Input::Data(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl fmt::Display for Input {
    /// As a report shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Bytes that are shown.
        const SHOWN: usize = 24;
        match self {
            Input::Null => f.write_str("null"),
            Input::Int(number) => write!(f, "{number}"),
            Input::Float(number) => write!(f, "{number:?}"),
            Input::Text(bytes) | Input::Data(bytes) => {
                let mark = if matches!(self, Input::Text(_)) { "" } else { "x" };
                write!(f, "{mark}'{}'", bytes[..bytes.len().min(SHOWN)].escape_ascii())?;
                if bytes.len() > SHOWN { write!(f, "… ({} bytes)", bytes.len()) } else { Ok(()) }
            }
        }
    }
}
