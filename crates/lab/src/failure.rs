//! A call that failed, wherever it was made, as far as rows look at it.

use std::fmt;

use hotcell::ErrorKind;
use serde_json::Value as Json;

/// Why a call gave nothing back.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) why: Why,
    message: String,
    /// All that the caller is told.
    text: String,
    /// The last of what the library printed.
    output: String,
    /// Not known where the client is not told.
    shortage: Option<bool>,
}

/// What a failed call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// An error of Hotcell.
    Kind(ErrorKind),
    /// An error of the caller's language, before anything was sent: `OverflowError`, say.
    Refused,
    /// What gives a call up in the caller's language: `KeyboardInterrupt`.
    GivenUp,
    /// The caller's language has no such call: no program with it is compiled.
    Impossible,
    /// The client has no such thing, and the text says what.
    Lacks,
    /// The program that was to make the call ended, or spoke nonsense.
    Lost,
}

impl Failure {
    pub(crate) fn new(why: Why, text: impl Into<String>) -> Failure {
        let text = text.into();
        Failure { why, message: text.clone(), text, output: String::new(), shortage: None }
    }

    /// What a driver says of a call that failed.
    pub(crate) fn said(said: &Json) -> Failure {
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let why = match (said["why"].as_str(), ErrorKind::from_name(&text("kind"))) {
            (Some("refused"), _) => Why::Refused,
            (Some("given-up"), _) => Why::GivenUp,
            (Some("impossible"), _) => Why::Impossible,
            (Some("lacks"), _) => Why::Lacks,
            (_, Some(kind)) => Why::Kind(kind),
            _ => return Failure::new(Why::Lost, format!("the driver says {said}")),
        };
        let shortage = said["shortage"].as_bool();
        Failure { why, message: text("message"), text: text("text"), output: text("output"), shortage }
    }

    pub(crate) fn is(&self, kind: ErrorKind) -> bool {
        self.why == Why::Kind(kind)
    }

    /// Whether the arguments were refused before anything was sent, be it by the language.
    pub(crate) fn is_refusal(&self) -> bool {
        self.why == Why::Refused || self.is(ErrorKind::InvalidArgument)
    }

    pub(crate) fn is_fault(&self) -> bool {
        matches!(self.why, Why::Kind(kind) if kind.is_fault())
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn output(&self) -> &str {
        &self.output
    }

    /// All that the caller is told, the library's last words among it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says that the library was refused memory, where it would.
    pub(crate) fn has_shortage(&self) -> bool {
        self.shortage != Some(false)
    }

    /// What happened, in a word.
    pub(crate) fn name(&self) -> String {
        match self.why {
            Why::Kind(kind) => kind.to_string(),
            Why::Refused => "refused by the language".into(),
            Why::GivenUp => "given up".into(),
            Why::Impossible | Why::Lacks => "not to be said".into(),
            Why::Lost => "the program is gone".into(),
        }
    }
}

impl From<hotcell::Error> for Failure {
    fn from(error: hotcell::Error) -> Failure {
        Failure {
            why: Why::Kind(error.kind()),
            message: error.message().to_owned(),
            text: format!("{error:#}"),
            output: error.output().to_owned(),
            shortage: Some(error.shortage().is_some()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_driver_says_is_read() {
        let crashed =
            Failure::said(&json!({ "kind": "Crashed", "message": "m", "text": "t", "output": "o" }));
        assert!(crashed.is(ErrorKind::Crashed) && crashed.is_fault() && !crashed.is_refusal());
        assert_eq!((crashed.message(), crashed.text(), crashed.output()), ("m", "t", "o"));
        let refused = Failure::said(&json!({ "why": "refused", "message": "OverflowError" }));
        assert!(refused.is_refusal() && !refused.is_fault());
        assert_eq!(Failure::said(&json!({ "kind": "NoSuchKind" })).why, Why::Lost);
        assert_eq!(Failure::said(&json!({ "why": "impossible" })).why, Why::Impossible);
    }
}
