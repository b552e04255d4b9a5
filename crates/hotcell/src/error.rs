//! The one error type: what happened, to which call, and what is known about it.

use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason, UnavailableReason};
use hotcell_sandbox::Remedy;
use hotcell_supervisor::StackLeft;
use serde_json::{Value, json};

mod output;

pub use output::Output;

use crate::denied::{Denied, Refused};
use crate::memory::{HeapFault, Shortage};
use crate::quarantine::InputId;
use crate::remedy;

/// What a call returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What a function of the application gives the library that called it. A failure comes out of the call that ran it: an
/// [`Error`] as it is, any other as [`CallbackFailed`](ErrorKind::CallbackFailed) with its text.
pub type Answer<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A failed call. Faults of the library and errors that it reports itself are told apart by
/// [`Error::is_fault`].
pub struct Error(Box<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    pub(crate) library: String,
    pub(crate) function: String,
    pub(crate) call_id: u64,
    pub(crate) generation: u64,
    pub(crate) time: SystemTime,
    pub(crate) call_site: Option<&'static Location<'static>>,
    pub(crate) executed: Executed,
    pub(crate) cause: Cause,
    pub(crate) message: String,
    pub(crate) output: String,
    pub(crate) outputs: Vec<(String, Output)>,
    pub(crate) refused: Option<Refused>,
    pub(crate) shortage: Option<Shortage>,
    pub(crate) stack: Option<StackLeft>,
    pub(crate) tried: Tried,
}

/// What an error knows of tries of its call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    /// How many there were behind the first.
    again: u32,
    /// When the call must have ended, in monotonic nanoseconds; 0 where it is not to be made again.
    until: u64,
    /// Whether what is wrong may pass by itself.
    passing: bool,
}

/// What an error knows beyond its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing but the message.
    None,
    /// A signal ended the worker.
    Signal {
        /// Its number.
        number: i32,
        /// Its name.
        name: &'static str,
        /// The address at fault, for the signals that have one.
        address: Option<u64>,
        /// Where the code was.
        pc: Option<u64>,
        /// Whether the stack ran over.
        stack_overflow: bool,
        /// Whether it was sent by another process instead of being caused by the code.
        external: bool,
        /// What was done to a guarded block, where that is what it was.
        heap: Option<Box<HeapFault>>,
    },
    /// The library was refused memory, and ended the worker in that call.
    Memory {
        /// How that was.
        shortage: Shortage,
        /// How the worker ended.
        ended: String,
    },
    /// The library called `exit`.
    Exit {
        /// The status.
        status: i32,
    },
    /// The library left the call without coming back from it.
    Left {
        /// How.
        how: LeftBy,
    },
    /// The deadline passed.
    Deadline {
        /// What the call was given.
        after: Duration,
    },
    /// The worker ended in, or was killed for, a call of another thread that was under way at the same time.
    Suspect {
        /// The function of that call, as far as it is known.
        function: String,
        /// Its id.
        call_id: u64,
    },
    /// A limit was reached.
    Limit {
        /// Which.
        what: LimitExceededReason,
        /// Its value.
        value: u64,
    },
    /// The sandbox stopped a system call.
    Denied(Denied),
    /// Restrictions that were asked for are not in force.
    NotInForce {
        /// Their names.
        missing: Vec<&'static str>,
    },
    /// A file that workers of the session load is not the one that the session began with.
    Replaced {
        /// Where it lies.
        path: PathBuf,
    },
    /// No worker could take the call.
    Unavailable {
        /// Why.
        reason: UnavailableReason,
    },
    /// The input has ended workers, and is in quarantine.
    Quarantined {
        /// What it goes by there.
        input: InputId,
        /// How long it stays there.
        left: Duration,
    },
    /// The library reported failure.
    Library {
        /// What the function returned, or the code the contract asks for.
        code: i64,
        /// Its name in the library's header.
        symbol: Option<&'static str>,
        /// The library's text.
        message: Option<String>,
        /// `errno` right after the call; 0 when it was not set.
        errno: i32,
    },
    /// An argument is to blame.
    Argument {
        /// Its name.
        name: String,
    },
    /// A handle is to blame.
    Handle {
        /// The name of the argument.
        argument: String,
        /// The type of the object, where it is known.
        given: Option<&'static str>,
        /// The type the function takes, where it is known.
        wanted: Option<&'static str>,
        /// The worker that made the object.
        made: u64,
        /// The worker that serves.
        serving: u64,
    },
}

/// How a library leaves a call that it does not come back from, and lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftBy {
    /// It jumped (`longjmp`) out of a call that a callback had made, back into the call around it.
    Jump,
    /// It ended the thread that executed the call (`pthread_exit`).
    EndOfThread,
}

impl LeftBy {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            LeftBy::Jump => "jump",
            LeftBy::EndOfThread => "end-of-thread",
        }
    }
}

impl Error {
    pub(crate) fn new(inner: Inner) -> Error {
        Error(Box::new(inner))
    }

    /// The same error, with more behind its message.
    pub(crate) fn with_more(mut self, text: &str) -> Error {
        self.0.message.push_str(text);
        self
    }

    /// The same error once more.
    pub(crate) fn again(&self) -> Error {
        Error(self.0.clone())
    }

    /// The same error, as that of a function that was called there.
    pub(crate) fn of_function(mut self, name: &str, call_site: &'static Location<'static>) -> Error {
        self.0.function = name.to_owned();
        self.0.call_site = Some(call_site);
        self
    }

    /// The kind: one of the closed table in docs/reference/errors.md.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether a worker died or broke the protocol. False for what the library itself reports and for
    /// arguments that could not be passed.
    pub fn is_fault(&self) -> bool {
        self.0.kind.is_fault()
    }

    /// What is known beyond the kind.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// The name of the library's own error code, as its header has it.
    pub fn symbol(&self) -> Option<&'static str> {
        match self.0.cause {
            Cause::Library { symbol, .. } => symbol,
            _ => None,
        }
    }

    /// The same error, of a call that returned behind it.
    pub(crate) fn executed_after_all(mut self) -> Error {
        self.0.executed = Executed::Yes;
        self
    }

    /// Whether the library executed the call: `No` only if it was never published.
    pub fn executed(&self) -> Executed {
        self.0.executed
    }

    /// How often the call was made, or a worker looked for, until this was what came of it. [`Error::executed`] is then of all
    /// tries.
    pub fn tries(&self) -> u32 {
        self.0.tried.again.saturating_add(1)
    }

    /// The same error, of a call that was tried so often.
    pub(crate) fn tried(mut self, tries: u32) -> Error {
        self.0.tried.again = tries.saturating_sub(1);
        self
    }

    /// The same error, of a call that must have ended by this time, with 0 of one that is not to be made again.
    pub(crate) fn of_call_until(mut self, deadline: u64) -> Error {
        self.0.tried.until = deadline;
        self
    }

    /// When its call must have ended, in monotonic nanoseconds; 0 where it is not to be made again.
    pub(crate) fn until(&self) -> u64 {
        self.0.tried.until
    }

    /// The same error, of something that may pass by itself.
    pub(crate) fn passing(mut self) -> Error {
        self.0.tried.passing = true;
        self
    }

    /// The same error, of something that does not pass.
    pub(crate) fn lasting(mut self) -> Error {
        self.0.tried.passing = false;
        self
    }

    pub(crate) fn is_passing(&self) -> bool {
        self.0.tried.passing
    }

    /// The library.
    pub fn library(&self) -> &str {
        &self.0.library
    }

    /// The function; empty when no call was involved.
    pub fn function(&self) -> &str {
        &self.0.function
    }

    /// The call's id, unique in this process; 0 when no call was involved.
    pub fn call_id(&self) -> u64 {
        self.0.call_id
    }

    /// Which worker of the session it was, from 1.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// When it was noticed.
    pub fn time(&self) -> SystemTime {
        self.0.time
    }

    /// Where the application called.
    pub fn call_site(&self) -> Option<&'static Location<'static>> {
        self.0.call_site
    }

    /// In words, without library and function. It may quote the library: control characters are as they came.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What a call that failed gave all the same, by the names of the parameters, in the order of C: what its contract
    /// calls `valid_on_error`. Structures that a method takes as `&mut` are not here: they are up to date.
    pub fn outputs(&self) -> &[(String, Output)] {
        &self.0.outputs
    }

    /// What a call that failed gave in this parameter.
    pub fn output_of(&self, name: &str) -> Option<&Output> {
        self.0.outputs.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// What the sandbox refused the library since the last error of its own: perhaps the reason of this one.
    pub fn refused(&self) -> Option<&Refused> {
        self.0.refused.as_ref()
    }

    /// The same error, with what the sandbox refused.
    pub(crate) fn with_refused(mut self, refused: Option<Refused>) -> Error {
        self.0.refused = refused;
        self
    }

    /// That the library was refused memory since the last error of its own: perhaps the reason of this one. Of
    /// [`ErrorKind::OutOfMemory`] see [`Cause::Memory`].
    pub fn shortage(&self) -> Option<&Shortage> {
        self.0.shortage.as_ref()
    }

    /// The same error, with that the library was refused memory.
    pub(crate) fn with_shortage(mut self, shortage: Option<Shortage>) -> Error {
        self.0.shortage = shortage;
        self
    }

    /// The stack that the worker left, if it did.
    pub(crate) fn stack(&self) -> Option<&StackLeft> {
        self.0.stack.as_ref()
    }

    /// The same error, with the stack that the worker left.
    pub(crate) fn with_stack(mut self, stack: Option<StackLeft>) -> Error {
        self.0.stack = stack;
        self
    }

    /// Adds what the call gave, where `order` says it belongs.
    pub(crate) fn add_outputs(&mut self, outputs: Vec<(String, Output)>, order: impl Fn(&str) -> usize) {
        self.0.outputs.extend(outputs);
        self.0.outputs.sort_by_key(|(name, _)| order(name));
    }

    /// The end of what the worker printed on standard output and error; control characters are escaped.
    pub fn output(&self) -> &str {
        &self.0.output
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let e = &*self.0;
        let time = e.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        json!({
            "kind": e.kind.name(),
            "code": e.kind.code(),
            "message": e.message,
            "advice": e.kind.advice(),
            "library": e.library,
            "function": e.function,
            "call_id": e.call_id,
            "generation": e.generation,
            "time_unix_ms": u64::try_from(time).unwrap_or(u64::MAX),
            "call_site": e.call_site.map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column())),
            "executed": e.executed.as_str(),
            "tries": self.tries(),
            "fault": e.kind.is_fault(),
            "retry": e.kind.retry().as_str(),
            "cause": e.cause.to_json(),
            "refused": e.refused.as_ref().map(Refused::to_json),
            "shortage": e.shortage.map(Shortage::to_json),
            "outputs": output::named(&e.outputs),
            "output": e.output,
        })
    }
}

impl Cause {
    pub(crate) fn to_json(&self) -> Value {
        let hex = |address: &Option<u64>| address.map(|a| format!("{a:#x}"));
        match self {
            Cause::None => Value::Null,
            Cause::Signal { number, name, address, pc, stack_overflow, external, heap } => json!({
                "signal": name, "number": number, "address": hex(address), "pc": hex(pc),
                "stack_overflow": stack_overflow, "external": external,
                "heap": heap.as_ref().map(|heap| heap.to_json()),
            }),
            Cause::Memory { shortage, ended } => {
                let mut json = shortage.to_json();
                json["ended"] = json!(ended);
                json
            }
            Cause::Exit { status } => json!({ "status": status }),
            Cause::Left { how } => json!({ "left_by": how.name() }),
            Cause::Deadline { after } => json!({ "deadline_ms": after.as_secs_f64() * 1e3 }),
            Cause::Suspect { function, call_id } => json!({ "suspect": function, "call_id": call_id }),
            Cause::Limit { what, value } => json!({ "limit": what.name(), "value": value }),
            Cause::Denied(denied) => denied.to_json(),
            Cause::NotInForce { missing } => json!({ "missing": missing }),
            Cause::Replaced { path } => json!({ "replaced": path.display().to_string() }),
            Cause::Unavailable { reason } => json!({ "reason": reason.name() }),
            Cause::Quarantined { input, left } => {
                json!({ "input": input.to_string(), "left_ms": left.as_secs_f64() * 1e3 })
            }
            Cause::Library { code, symbol, message, errno } => {
                json!({ "code": code, "symbol": symbol, "message": message, "errno": errno })
            }
            Cause::Argument { name } => json!({ "argument": name }),
            Cause::Handle { argument, given, wanted, made, serving } => json!({
                "argument": argument, "given": given, "wanted": wanted,
                "made_by_generation": made, "generation": serving,
            }),
        }
    }
}

impl Error {
    /// The line that it is shown as, with what lets a call pass that was denied in the words of a language, and what is said behind that.
    #[doc(hidden)]
    pub fn in_words(&self, of: impl Fn(&Remedy, &str) -> String) -> String {
        fmt::from_fn(|f| self.line(f, &of)).to_string()
    }

    /// The same with all the lines of `{:#}`.
    #[doc(hidden)]
    pub fn told_in_words(&self, of: impl Fn(&Remedy, &str) -> String) -> String {
        let told = fmt::from_fn(|f| {
            self.line(f, &of)?;
            self.rest(f)
        });
        told.to_string()
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, of: &dyn Fn(&Remedy, &str) -> String) -> fmt::Result {
        let e = &*self.0;
        write!(f, "{}", e.library)?;
        if !e.function.is_empty() {
            write!(f, ": {}", e.function)?;
        }
        // A library's own words are in it: they shall neither steer a terminal nor forge a line of a log.
        write!(f, ": {}: ", e.kind)?;
        for character in e.message.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if let Cause::Denied(denied @ Denied { remedy: Some(remedy), .. }) = &e.cause {
            write!(f, "; {}", of(remedy, denied.note().unwrap_or_default()))?;
        }
        if self.tries() > 1 {
            write!(f, " (tried {} times)", self.tries())?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    /// One line; with `{:#}` also the advice and what the worker printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(f, &|remedy, note| remedy::in_contract(remedy) + note)?;
        if f.alternate() { self.rest(f) } else { Ok(()) }
    }
}

impl Error {
    /// The lines behind the first.
    fn rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &*self.0;
        e.outputs.iter().try_for_each(|(name, value)| write!(f, "\n  {name}: {value}"))?;
        e.refused.iter().try_for_each(|refused| write!(f, "\n  {refused}"))?;
        e.shortage.iter().try_for_each(|shortage| write!(f, "\n  {shortage}"))?;
        if let Cause::Signal { heap: Some(heap), .. } = &e.cause {
            heap.stacks(f)?;
        }
        write!(f, "\n  advice: {}\n  executed: {}", e.kind.advice(), e.executed)?;
        if !e.output.is_empty() {
            write!(f, "\n  the worker printed:")?;
            e.output.lines().try_for_each(|line| write!(f, "\n    {line}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &*self.0;
        f.debug_struct("Error")
            .field("kind", &e.kind)
            .field("message", &e.message)
            .field("library", &e.library)
            .field("function", &e.function)
            .field("call_id", &e.call_id)
            .field("generation", &e.generation)
            .field("executed", &e.executed)
            .field("tries", &self.tries())
            .field("cause", &e.cause)
            .field("call_site", &e.call_site)
            .field("outputs", &e.outputs)
            .field("refused", &e.refused)
            .field("output", &e.output)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_a_terminal_or_forge_a_line() {
        let error = Error::new(Inner {
            kind: ErrorKind::LibraryError,
            library: "zlib".into(),
            function: "inflate".into(),
            call_id: 1,
            generation: 1,
            time: SystemTime::now(),
            call_site: None,
            executed: Executed::Yes,
            cause: Cause::None,
            message: "bad\x1b[2J\nERROR forged".into(),
            output: String::new(),
            outputs: vec![("message".into(), Output::Text("\x1b[2J".into()))],
            refused: None,
            shortage: None,
            stack: None,
            tried: Tried::default(),
        });
        assert!(format!("{error:#}").contains("\n  message: \"\\u{1b}[2J\"\n"), "{error:#}");
        assert_eq!(error.to_string(), "zlib: inflate: LibraryError: bad\\u{1b}[2J\\nERROR forged");
        assert_eq!((error.tries(), &error.to_json()["tries"]), (1, &json!(1)));
        let error = error.tried(3);
        assert!(error.to_string().ends_with("forged (tried 3 times)"), "{error}");
        assert_eq!((error.tries(), &error.to_json()["tries"]), (3, &json!(3)));
    }
}
