//! Callbacks from threads that the library made: who runs them, and what becomes of their failures.
//!
//! A session has a [thread] for them once it has passed such a callback to its worker, and for as long as that worker
//! lives.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread as threads;

use hotcell_protocol::wire::{self, LISTEN_FUNCTION};
use hotcell_protocol::{ErrorKind, Executed, LimitExceededReason};
use hotcell_sandbox::with_signals_blocked;
use hotcell_shm::lock::Mutex;
use hotcell_shm::{Arena, CallHead};

use self::pace::Pace;
use self::thread::Listener;
use super::notices::{FAILURE, Notices};
use super::{Context, Seat, Session};
use crate::error::{Cause, Error, Result};
use crate::fault::Fault;

mod pace;
mod thread;

/// What a session knows of its dispatcher thread.
#[derive(Debug)]
pub(super) struct Dispatcher {
    failures: Arc<Failures>,
}

/// The first failure that nobody has heard of, and how many came after it: whatever the library does, it is no more.
#[derive(Debug)]
struct Failures {
    /// Where callers see whether there is one.
    notices: Arc<Notices>,
    first: Mutex<Option<Failure>>,
}

/// Why a callback of a thread has no answer.
#[derive(Debug)]
struct Failure {
    context: Context,
    fault: Fault,
    output: String,
    more: u64,
}

impl Dispatcher {
    pub(super) fn new(notices: Arc<Notices>) -> Dispatcher {
        Dispatcher { failures: Arc::new(Failures { notices, first: Mutex::default() }) }
    }

    /// Whether there is a failure that nobody has heard of.
    pub(super) fn has_failed(&self) -> bool {
        self.failures.notices.has(FAILURE)
    }
}

impl Failures {
    fn note(&self, context: Context, fault: Fault, output: String) {
        let mut first = self.first.lock();
        match &mut *first {
            Some(failure) => failure.more += 1,
            None => *first = Some(Failure { context, fault, output, more: 0 }),
        }
        self.notices.set(FAILURE, true);
    }

    fn take(&self) -> Option<Failure> {
        let mut first = self.first.lock();
        self.notices.set(FAILURE, false);
        first.take()
    }
}

impl Failure {
    fn error(self) -> Error {
        let Failure { context, mut fault, output, more } = self;
        if more > 0 {
            fault.message = format!("{} (and {more} more after it)", fault.message);
        }
        context.error(fault, Executed::No, output)
    }
}

impl Session {
    /// What a callback failed with that the library called on a thread of its own: the first failure since the last that
    /// was heard of. Who does not ask gets it from the next call instead, which is not sent then.
    pub fn take_callback_failure(&self) -> Option<Error> {
        // A lock may be held for ever by a thread that is only in the parent.
        if self.is_forked() {
            return None;
        }
        self.shared.dispatcher.failures.take().map(Failure::error)
    }

    /// Has what threads of the library call back run from now on, if they do not already. `seat` has a worker.
    pub(crate) fn listen(&self, seat: &mut Seat, context: Context) -> Result<()> {
        let shared = &*self.shared;
        let generation = seat.generation;
        let Some(worker) = seat.live.as_ref().map(|live| Arc::clone(&live.worker)) else { return Ok(()) };
        if worker.has_listener() {
            return Ok(());
        }
        let Some(_right) = worker.no_listener() else { return Ok(()) };
        let call_id = seat.next_id();
        let Some(live) = &seat.live else { return Ok(()) };
        if live.worker.capabilities() & wire::capabilities::DISPATCHER == 0 {
            let message = "the worker cannot have callbacks on threads of the library".into();
            return Err(context.not_executed(ErrorKind::AbiMismatch, Cause::None, message));
        }
        let (sender, receiver) = mpsc::sync_channel::<Listener>(1);
        let thread = threads::Builder::new().name("hotcell-callbacks".into());
        // Signals of the application are for its own threads.
        let started = with_signals_blocked(|| thread.spawn(move || receiver.iter().for_each(Listener::run)));
        if let Err(error) = started {
            let cause = Cause::Limit { what: LimitExceededReason::Threads, value: 0 };
            let message = format!("no thread for callbacks of the library's own threads: {error}");
            return Err(context.not_executed(ErrorKind::LimitExceeded, cause, message));
        }
        // Only now: a lane is taken once. The call is there before the one that passes the callback.
        let mut lane = live.worker.channel().dispatcher_lane();
        lane.open_call();
        lane.publish(CallHead { function: LISTEN_FUNCTION, args_length: 0, call_id, time: 0 });
        let listener = Listener {
            lane,
            arena: Arena::default(),
            worker: live.worker.to_ref(),
            fork: Arc::clone(&shared.fork),
            kept: Arc::clone(&shared.kept),
            failures: Arc::clone(&shared.dispatcher.failures),
            context: Context { function: "", call_id, generation, call_site: None, ..context },
            spin: shared.spin,
            dense: false,
            limit: shared.options.max_output,
            patience: shared.options.deadline,
            pace: Pace::new(shared.options.max_callback_rate),
            granted: 0,
            grants: 0,
            no_segment: None,
            block: Vec::new(),
        };
        worker.listens();
        // The thread is there and waits for it.
        let _ = sender.send(listener);
        Ok(())
    }

    /// The error of a call that is not sent because a callback has failed and nobody was told.
    pub(super) fn callback_failure(&self, context: Context) -> Option<Error> {
        let failure = self.shared.dispatcher.failures.take()?;
        Some(
            Failure { context: Context { call_site: context.call_site, ..failure.context }, ..failure }
                .error(),
        )
    }
}
