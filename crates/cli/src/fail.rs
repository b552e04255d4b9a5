//! Errors on their way out: text or JSON, and the exit status of their kind.

use std::process::ExitCode;

use hotcell::{ErrorKind, LastStack};
use serde_json::{Value, json};

use crate::args::Format;
use crate::print::{self, complain, out};
use crate::sandbox;

/// A failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call, or the opening of its session, failed.
    Call(hotcell::Error),
    /// The library was not bound.
    Bind(hotcell_bind::Error),
    /// An argument of the command is wrong, or a file of it.
    Usage(String),
    /// The call returned, and something went wrong with its results.
    Returned {
        /// What.
        message: String,
        /// The results, where they are not printed yet.
        results: Value,
    },
}

impl From<hotcell::Error> for Failure {
    fn from(error: hotcell::Error) -> Self {
        Failure::Call(error)
    }
}

impl From<hotcell_bind::Error> for Failure {
    fn from(error: hotcell_bind::Error) -> Self {
        Failure::Bind(error)
    }
}

impl Failure {
    /// Prints the failure and returns its exit status.
    pub(crate) fn report(&self, format: Format) -> ExitCode {
        self.report_in(format, |error| format!("{error:#}"))
    }

    /// The same of a command that has the options of a sandbox: they are named, and where the library has a contract, its lines as well.
    pub(crate) fn report_of(&self, format: Format, contract: bool) -> ExitCode {
        self.report_in(format, |error| {
            error.told_in_words(|remedy, note| sandbox::in_words(remedy, note, contract))
        })
    }

    fn report_in(&self, format: Format, told: impl Fn(&hotcell::Error) -> String) -> ExitCode {
        match (format, self) {
            (Format::Json, _) => {
                let mut object = json!({ "error": self.to_json() });
                if let Some(frames) = self.last_stack().map(|stack| stack.to_json()) {
                    object["error"]["frames"] = frames;
                }
                if let (Failure::Returned { results: Value::Object(results), .. }, Some(object)) =
                    (self, object.as_object_mut())
                {
                    object.extend(results.clone());
                }
                let text = print::json(&object);
                if out(&text).is_err() {
                    complain(text.trim_end());
                }
            }
            (Format::Text, Failure::Call(error)) => {
                complain(&format!("error: {}", told(error)));
                let trace = error.trace();
                if !trace.is_empty() {
                    complain(&format!("it was there:\n{}", trace.trim_end()));
                }
            }
            (Format::Text, Failure::Bind(error)) => complain(&with_prefix(&error.to_string())),
            (Format::Text, Failure::Usage(text)) => complain(&format!("error: {text}")),
            (Format::Text, Failure::Returned { message, .. }) => {
                complain(&format!("error: the call returned, but {message}"));
            }
        }
        match self {
            // Whoever calls again when a call was not made must not take this for one.
            Failure::Returned { .. } => ExitCode::FAILURE,
            _ => ExitCode::from(self.kind().exit_code()),
        }
    }

    fn last_stack(&self) -> Option<LastStack> {
        match self {
            Failure::Call(error) => error.last_stack(),
            Failure::Bind(_) | Failure::Usage(_) | Failure::Returned { .. } => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Failure::Call(error) => error.kind(),
            Failure::Bind(error) => error.kind,
            Failure::Usage(_) | Failure::Returned { .. } => ErrorKind::InvalidArgument,
        }
    }

    fn to_json(&self) -> Value {
        let kind = self.kind();
        let plain = |message: &str, help: Option<&String>| {
            json!({
                "kind": kind.name(), "code": kind.code(), "message": message, "help": help,
                "advice": kind.advice(), "executed": "no", "fault": false,
            })
        };
        match self {
            Failure::Call(error) => error.to_json(),
            Failure::Bind(error) => plain(&error.message, error.help.as_ref()),
            Failure::Usage(text) => plain(text, None),
            Failure::Returned { message, .. } => {
                let mut json = plain(&format!("the call returned, but {message}"), None);
                json["executed"] = json!("yes");
                json["advice"] =
                    json!("The call was made. Do not make it again for the result's sake alone.");
                json
            }
        }
    }
}

/// Rendered diagnostics bring their own `error:`.
fn with_prefix(text: &str) -> String {
    if text.starts_with("error") { text.to_owned() } else { format!("error: {text}") }
}
