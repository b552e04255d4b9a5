//! What is said: a line of JSON for each request and each reply, and one before all of them.

use hotcell_model::api::Api;
use serde::{Deserialize, Serialize};

use super::bounded::{self, Unread};
use super::limits::STACK;
use super::words;
use crate::error::Error;
use crate::job::Job;
use crate::parser::Parser;

/// Most bytes of a reply. A header of 10 MB with 63,000 functions makes two thirds of it, those of OpenSSL a twentieth.
pub(super) const LONGEST: usize = 96 << 20;

/// Most bytes that a reply is read into. Of what headers are made of, declarations take less than four times the bytes of the reply; macros with short names
/// take more, and a header of 10 MB that has nothing else fits.
pub(super) const LARGEST: usize = 4 * LONGEST;

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

/// A request with its number, as it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked<R> {
    /// Another one than that of every request before.
    pub(super) number: u64,
    pub(super) request: R,
}

/// A reply with the number of the request that it is for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) number: u64,
    pub(super) reply: Reply,
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

/// Why a reply cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is none, or has what no header says.
    Strange(String),
    /// It is for another request.
    Other,
    /// It would take more memory than it may.
    Large,
}

/// The reply that a line is, to the request of this number.
///
/// # Errors
///
/// Why it is none.
pub fn reply(line: &[u8], number: u64) -> Result<Reply, Refused> {
    let answered: Answered = bounded::read(line, LARGEST).map_err(|unread| match unread {
        Unread::Full => Refused::Large,
        Unread::Other(why) => Refused::Strange(words::cut(&why, 300)),
    })?;
    if answered.number != number {
        return Err(Refused::Other);
    }
    match answered.reply {
        Reply::Api(api) => api.flaw().map_or(Ok(Reply::Api(api)), |flaw| Err(Refused::Strange(flaw))),
        Reply::Error(error) => Ok(Reply::Error(words::judged(error))),
        Reply::Parser(parser) => Ok(Reply::Parser(words::judged_parser(parser))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_reply_is_judged() {
        let error = Error::new(crate::ErrorKind::HeaderInvalid, "a\u{1b}b");
        let line = line(&Answered { number: 7, reply: Reply::Error(error) });
        let Ok(Reply::Error(error)) = reply(&line, 7) else { panic!("an error is one") };
        assert_eq!(error.message, "a\\u{1b}b");
        assert_eq!(reply(&line, 8).unwrap_err(), Refused::Other);
    }
    /// Nothing takes more for fewer bytes than enumerators with short names.
    #[test]
    fn what_headers_say_fits() {
        let place = r#""location":{"file":"/a.h","line":1,"primary":true}"#;
        let int = r#"{"written":"int","canonical":"int","kind":{"kind":"void"}}"#;
        let names: Vec<String> = (0..50_000).map(|name| format!("{name:05}")).collect();
        let list = |one: &dyn Fn(&String) -> String| names.iter().map(one).collect::<Vec<_>>().join(",");
        let constants = list(&|name| format!(r#""{name}":{{"value":{{"type":"int","value":1}},{place}}}"#));
        let enumerators = list(&|name| format!(r#"["{name}",1]"#));
        let enums = format!(r#""e":{{"c_name":"e","doc":null,"enumerators":[{enumerators}],{place}}}"#);
        let functions = list(&|name| {
            format!(
                r#"{{"name":"{name}","params":[],"result":{int},"variadic":false,"prototyped":true,"inline":false,"attributes":[],"doc":null,{place}}}"#
            )
        });
        let line = |functions: &str, enums: &str, constants: &str, macros: &str| {
            format!(
                r#"{{"number":1,"reply":{{"api":{{"target":{{"triple":"t","pointer_bits":64,"char_signed":true}},"functions":[{functions}],"records":{{}},
                "enums":{{{enums}}},"constants":{{{constants}}},"function_macros":{{{macros}}}}}}}}}"#
            )
        };
        let read = |line: &str, most| {
            bounded::read::<Answered>(line.as_bytes(), most).map(|answered| answered.number)
        };
        for line in [line(&functions, "", "", ""), line("", &enums, &constants, "")] {
            assert_eq!(read(&line, LARGEST / LONGEST * line.len()), Ok(1));
            assert_eq!(read(&line, line.len()), Err(Unread::Full));
        }
        // `#define A0001(x) x`: 19 bytes of a header.
        for parameters in ["", r#""x""#] {
            let line = line("", "", "", &list(&|name| format!(r#""{name}":[{parameters}]"#)));
            assert_eq!(read(&line, LARGEST / (10_000_000 / 19) * names.len()), Ok(1));
        }
    }
}
