//! What is said: a line of JSON for each request and each reply, and one before all of them.

use hotcell_model::api::Api;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::job::Job;
use crate::parser::Parser;

/// Most bytes of a reply. A header of 10 MB with 63,000 functions makes a quarter of it, those of OpenSSL a fiftieth.
pub(super) const LONGEST: usize = 256 << 20;

/// What the process says first: the version of the program that it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) hotcell: String,
}

impl Hello {
    /// What this program says, and expects.
    pub(super) fn own() -> Hello {
        Hello { hotcell: env!("CARGO_PKG_VERSION").into() }
    }
}

/// What is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    Parse(Job),
    Describe,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// What the headers say.
    Api(Api),
    /// By what they are read.
    Parser(Parser),
    /// Why they are not.
    Error(Error),
}

/// A message as it is sent.
pub(super) fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("keys are texts, and paths have become texts");
    line.push(b'\n');
    line
}

/// The reply that a line is.
///
/// # Errors
///
/// Why it is none, or what is in it that no header says.
pub fn reply(line: &[u8]) -> Result<Reply, String> {
    let reply = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match &reply {
        Reply::Api(api) => api.flaw().map_or(Ok(reply), Err),
        Reply::Parser(_) | Reply::Error(_) => Ok(reply),
    }
}
