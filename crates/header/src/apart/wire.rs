//! What is said: a line of JSON for each request and each reply, and one before all of them.

use hotcell_model::api::Api;
use serde::{Deserialize, Serialize};

use super::limits::STACK;
use super::words;
use crate::error::Error;
use crate::job::Job;
use crate::parser::Parser;

/// Most bytes of a reply. A header of 10 MB with 63,000 functions makes two thirds of it, those of OpenSSL a twentieth.
pub(super) const LONGEST: usize = 96 << 20;

/// Values that a reply may have however short it is, and the bytes that each further one has on average at least: a reply is read into values
/// before it is known what they are, and of what headers say each has a name and more.
const FREE_VALUES: usize = 1 << 20;
const BYTES_OF_VALUE: usize = 8;

/// What the process says first: the version of the program that it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) hotcell: String,
    /// What is said in, as the sources have it: builds of one version may differ.
    #[serde(default)]
    pub(super) form: u64,
    /// Bytes of the parser's stack.
    #[serde(default)]
    pub(super) stack: u64,
}

impl Hello {
    /// What this program says, and expects.
    pub(super) fn own() -> Hello {
        Hello { hotcell: env!("CARGO_PKG_VERSION").into(), form: FORM, stack: STACK as u64 }
    }
}

/// What requests and replies are made of.
const FORM: u64 = {
    let own = [
        include_str!("wire.rs"),
        include_str!("../job.rs"),
        include_str!("../error.rs"),
        include_str!("../parser.rs"),
    ];
    let (mut form, mut at) = (hotcell_model::api::FORM, 0);
    while at < own.len() {
        form = hotcell_model::api::form(form, own[at].as_bytes());
        at += 1;
    }
    form
};

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
    if !is_plausible(line) {
        return Err("it has more values than what headers say has in so many bytes".into());
    }
    let reply = serde_json::from_slice(line).map_err(|error| words::cut(&error.to_string(), 300))?;
    match reply {
        Reply::Api(api) => api.flaw().map_or(Ok(Reply::Api(api)), Err),
        Reply::Error(error) => Ok(Reply::Error(words::judged(error))),
        Reply::Parser(parser) => Ok(Reply::Parser(words::judged_parser(parser))),
    }
}

/// Whether there are no more values in a reply than its length makes likely.
fn is_plausible(line: &[u8]) -> bool {
    let (mut values, mut is_text, mut is_escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values <= FREE_VALUES + line.len() / BYTES_OF_VALUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_far_more_memory_than_bytes_is_refused() {
        let list = |count: usize| format!("{{\"error\":[\"a,\\\",[\",{}]}}", vec!["0"; count].join(","));
        assert!(is_plausible(list(FREE_VALUES).as_bytes()));
        assert!(!is_plausible(list(2 * FREE_VALUES).as_bytes()));
        let error = reply(list(2 * FREE_VALUES).as_bytes()).unwrap_err();
        assert!(error.starts_with("it has more values than"), "{error}");
        // Those of texts are none.
        assert!(is_plausible(format!("\"{}\"", "\\\",".repeat(4 * FREE_VALUES)).as_bytes()));
    }

    /// Nothing has more values in fewer bytes than enumerators with short names.
    #[test]
    fn what_headers_say_is_plausible() {
        let location = r#""location":{"file":"/a.h","line":1,"primary":true}"#;
        let one = format!(r#""AAA":{{"value":{{"type":"int","value":1}},{location}}},["AAA",1],"#);
        assert!(is_plausible(one.repeat(500_000).as_bytes()));
    }

    #[test]
    fn an_error_of_the_reply_is_judged() {
        let error = Error::new(crate::ErrorKind::HeaderInvalid, "a\u{1b}b");
        let Ok(Reply::Error(error)) = reply(&line(&Reply::Error(error))) else { panic!("an error is one") };
        assert_eq!(error.message, "a\\u{1b}b");
    }
}
