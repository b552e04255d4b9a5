//! What every error of a call says of the call, and the errors that it makes.

use std::panic::Location;
use std::time::SystemTime;

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason};

#[cfg(feature = "dynamic")]
use crate::error::Result;
use crate::error::{Cause, Error, Inner, Tried};
use crate::fault::Fault;
use crate::rt::Package;

/// What every error of a call says of the call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) package: &'static Package,
    pub(crate) function: &'static str,
    pub(crate) call_id: u64,
    pub(crate) generation: u64,
    pub(crate) call_site: Option<&'static Location<'static>>,
}

impl Context {
    #[inline]
    pub(super) fn of_package(package: &'static Package) -> Context {
        Context { package, function: "", call_id: 0, generation: 0, call_site: None }
    }

    /// An error of a call that was never published.
    pub(crate) fn not_executed(&self, kind: ErrorKind, cause: Cause, message: String) -> Error {
        self.error(Fault { kind, cause, message }, Executed::No, String::new())
    }

    /// That a call was given up before it was sent.
    pub(crate) fn given_up(&self) -> Error {
        let message = "the call was given up before it was sent".to_owned();
        self.not_executed(ErrorKind::Cancelled, Cause::None, message)
    }

    /// That a call may return so many bytes in the room for a parameter.
    #[cfg(feature = "dynamic")]
    pub(crate) fn has_room(&self, name: &str, bytes: u64, limit: u64) -> Result<()> {
        if bytes <= limit {
            return Ok(());
        }
        let cause = Cause::Limit { what: LimitExceededReason::Output, value: limit };
        let message = format!("room for `{name}` takes {bytes} bytes, and a call may return {limit}");
        Err(self.not_executed(ErrorKind::LimitExceeded, cause, message))
    }

    /// A text is not in the encoding that the contract declares.
    #[cfg(feature = "dynamic")]
    pub(crate) fn bad_encoding(&self, name: &str) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        self.not_executed(ErrorKind::BadEncoding, cause, format!("`{name}` is not UTF-8"))
    }

    /// That a text has a character that an encoding does not have.
    pub(crate) fn not_encoded(&self, name: &str, encoding: &str, position: usize) -> Error {
        let cause = Cause::Argument { name: name.to_owned() };
        let message = format!("`{name}` has a character at byte {position} that {encoding} does not have");
        self.not_executed(ErrorKind::BadEncoding, cause, message)
    }

    /// In a child of the process that opened the session: the call is its parent's.
    pub(crate) fn forked(&self, executed: Executed) -> Error {
        let message = "the process was forked after the session was opened".into();
        let fault = Fault { kind: ErrorKind::ForkedClient, cause: Cause::None, message };
        self.error(fault, executed, String::new())
    }

    /// The results are more than this host will hold; the worker is well.
    pub(crate) fn too_much_output(&self, limit: u64, executed: Executed) -> Error {
        let cause = Cause::Limit { what: LimitExceededReason::Output, value: limit };
        let message = format!("the results have more than the {limit} bytes a call may return");
        self.error(Fault { kind: ErrorKind::LimitExceeded, cause, message }, executed, String::new())
    }

    pub(crate) fn error(&self, fault: Fault, executed: Executed, output: String) -> Error {
        Error::new(Inner {
            kind: fault.kind,
            library: self.package.library.to_owned(),
            function: self.function.to_owned(),
            call_id: self.call_id,
            generation: self.generation,
            time: SystemTime::now(),
            call_site: self.call_site,
            executed,
            cause: fault.cause,
            message: fault.message,
            output,
            outputs: Vec::new(),
            refused: None,
            shortage: None,
            stack: None,
            tried: Tried::default(),
        })
    }
}
