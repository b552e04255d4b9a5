//! The thread that runs what the library's own threads call back.
//!
//! It has a standing call on the dispatcher lane, and waits for it, asleep, for as long as the worker lives. It does not
//! hold the session: when that goes its worker goes, and with it this thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_protocol::wire::{self, Refusal, ReplyState};
use hotcell_protocol::{ErrorKind, Place};
use hotcell_shm::{Arena, ForkGuard, Granted, HostLane, ReplyHead, Seals, Waited, Window, clock};
use hotcell_supervisor::{SegmentError, WorkerRef, escape};

use super::Failures;
use super::pace::Pace;
use crate::error::{Cause, Error};
use crate::fault::{self, Fault};
use crate::rt::{Bad, Invocation};
use crate::session::{Asks, Context, Found, Kept, Ready};

/// What the thread has.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) lane: HostLane,
    pub(super) arena: Arena,
    pub(super) worker: WorkerRef,
    pub(super) fork: Arc<ForkGuard>,
    pub(super) kept: Arc<Kept>,
    pub(super) failures: Arc<Failures>,
    /// Of the standing call.
    pub(super) context: Context,
    /// Nanoseconds to poll for while callbacks come densely.
    pub(super) spin: u64,
    /// Whether the last one came within that time.
    pub(super) dense: bool,
    /// Most bytes of data of one callback.
    pub(super) limit: u64,
    /// How long the worker may take to map a segment.
    pub(super) patience: Duration,
    pub(super) pace: Pace,
    /// Bytes of space granted since the last callback, and how often.
    pub(super) granted: u64,
    pub(super) grants: u32,
    /// Why there was no segment for them.
    pub(super) no_segment: Option<String>,
    /// Where arguments are copied to: the same memory for all of them.
    pub(super) block: Vec<u8>,
}

/// Why the thread ends.
#[derive(Debug)]
enum Over {
    /// The worker has.
    Ended,
    /// This is a child of the process that the worker belongs to.
    Forked,
}

/// Times one callback may ask for space: an honest one doubles its window.
const MOST_GRANTS: u32 = 64;

impl Listener {
    /// Runs callbacks until the worker has ended.
    pub(super) fn run(mut self) {
        let over = loop {
            if let Err(over) = self.next() {
                break over;
            }
        };
        match over {
            // Its maps were not handed down.
            Over::Forked => std::mem::forget(self),
            // What the library had goes: who waits for what callbacks say hears that no more will come.
            Over::Ended => drop_quietly(self.kept.end_worker(self.context.generation)),
        }
    }

    /// Waits for a message, and answers it.
    fn next(&mut self) -> Result<(), Over> {
        let now = clock::now();
        let spin = if self.dense { self.spin } else { 0 };
        let waited = self.lane.wait(self.context.call_id, now, spin, 0);
        self.dense = clock::now().saturating_sub(now) < self.spin;
        let head = match waited {
            Waited::Reply(head) => head,
            Waited::Dead => return Err(Over::Ended),
            Waited::DeadlinePassed => return Ok(()),
            Waited::Violation(rule) => return self.violation(rule),
        };
        self.pace.keep();
        match head.state {
            ReplyState::NeedSpace => self.grant(head.value),
            ReplyState::Callback => self.call_back(head),
            ReplyState::Refused => self.refused(head),
            _ => self.violation("the standing call was answered with a result"),
        }
    }

    /// Answers NeedSpace.
    fn grant(&mut self, needed: u64) -> Result<(), Over> {
        self.no_segment = None;
        let left = self.limit.saturating_sub(self.granted);
        let fits = needed <= left && self.grants < MOST_GRANTS;
        let Some(length) = usize::try_from(needed).ok().filter(|_| fits) else {
            self.lane.resume(None);
            return Ok(());
        };
        let granted = match self.arena.regrant(length, false) {
            Some(granted) => Some(granted),
            None => self.add_window(length)?,
        };
        if granted.is_some() {
            self.granted += needed;
            self.grants += 1;
        }
        if let Some(Granted { place, length, .. }) = granted.filter(|granted| granted.announce) {
            self.lane.announce_window(place, length);
        }
        self.lane.resume(granted.map(|granted| (granted.place, granted.length)));
        Ok(())
    }

    fn add_window(&mut self, length: usize) -> Result<Option<Granted>, Over> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let Some(wanted) = self.arena.next_window(length, limit) else {
            let most = Arena::most_window_bytes(limit);
            self.no_segment = Some(format!("memory for data would have more than {most} bytes"));
            return Ok(None);
        };
        let until = Instant::now() + self.patience.min(Duration::from_secs(365 * 24 * 3600));
        match self.worker.add_segment(wanted, Seals::Reply, until) {
            Ok((id, mapping)) => Ok(Some(self.arena.add_window(Window::new(id, mapping, &self.fork), false))),
            Err(SegmentError::WorkerEnded) => Err(Over::Ended),
            Err(SegmentError::DeadlinePassed) => {
                self.violation("a segment was not mapped in time").map(|()| None)
            }
            Err(SegmentError::TooMany) => {
                self.no_segment = Some("the worker has all the segments it may have".into());
                Ok(None)
            }
            Err(SegmentError::NoDescriptor(errno) | SegmentError::System(errno)) => {
                self.no_segment = Some(format!("no segment of {wanted} bytes: {errno}"));
                Ok(None)
            }
        }
    }

    /// A callback of which the library's thread could not pass the arguments.
    fn refused(&mut self, head: ReplyHead) -> Result<(), Over> {
        let mut name = vec![0; head.result_length as usize];
        self.lane.copy_result(&mut name);
        let name = escape(&String::from_utf8_lossy(&name));
        let why = match u32::try_from(head.value).ok().and_then(Refusal::from_raw) {
            Some(Refusal::NoSpace) => match self.no_segment.take() {
                Some(why) => why,
                None => format!("the data need more than the {} bytes they may have", self.limit),
            },
            Some(Refusal::SizeOverflow) => format!(
                "`{name}` needs a size that there is not: it is negative, too large for its type, or a division by zero"
            ),
            _ => return self.violation("a refusal that a callback cannot have caused"),
        };
        let message = format!("a callback of a thread of the library could not be run: {why}");
        self.note(self.context, ErrorKind::CallbackFailed, message);
        self.answer(None)
    }

    /// Runs a callback.
    fn call_back(&mut self, head: ReplyHead) -> Result<(), Over> {
        let number = head.errno;
        match self.kept.find(number, self.context.generation, Asks::Dispatcher) {
            Found::Ready(Ready { mut run, args_size, function }) => {
                let context = Context { function, ..self.context };
                let answer = self.answer_of(head, args_size, context, &mut |invocation| run(invocation));
                // In a forked child a lock may be held for ever by a thread that is only in the parent.
                if let Err(Over::Forked) = answer {
                    std::mem::forget(run);
                    return Err(Over::Forked);
                }
                let gone = self.kept.ran(number, run);
                let answered = answer.and_then(|answer| self.answer(answer));
                drop_quietly(gone);
                answered
            }
            // The library may still have it, and may well call it: it gets the contract's default.
            Found::Gone if u32::try_from(number).is_ok_and(|number| number >= wire::KEPT_CALLBACKS) => {
                self.answer(None)
            }
            Found::Gone | Found::NotByThreads => {
                self.violation("a thread of the library called a callback that is not for threads")
            }
            Found::Running | Found::Late | Found::Busy => self.answer(None),
        }
    }

    /// Copies the arguments of a callback and runs it. What it answers; none when it failed.
    fn answer_of(
        &mut self,
        head: ReplyHead,
        size: u32,
        context: Context,
        run: &mut dyn FnMut(&mut Invocation<'_>) -> crate::error::Result<u64>,
    ) -> Result<Option<u64>, Over> {
        if head.result_length != size {
            let rule = "the arguments of a callback have another size than was agreed on";
            return self.violation(rule).map(|()| None);
        }
        self.block.clear();
        let place = Place::from_raw(head.value);
        let found = match size {
            0 => true,
            size => self
                .lane
                .locate(&self.arena, 0, place, u64::from(size))
                .is_some_and(|found| found.append_to(&mut self.block)),
        };
        if !found {
            let rule = "the arguments of a callback lie outside of the memory granted to its call";
            return self.violation(rule).map(|()| None);
        }
        let (lane, arena, fork) = (&self.lane, &self.arena, &*self.fork);
        let mut invocation = Invocation::by_thread((lane, arena, fork), context, self.limit, &self.block);
        let returned = catch_unwind(AssertUnwindSafe(|| run(&mut invocation)));
        let bad = invocation.end();
        if self.fork.forked() {
            std::mem::forget(returned);
            return Err(Over::Forked);
        }
        match bad {
            Some(Bad::Violation(rule)) => return self.violation(rule).map(|()| None),
            Some(Bad::Lie(text)) => return self.lie(context, text).map(|()| None),
            Some(Bad::TooMuch | Bad::Lost) | None => {}
        }
        let message = match returned {
            Ok(Ok(value)) => return Ok(Some(value)),
            Ok(Err(error)) => failed_with(&error),
            Err(panic) => panicked_with(panic),
        };
        self.note(context, ErrorKind::CallbackFailed, message);
        Ok(None)
    }

    /// Answers the last message, with which a callback ends: what it was granted is free again.
    fn answer(&mut self, returned: Option<u64>) -> Result<(), Over> {
        (self.granted, self.grants) = (0, 0);
        if let Some(Granted { place, length, .. }) = self.arena.reset() {
            self.lane.announce_window(place, length);
        }
        self.lane.resume_callback(returned);
        Ok(())
    }

    fn note(&self, context: Context, kind: ErrorKind, message: String) {
        self.failures.note(context, Fault { kind, cause: Cause::None, message }, String::new());
    }

    /// The worker broke a rule: it goes.
    fn violation(&self, rule: &'static str) -> Result<(), Over> {
        self.worker.kill_for_violation(rule);
        self.failures.note(self.context, fault::violation(rule), self.worker.output());
        Err(Over::Ended)
    }

    /// The library lies about its own data: its memory may be overwritten, so the worker goes.
    fn lie(&self, context: Context, text: &str) -> Result<(), Over> {
        self.worker.kill_for_violation(text);
        let fault = Fault { kind: ErrorKind::InvalidReply, cause: Cause::None, message: text.to_owned() };
        self.failures.note(context, fault, self.worker.output());
        Err(Over::Ended)
    }
}

fn failed_with(error: &Error) -> String {
    match error.kind() {
        ErrorKind::CallbackFailed => error.message().to_owned(),
        kind => format!("{}: {}", kind.name(), error.message()),
    }
}

/// The text of a panic, which ends here: there is no call that it could come out of.
fn panicked_with(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    drop_quietly(Some(panic));
    match text {
        Some(text) => format!("the callback panicked: {text}"),
        None => "the callback panicked".into(),
    }
}

/// Drops what is the application's: it may panic, and there is nobody to hear it.
fn drop_quietly<T>(things: impl IntoIterator<Item = T>) {
    for thing in things {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(thing))) {
            std::mem::forget(panic);
        }
    }
}
